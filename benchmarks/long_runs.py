"""What a training of a million steps costs beside its steps: tables, checkpoints, resuming.

    python benchmarks/long_runs.py [RESULT.json]

A training of 1,000 epochs of 1,000 steps is written by the classes that `onecycle train` uses, with
losses that are made up instead of computed: each epoch goes into the log, becomes a state to go
back to, and is appended to the tables; at some of them a checkpoint is written. Then it is resumed
in a new object, ended, read as a record, and drawn. The first two rows of figures compare the first
hundred epochs with the last: nothing is to take longer because the training has been going on for
longer. Seconds are those that the process worked; appending and checkpoints wait for the disk, too,
so that the clock on the wall stands beside. The result goes to long_runs.json beside this file.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import record

from onecycle_cli.engine.start import start_keras

start_keras()

import numpy as np  # noqa: E402

from onecycle_cli import plotting  # noqa: E402
from onecycle_cli.config import load_config  # noqa: E402
from onecycle_cli.observer import Observer  # noqa: E402
from onecycle_cli.runs.log import Logbook  # noqa: E402
from onecycle_cli.runs.records import Record, read_record  # noqa: E402
from onecycle_cli.runs.run_folder import CHECKPOINTS, RunFolder  # noqa: E402
from onecycle_cli.training.cycles import Cycles  # noqa: E402
from onecycle_cli.training.final_weights import FinalWeights  # noqa: E402
from onecycle_cli.training.plan import Plan  # noqa: E402
from onecycle_cli.training.recovery import Recovery  # noqa: E402
from onecycle_cli.workbench.bench import Workbench  # noqa: E402

EPOCHS, PER_EPOCH = 1000, 1000
AT_ENDS = 100
"""So many epochs are compared, first and last; a checkpoint is written at each of them."""

Seconds = tuple[float, float]
"""Of this process's work, and of the clock on the wall."""

_CLOCKS = ("cpu", "wall")

CONFIG = {
    "name": "long",
    "batch_size": 1,
    "dataset": {"name": "digits", "limit": 1111},
    "model": {"name": "mlp"},
    "train": {"max_lr": 0.1, "cycles": [{"epochs": EPOCHS}]},
}


class KeepsNothing:
    """Keeps no model."""

    def end_epoch(self, log: Logbook, *, is_best: bool) -> None:
        pass

    def write(self) -> None:
        pass


class Training:
    """A training whose losses are made up."""

    def __init__(self, bench: Workbench, run: RunFolder) -> None:
        self.run, self.weights = run, FinalWeights(bench)
        self.cycles = Cycles(bench, _plan(), self.weights, run, Observer(), KeepsNothing())
        self.course = self.cycles.course
        self.recovery = Recovery(self.course, self.weights, Observer())
        self._random = np.random.default_rng(0)

    def epoch(self) -> Seconds:
        """Take the steps of an epoch, and return what it takes to keep it."""
        course = self.course
        log, cycle = course.log, course.cycle
        done = len(log)
        level = 0.1 + 2.2 * math.exp(-4 * done / (EPOCHS * PER_EPOCH))
        losses = (level * self._random.chisquare(8, PER_EPOCH) / 8).tolist()
        rates, momenta = cycle.schedule["learning_rate"], cycle.schedule["momentum"]
        for step, loss in enumerate(losses, start=done):
            row = {"lr": rates[step], "momentum": momenta[step], "loss": loss}
            log.enter(row | {"weight_decay": 1e-4}, cycle=1)
            if cycle.divergence is not None:
                cycle.divergence.follow([loss])
        begun = _now()
        log.end_epoch(cycle=1, val_loss=level, val_accuracy=1 - level / 2.4)
        self.recovery.drop_anchor()
        log.append()
        return _since(begun)

    def checkpoint(self) -> tuple[Seconds, int]:
        """Write one; return the seconds and the bytes that it took."""
        begun = _now()
        self.cycles.checkpoints.write(self.recovery.checkpoint(), before=self.course.log.append)
        seconds = _since(begun)
        newest = max((self.run.path / CHECKPOINTS).iterdir())
        return seconds, newest.stat().st_size


