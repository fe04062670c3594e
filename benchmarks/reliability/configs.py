"""Configs gone wrong, through the real command line: each must end in one clear message.

    python benchmarks/reliability/configs.py [--count N] [--seed N] [--only CASE] [--result FILE]

Takes the configs of this repository and those that `onecycle init` writes, changes their
structure, their text or their bytes (mutations.py), and hands each to find-lr, find-wd,
find-momentum, train, run, run --dry-run, plot or suggest, often with hostile --set values and
options. A config that is valid after all is stopped where its experiment would start. Broken is
every case with

- a traceback, an exception, or an error that only the last resort put into words;
- an exit code other than 2 for a bad config (0, 1, 2 or 3 for plot and suggest, which do work);
- no message, or one with unprintable characters or of more than 2,000 characters a line;
- a file written or changed anywhere in the folder, or Keras imported;
- more than 10 seconds, or more than 2 GB of memory on top of what the program itself takes.

A broken case is printed with its number: `--only` repeats it alone, and shows what was given. The
result goes to configs.json beside this file, unless cases were chosen.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent)]

import mutations  # noqa: E402

REACHED = 77
"""The exit code of a config that is valid after all."""
SECONDS, BYTES = 10, 2 << 30
LONGEST_LINE = 2_000
COMMANDS = ["find-lr", "find-wd", "find-momentum", "train", "run", "dry-run", "plot", "suggest"]
MAY_END_WITH = {"plot": {0, 1, 2}, "suggest": {0, 1, 2, 3}}
STUBS = {
    "session": ["session"],
    "find_lr": ["carry_out"],
    "find_wd": ["carry_out"],
    "find_momentum": ["carry_out"],
    "train": ["carry_out"],
    "recipe.run": ["run", "foresee"],
}
_LAST_RESORT = re.compile(r"^onecycle: \w+: .*\(--verbose shows where\)$", re.M)


@dataclass
class Outcome:
    """What a case came to.

    Attributes:
        command: the command line.
        code: its exit code.
        text: what it said.
        seconds: how long it took.
        faults: what is wrong with that; empty for a case that is as it should be.
    """

    command: list[str]
    code: int
    text: str
    seconds: float
    faults: list[str] = field(default_factory=list)


@contextlib.contextmanager
def harnessed() -> Iterator[None]:
    """Give the experiments' places to stubs, and the process limits of memory and time."""
    from onecycle_cli.errors import OnecycleError
    from onecycle_cli.workbench import loading

    class ReachedError(OnecycleError):
        exit_code = REACHED

    def stop(*_: Any, **__: Any) -> None:
        raise ReachedError("the experiment would start here.")

    names = {f"onecycle_cli.experiments.{module}": stubs for module, stubs in STUBS.items()}
    before = {name: sys.modules.get(name) for name in names}
    limits = resource.getrlimit(resource.RLIMIT_AS)
    handler = signal.signal(signal.SIGALRM, _too_slow)
    for name, stubs in names.items():
        module: Any = types.ModuleType(name)
        for stub in stubs:
            setattr(module, stub, stop)
        sys.modules[name] = module
    load_early, loading.load_early = loading.load_early, stop
    try:
        _warm_up()
        soft = _address_space() + BYTES
        resource.setrlimit(resource.RLIMIT_AS, (soft, limits[1]))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
        signal.signal(signal.SIGALRM, handler)
        loading.load_early = load_early
        for name, module in before.items():
            sys.modules.pop(name)
            if module is not None:
                sys.modules[name] = module


def run_case(number: int, seed: int, folder: Path) -> Outcome:
    """Run one case in a folder of its own.

    Args:
        number: which one.
        seed: of the whole series.
        folder: an empty folder, which becomes the current one.
    """
    rng = random.Random(f"{seed}/{number}")
    command = _prepared(rng, folder)
    before = snapshot(folder)
    had_keras = "keras" in sys.modules
    started = time.perf_counter()
    with contextlib.chdir(folder):
        outcome = _invoked(command)
    outcome.seconds = time.perf_counter() - started
    if outcome.seconds > SECONDS:
        outcome.faults.append(f"took {outcome.seconds:.1f} s")
    allowed = MAY_END_WITH.get(command[0], {2, REACHED})
    allowed = {2, 1, REACHED} if _names_a_file_that_is_no_config(outcome) else allowed
    if outcome.code not in allowed:
        outcome.faults.append(f"exit code {outcome.code}")
    if snapshot(folder) != before and outcome.code:
        outcome.faults.append(f"files changed: {_difference(before, snapshot(folder))}")
    if "keras" in sys.modules and not had_keras:
        outcome.faults.append("Keras was imported")
    outcome.faults += _faults_of_text(outcome)
    return outcome


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """Return the files and folders below one, by name, with their contents."""
    return {
        str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None
        for p in sorted(folder.rglob("*"))
    }


