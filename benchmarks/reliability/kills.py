"""Runs that are killed at random moments and taken up again, compared bit for bit with one that
was left in peace.

    python benchmarks/reliability/kills.py [--count 200] [--seed 0] [--commands ...] [--result FILE]
    python benchmarks/reliability/kills.py --commands long --count 40 --result FILE

Each command (train with three cycles, find-lr, find-wd, find-momentum) is run once to its end.
Then it is started again and again, killed by SIGKILL after a random time, taken up by --resume,
perhaps killed again, until it ends. A run that was killed before it could be taken up is started
anew, as its user would. The model has dropout and batch normalisation, and the state is written as
often as possible, so that kills fall into it. Compared are every table, the weights and
configurations in model.keras and best.keras, result.json but for times, config.yaml and
suggestions.yaml; whatever differs is printed. The result goes to kills.json beside this file.

`long` is one training of 100 epochs for each of two processes, which is killed again and again
until the kills are spent, on average after a twentieth of the time that it takes in peace and what
it takes to start, as on a machine that is taken away every few minutes.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import shutil
import sys
import tempfile
import zipfile
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from forked import Child, Ended, import_everything  # noqa: E402

COMMANDS = ("train", "find-lr", "find-wd", "find-momentum")
LONG = "long"
LONG_CYCLES = "train.cycles=[{epochs: 100}]"
LONG_SHARE = 0.1
"""A long training is killed after this share of its time at most, beside `STARTING`."""
STARTING = 12.0
"""Seconds that a command may take until its first step."""
JOBS = 2
MOST_KILLS = 4
"""In one run, which is then left to finish."""

CONFIG = """\
name: kills
batch_size: 64
dataset: {name: digits, limit: 500, augment: {flip: false, crop: 1, cutout: 2}}
model: {name: net.py:build}
find_lr: {min_lr: 1e-3, steps: 60, repeats: 3}
find_wd: {values: [1e-3, 1e-4, 1e-5], steps: 16, repeats: 2, refine: true}
find_momentum: {values: [0.8, 0.9, 0.95], steps: 16, repeats: 2}
train:
  cycles: [{epochs: 3}, {epochs: 2, max_lr: 0.05}, {epochs: 2, max_lr: 0.02}]
  max_lr: 0.1
  checkpoint_seconds: 0.001
"""
MODEL = """\
import keras


def build(shape, outputs):
    x = keras.Input(shape)
    y = keras.layers.Flatten()(x)
    y = keras.layers.Dense(24, use_bias=False)(y)
    y = keras.layers.BatchNormalization()(y)
    y = keras.layers.Dropout(0.3)(keras.layers.ReLU()(y))
    return keras.Model(x, keras.layers.Dense(outputs, activation="softmax")(y))
"""
_OF_THE_CLOCK = ("cost", "images_per_second", "label", "seconds", "shared_object_id")
"""What differs between any two processes; Keras' `shared_object_id` is an address in memory."""