def _plan() -> Plan:
    return Plan([0.1], ["file"], {"max": 0.95, "min": 0.85}, 1e-4)


def main() -> None:
    config = load_config(CONFIG)
    bench = Workbench(config, Observer())
    if bench.steps_per_epoch != PER_EPOCH:
        raise SystemExit(f"an epoch has {bench.steps_per_epoch} steps instead of {PER_EPOCH}.")
    with tempfile.TemporaryDirectory() as out:
        run = RunFolder.create(out, "long", "train", {})
        with run:
            run.keep()
            results = _measured(bench, run)
        results |= _read(Path(run.path))
    bench.close()
    what = f"a training of {EPOCHS * PER_EPOCH:,} made-up steps: what is kept of it, and reading it"
    record.write(__file__, what, results, *sys.argv[1:])


def _measured(bench: Workbench, run: RunFolder) -> dict[str, Any]:
    training = Training(bench, run)
    kept, written, sizes = [], [], {}
    for number in range(1, EPOCHS + 1):
        kept.append(training.epoch())
        if number <= AT_ENDS or number > EPOCHS - AT_ENDS:
            seconds, sizes[number] = training.checkpoint()
            written.append(seconds)
    again, seconds = _timed(lambda: _resumed(bench, run))
    if again.losses != training.course.log.losses:
        raise SystemExit("what was read back is not what was written.")
    log = training.course.log
    result = {"steps_per_epoch": PER_EPOCH, "test_accuracy": 0.95, "test_loss": 0.2}
    ended = Record("train", "long/train/001", result, log.tables(), {})
    _, at_end = _timed(lambda: (log.write(), ended.write(run.path, with_tables=False)))
    return {
        "seconds_to_keep_an_epoch": _ends(kept),
        "seconds_to_write_a_checkpoint": _ends(written),
        "bytes_of_a_checkpoint": {f"epoch {n}": sizes[n] for n in (2, AT_ENDS, EPOCHS)},
        "megabytes_of_steps_csv": round((run.path / "steps.csv").stat().st_size / 1e6, 1),
        "megabytes_of_the_log_in_memory": round(
            sum(column.itemsize * len(column) for column in log.steps.values()) / 1e6, 1
        ),
        "seconds_to_resume": seconds,
        "seconds_to_end_the_tables": at_end,
        "seconds_to_make_a_record_of_them": _timed(ended.as_read)[1],
    }


def _resumed(bench: Workbench, run: RunFolder) -> Logbook:
    weights = FinalWeights(bench)
    cycles = Cycles(bench, _plan(), weights, run, Observer(), KeepsNothing())
    cycles.restore(None, None)
    return cycles.course.log


def _read(folder: Path) -> dict[str, Any]:
    read, to_read = _timed(lambda: read_record(folder))
    picture, to_draw = _timed(lambda: plotting.png(plotting.draw(read)))
    if not picture.startswith(b"\x89PNG"):
        raise SystemExit("nothing was drawn.")
    return {"seconds_to_read_a_record": to_read, "seconds_to_draw_it": to_draw}


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return what work gives, and the seconds of this process that it takes."""
    begun = time.process_time()
    done = work()
    return done, round(time.process_time() - begun, 2)


def _now() -> Seconds:
    return time.process_time(), time.perf_counter()


def _since(begun: Seconds) -> Seconds:
    return time.process_time() - begun[0], time.perf_counter() - begun[1]


def _ends(seconds: list[Seconds]) -> dict[str, dict[str, dict[str, float]]]:
    ends = {"first": seconds[:AT_ENDS], "last": seconds[-AT_ENDS:]}
    return {
        of: {clock: record.spread([each[i] for each in part], 2) for i, clock in enumerate(_CLOCKS)}
        for of, part in ends.items()
    }


if __name__ == "__main__":
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    main()