def bases() -> list[str]:
    """Return the configs to start from: ours, those of `onecycle init`, and a full one."""
    from onecycle_cli.config import DATASETS
    from onecycle_cli.config.template import template

    ours = [path.read_text() for path in sorted((ROOT / "configs").glob("*.yaml"))]
    return [*ours, *(template(name) for name in DATASETS), FULL]


FULL = """\
name: full
seed: 3
batch_size: 32
precision: float32
jit_compile: auto
loss: {name: auto, from_logits: false}
dataset: {name: digits, validation_fraction: 0.2, limit: 500, augment: {flip: false, crop: 1}}
model: {name: mlp, options: {hidden: 16, layers: 2}}
optimizer: {name: sgd, nesterov: true, momentum: 0.9, weight_decay: 1e-5, decay: l2}
find_lr: {min_lr: 1e-5, max_lr: 10, scale: exp, steps: 40, repeats: 2, stop_factor: 4}
find_momentum: {values: [0.8, 0.9], steps: 40, repeats: 2}
find_wd: {values: [1e-3, 1e-4], refine: false, steps: 40, repeats: 2}
train:
  cycles: [{epochs: 3}, {epochs: 2, max_lr: 0.005}]
  max_lr: 0.1
  momentum: {max: 0.95, min: 0.85}
  weight_decay: 1e-4
  shape: cosine
  end_percentage: 0.2
  scale_percentage: 0.1
"""


# --- one case -----------------------------------------------------------------------------------


def _prepared(rng: random.Random, folder: Path) -> list[str]:
    """Write what the case needs, and return its command line."""
    (folder / "net.py").write_text("def build(shape, outputs, *, width: int = 3): ...\n")
    kind = rng.choice(COMMANDS)
    if kind == "suggest":
        _save_run(folder, rng)
        return ["suggest", "runs/full/find-lr/001", *_suggest_options(rng)]
    (folder / "c.yaml").write_bytes(mutations.mutated(rng.choice(BASES), rng))
    if rng.random() < 0.3:
        _save_run(folder, rng)
    options = []
    while rng.random() < 0.4:
        options += ["--set", mutations.override(rng)]
    if kind == "plot":
        return ["plot", "c.yaml", *options]
    if rng.random() < 0.05:
        options += ["--seed", rng.choice(["-1", "x", "1e3", str(2**70), "9" * 5000, ""])]
    return [*(["run", "--dry-run"] if kind == "dry-run" else [kind]), "c.yaml", *options]


def _save_run(folder: Path, rng: random.Random) -> None:
    """Save a range test with its suggestion, and damage one of its files."""
    run = folder / "runs/full/find-lr/001"
    run.mkdir(parents=True)
    (folder / "runs/full/suggestions.yaml").write_bytes(SAVED["suggestions.yaml"])
    for name in ("result.json", "curve.csv", "config.yaml"):
        (run / name).write_bytes(SAVED[name])
    paths = [*run.iterdir(), folder / "runs/full/suggestions.yaml"]
    path = rng.choice(sorted(paths))
    data = path.read_bytes()
    if path.suffix == ".yaml" and rng.random() < 0.7:
        data = mutations.mutated(data.decode(), rng)
    else:
        for _ in range(rng.randint(1, 3)):
            data = rng.choice(mutations.BYTE_CHANGES)(data, rng)
    path.write_bytes(data)


def _saved_run() -> dict[str, bytes]:
    """Make the files of a range test, without Keras."""
    import numpy as np

    from onecycle_cli.runs import records, suggestions_file
    from onecycle_cli.runs.curve import Curve, curve_table
    from onecycle_cli.suggest import suggest_lr

    lrs = np.geomspace(1e-5, 10, 100)
    losses = 2.3 - 1.5 / (1 + (0.05 / lrs) ** 1.5) + 2 * (lrs / 2) ** 2
    losses += np.random.default_rng(0).normal(0, 0.02, 100)
    findings = suggest_lr([(lrs, losses)])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        result = records.find_lr_result(findings, scale="exp")
        tables = {"curve": curve_table([Curve(lrs, losses)])}
        records.Record("find-lr", "full/find-lr/001", result, tables).write(folder)
        suggestions_file.write_suggestion(
            folder, "max_lr", findings.suggestion, run="full/find-lr/001", conditions={"a": 1}
        )
        (folder / "config.yaml").write_text(FULL)
        return {path.name: path.read_bytes() for path in folder.iterdir()}


def _suggest_options(rng: random.Random) -> list[str]:
    options: list[str] = []
    if rng.random() < 0.3:
        options += ["--rule", rng.choice(["steep", "valley", "", "steeep", "\x1b[31m", "x" * 999])]
    if rng.random() < 0.3:
        options += ["--smooth", rng.choice(["0.3", "0", "-1", "nan", "inf", "1e-300", "1e300"])]
    return options + (["--json"] if rng.random() < 0.3 else [])