@dataclass
class Tally:
    """What a series of runs came to."""

    kills: int = 0
    resumed: int = 0
    started_anew: int = 0
    finished: int = 0
    broken: int = 0
    kills_by_command: dict[str, int] = field(default_factory=dict)
    moments: dict[str, int] = field(default_factory=dict)

    def add(self, other: dict[str, Any]) -> None:
        for name, value in other.items():
            known = getattr(self, name)
            new = known + value if isinstance(value, int) else Counter(known) + Counter(value)
            setattr(self, name, new if isinstance(new, int) else dict(new))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--count", type=int, default=200, help="kills in all, at least")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--commands", nargs="+", default=list(COMMANDS), metavar="NAME")
    parser.add_argument("--result", metavar="FILE", help="instead of kills.json")
    options = parser.parse_args()
    import_everything()
    with tempfile.TemporaryDirectory() as name:
        above = Path(name).resolve()
        peaceful = {command: left_in_peace(command, above) for command in options.commands}
        share = -(-options.count // JOBS)
        pids = [_worker(job, share, options, peaceful, above) for job in range(JOBS)]
        for pid in pids:
            os.waitpid(pid, 0)
        tally = Tally()
        for job in range(JOBS):
            tally.add(json.loads((above / f"tally-{job}.json").read_text()))
    import record

    what = "runs killed at random, taken up, and compared bit for bit with one left in peace"
    record.write(__file__, what, {"seed": options.seed, **asdict(tally)}, options.result)
    sys.exit(1 if tally.broken else 0)


def left_in_peace(command: str, above: Path) -> tuple[dict[str, Any], float]:
    """Run a command to its end; return what it left, and how long that took."""
    folder = prepared(above / f"{command}-peace")
    ended = start(command, folder).wait()
    if ended.code:
        raise SystemExit(f"{command} fails without being killed:\n{ended.stderr}")
    return contents(folder, command), ended.seconds


def prepared(folder: Path) -> Path:
    """Make the folder in which a command is run."""
    folder.mkdir()
    (folder / "kills.yaml").write_text(CONFIG)
    (folder / "net.py").write_text(MODEL)
    return folder


def start(command: str, folder: Path, *, resume: bool = False) -> Child:
    """Start a command, or take its run up."""
    what = ["--resume", f"runs/kills/{kind_of(command)}"] if resume else ["kills.yaml"]
    if command == LONG and not resume:
        what += ["--set", LONG_CYCLES]
    return Child([kind_of(command), *what, "--quiet"], folder, _write_states_often)


def kind_of(command: str) -> str:
    """Return what the command line calls it."""
    return "train" if command == LONG else command


def _write_states_often() -> None:
    from onecycle_cli import throttle

    throttle.LARGEST_SHARE = 1e9


# --- one run, killed and killed again -----------------------------------------------------------


def _worker(
    job: int,
    share: int,
    options: argparse.Namespace,
    peaceful: dict[str, tuple[dict[str, Any], float]],
    above: Path,
) -> int:
    """Fork a process that does a share of the kills and leaves its tally in a file."""
    pid = os.fork()
    if pid:
        return pid
    rng = random.Random(f"{options.seed}/{job}")
    tally, number = Tally(), 0
    while tally.kills < share and tally.broken < 20:
        command = options.commands[(number + job) % len(options.commands)]
        folder = prepared(above / f"{job}-{number}")
        expected, seconds = peaceful[command]
        most = share if command == LONG else MOST_KILLS
        last = killed_until_done(command, folder, rng, seconds, tally, most)
        differences = judged(command, folder, last, expected)
        if differences:
            tally.broken += 1
            print(f"seed {options.seed}, job {job}, run {number}, {command}: {differences}\n"
                  f"  {last.stderr[-400:]!r}", flush=True)  # fmt: skip
        shutil.rmtree(folder)
        number += 1
    (above / f"tally-{job}.json").write_text(json.dumps(asdict(tally)))
    os._exit(0)


def killed_until_done(
    command: str, folder: Path, rng: random.Random, seconds: float, tally: Tally, most: int
) -> Ended:
    """Start a command, kill it, take it up, and so on; return how it ended at last."""
    longest = STARTING + LONG_SHARE * seconds if command == LONG else 1.1 * seconds
    kills, resume = 0, False
    while True:
        child = start(command, folder, resume=resume)
        patience = rng.uniform(0.0, longest) if kills < most else 300.0
        ended = child.wait(patience)
        if ended.code >= 0:
            tally.finished += 1
            return ended
        kills += 1
        tally.kills += 1
        tally.kills_by_command[command] = tally.kills_by_command.get(command, 0) + 1
        moment = _moment(folder / "runs/kills" / kind_of(command))
        tally.moments[moment] = tally.moments.get(moment, 0) + 1
        if moment == "finished":
            return ended
        resume = moment not in ("before it had a folder", "before it could be taken up")
        tally.resumed += resume
        tally.started_anew += not resume


def _moment(parent: Path) -> str:
    """Tell from what lies there when the newest run was killed."""
    from onecycle_cli.runs import finding, run_folder

    folders = sorted(run_folder.numbered_folders(parent), key=run_folder.number_of)
    if not folders:
        return "before it had a folder"
    newest = folders[-1]
    if not newest.name.startswith("."):
        return "finished"
    if newest not in finding.unfinished(parent):
        return "before it could be taken up"
    if any(path.suffix not in (".npz", ".json", ".damaged")
           for name in (run_folder.CHECKPOINTS, run_folder.JOURNAL)
           for path in (newest / name).glob("*")):  # fmt: skip
        return "while its state was written"
    if (newest / "result.json").exists() or (newest / "model.keras").exists():
        return "during or after the final evaluation"
    states = [
        p for name in (run_folder.CHECKPOINTS, run_folder.JOURNAL) for p in newest.glob(f"{name}/*")
    ]
    return "while training, with a state" if states else "while training, before the first state"


# --- what it left -------------------------------------------------------------------------------


def judged(command: str, folder: Path, last: Ended, expected: dict[str, Any]) -> list[str]:
    """Return what is wrong with a run that was killed and taken up."""
    if last.code > 0:
        return [f"exit code {last.code}"]
    found = contents(folder, command)
    return [name for name in sorted(found.keys() | expected.keys())
            if found.get(name) != expected.get(name)]  # fmt: skip


def contents(folder: Path, command: str) -> dict[str, Any]:
    """Return what a finished run left, by name, without what depends on the clock."""
    import yaml

    parent = folder / "runs/kills" / kind_of(command)
    numbered = sorted(path for path in parent.glob("[0-9]*"))
    if not numbered:
        return {}
    found: dict[str, Any] = {}
    for path in sorted(numbered[-1].rglob("*")):
        name = str(path.relative_to(numbered[-1]))
        if path.suffix == ".keras":
            found |= {f"{name}/{inner}": data for inner, data in _model(path).items()}
        elif name == "result.json":
            found[name] = _timeless(json.loads(path.read_text()))
        elif path.suffix in (".csv", ".yaml"):
            found[name] = path.read_text().replace(str(folder), "")
        else:
            found[name] = "is there"
    suggestions = folder / "runs/kills/suggestions.yaml"
    if suggestions.exists():
        data = yaml.safe_load(suggestions.read_text())
        found["suggestions"] = {
            key: {k: v for k, v in entry.items() if k not in ("when", "run")}
            for key, entry in data.items()
        }
    return found


def _timeless(data: Any) -> Any:
    if isinstance(data, dict):
        return {k: _timeless(v) for k, v in data.items() if k not in _OF_THE_CLOCK}
    return [_timeless(v) for v in data] if isinstance(data, list) else data


def _model(path: Path) -> dict[str, Any]:
    """Return the configuration in a model's file, and the bytes of each of its arrays."""
    import h5py

    with zipfile.ZipFile(path) as archive:
        weights = io.BytesIO(archive.read("model.weights.h5"))
        found: dict[str, Any] = {"config": _timeless(json.loads(archive.read("config.json")))}

    def note(name: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset):
            found[name] = (node.dtype.str, node.shape, node[()].tobytes())

    with h5py.File(weights) as file:
        file.visititems(note)
    return found


if __name__ == "__main__":
    main()