def _invoked(command: list[str]) -> Outcome:
    from onecycle_cli.main import app

    faults = []
    signal.alarm(SECONDS + 5)
    try:
        result = CliRunner().invoke(app, command)
    except _TooSlowError:
        return Outcome(command, -1, "", 0.0, ["was stopped for taking too long"])
    finally:
        signal.alarm(0)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        faults.append(f"raised {type(result.exception).__name__}: {result.exception}"[:300])
    outcome = Outcome(command, result.exit_code, result.stderr, 0.0, faults)
    if result.exit_code == REACHED:
        outcome.text = ""
    return outcome


def _faults_of_text(outcome: Outcome) -> list[str]:
    if outcome.code in (0, REACHED):
        return []
    faults = []
    if "Traceback" in outcome.text:
        faults.append("a traceback")
    if _LAST_RESORT.search(outcome.text):
        faults.append("an error that only the last resort put into words")
    said = [line for line in outcome.text.split("\n") if line.startswith("onecycle: ")]
    by_typer = "Usage: " in outcome.text
    if not said and not by_typer and outcome.code != 3:  # a refusal is told on stdout
        faults.append("no message")
    others = [line for line in outcome.text.split("\n") if line and line not in said]
    if not by_typer and [line for line in others if not line.startswith("warning: ")]:
        faults.append("a message of more than one line")
    if not by_typer and any(not line.isprintable() for line in outcome.text.split("\n")):
        faults.append("unprintable characters")
    if not by_typer and any(len(line) > LONGEST_LINE for line in outcome.text.split("\n")):
        faults.append("an endless line")
    return faults


def _names_a_file_that_is_no_config(outcome: Outcome) -> bool:
    """Tell whether what was refused is suggestions.yaml, which is a result and no config."""
    return "suggestions.yaml" in outcome.text


def _difference(before: dict[str, bytes | None], after: dict[str, bytes | None]) -> list[str]:
    return sorted(k for k in before.keys() | after.keys() if before.get(k, 0) != after.get(k, 0))


class _TooSlowError(BaseException):
    """A case that goes on for too long."""


def _too_slow(*_: object) -> None:
    raise _TooSlowError


def _warm_up() -> None:
    """Import what the commands import on their first call, lest its memory counts as a case's."""
    global BASES, SAVED
    BASES, SAVED = bases(), _saved_run()
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        Path("c.yaml").write_text(FULL)
        for command in ("train", "plot", "run"):
            CliRunner().invoke(_app(), [command, "c.yaml"])


def _app() -> Any:
    from onecycle_cli.main import app

    return app


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


BASES: list[str] = []
SAVED: dict[str, bytes] = {}


# --- all cases ----------------------------------------------------------------------------------


def run_cases(numbers: range | list[int], seed: int) -> list[tuple[int, Outcome]]:
    """Run cases one after the other, and return each with its number."""
    found = []
    with harnessed(), tempfile.TemporaryDirectory() as above:
        for number in numbers:
            folder = Path(above) / str(number)
            folder.mkdir()
            outcome = run_case(number, seed, folder)
            found.append((number, outcome))
            if outcome.faults:
                print(f"case {number} of seed {seed}: {outcome.faults}\n  {_shown(outcome)}",
                      flush=True)  # fmt: skip
            if len(numbers) > 1:
                shutil.rmtree(folder)
            else:
                _show(folder, outcome)
    return found


def _shown(outcome: Outcome) -> str:
    return " ".join(part[:80] for part in outcome.command) + "\n  " + repr(outcome.text[:300])


def _show(folder: Path, outcome: Outcome) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            print(f"--- {path.relative_to(folder)}\n{path.read_bytes()[:2000]!r}")
    print(outcome)


def summary(found: list[tuple[int, Outcome]], seed: int) -> dict[str, Any]:
    """Return the figures of a series."""
    codes = collections.Counter(o.code for _, o in found)
    names = {REACHED: "valid, stopped where the experiment would start"}
    return {
        "cases": len(found),
        "seed": seed,
        "broken": sum(bool(o.faults) for _, o in found),
        "by exit code": {names.get(c, str(c)): n for c, n in sorted(codes.items())},
        "by command": dict(collections.Counter(o.command[0] for _, o in found)),
        "slowest, seconds": round(max(o.seconds for _, o in found), 2),
        "highest memory, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, metavar="CASE", help="repeat this case alone")
    parser.add_argument("--result", metavar="FILE", help="instead of configs.json")
    options = parser.parse_args()
    for variable in ("ONECYCLE_DATA", "KERAS_HOME"):
        os.environ.pop(variable, None)
    if options.only is not None:
        run_cases([options.only], options.seed)
        return
    found = run_cases(range(options.count), options.seed)
    import record

    figures = summary(found, options.seed)
    record.write(__file__, "mutated configs through the command line", figures, options.result)
    sys.exit(1 if figures["broken"] else 0)


if __name__ == "__main__":
    main()
