"""A disk that fills up, breaks or turns read-only at every moment of find-lr, find-wd and train.

    python benchmarks/reliability/disk_full.py [--every N] [--commands ...] [--result FILE]

A first run of each command counts what it does below its folder of runs: opens for writing,
writes, fsyncs, renames, mkdirs. Then the command is run once for each of these and each way to
fail (a full disk, which stays full; an I/O error; permission denied; a disk gone read-only),
failing there. Broken is every run that

- ends in another way than with exit code 1 and one clear message, or with 0 and whole results;
- shows a traceback, or a message of the last resort;
- changes a file of an earlier run, or leaves suggestions.yaml damaged (it is written before the
  run gets its final name, so that taking the run up can write it again);
- leaves a file under its final name that can't be read back: tables, JSON, YAML, models, pictures;
- leaves files of temporary names behind. A folder of an unfinished run may stay.

The result goes to disk_full.json beside this file.
"""

from __future__ import annotations

import argparse
import errno
import re
import shutil
import sys
import tempfile
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from faults import Faults  # noqa: E402
from forked import Child, Ended, import_everything  # noqa: E402

CONFIG = """\
name: small
batch_size: 64
dataset: {name: digits, limit: 400}
model: {name: mlp, options: {hidden: 16, layers: 1}}
find_lr: {min_lr: 1e-3, steps: 60, repeats: 2}
find_wd: {values: [1e-3, 1e-5], steps: 12, repeats: 1, refine: false}
find_momentum: {values: [0.8, 0.9], steps: 12, repeats: 1}
train: {cycles: [{epochs: 2}, {epochs: 1}], max_lr: 0.1}
"""
SUGGESTIONS = """\
weight_decay: {value: 0.0001, interval: [0.0001, 0.0001], verdict: ok, reason: r, run: a, when: b}
"""
COMMANDS = ("train", "find-lr", "find-wd")
FAILURES = {
    "open": (errno.ENOSPC, errno.EACCES),
    "write": (errno.ENOSPC, errno.EIO),
    "fsync": (errno.ENOSPC, errno.EIO),
    "rename": (errno.EIO, errno.EROFS),
    "mkdir": (errno.ENOSPC, errno.EACCES),
}
_LAST_RESORT = re.compile(r"\(--verbose shows where\)$", re.M)


@dataclass(frozen=True)
class Case:
    """One failure: of which command, at which operation, how."""

    command: str
    operation: str
    index: int
    code: int

    def __str__(self) -> str:
        name = errno.errorcode.get(self.code, "none")
        return f"{self.command}: {self.operation} {self.index} fails with {name}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--commands", nargs="+", default=list(COMMANDS), metavar="NAME")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="every N-th case only")
    parser.add_argument("--result", metavar="FILE", help="instead of disk_full.json")
    options = parser.parse_args()
    import_everything()
    with tempfile.TemporaryDirectory() as name:
        cases = [case for command in options.commands for case in cases_of(command, Path(name))]
        cases = cases[:: options.every]
        tally, broken = carry_out(cases, Path(name))
    import record

    figures = {
        "failures injected": len(cases),
        "broken": broken,
        "by command": dict(Counter(case.command for case in cases)),
        "by operation": dict(Counter(case.operation for case in cases)),
        "by outcome": dict(tally),
    }
    what = "failures of the disk, one by one, at every operation of a small run"
    record.write(__file__, what, figures, options.result)
    sys.exit(1 if broken else 0)


def cases_of(command: str, above: Path) -> list[Case]:
    """Count what a command does without a failure, and list the failures to inject."""
    log = above / f"{command}.log"
    folder = prepared(above / f"{command}-counted")
    ended = run(Case(command, "", 0, 0), folder, log)
    if ended.code:
        raise SystemExit(f"{command} fails without any failure of the disk:\n{ended.stderr}")
    counts = Counter(line.partition(" ")[0] for line in log.read_text().splitlines())
    return [
        Case(command, operation, index, code)
        for operation, codes in FAILURES.items()
        for code in codes
        for index in range(counts[operation])
    ]


def carry_out(cases: list[Case], above: Path) -> tuple[Counter[str], int]:
    """Run every case; print what is broken."""
    tally: Counter[str] = Counter()
    broken = 0
    for number, case in enumerate(cases):
        folder = prepared(above / f"case-{number}")
        before = contents(folder)
        ended = run(case, folder)
        faults = faults_of(ended, before, folder)
        tally["finished all the same" if not ended.code else f"exit code {ended.code}"] += 1
        if faults:
            broken += 1
            print(f"{case}: {faults}\n  {ended.stderr[-400:]!r}", flush=True)
        shutil.rmtree(folder)
    return tally, broken


def prepared(folder: Path) -> Path:
    """Make the folder of a case, with an earlier run and a suggestion in it."""
    earlier = folder / "runs/small/train/001"
    earlier.mkdir(parents=True)
    (earlier / "result.json").write_text('{"kind": "train"}')
    (folder / "runs/small/suggestions.yaml").write_text(SUGGESTIONS)
    (folder / "small.yaml").write_text(CONFIG)
    return folder


def run(case: Case, folder: Path, log: Path | None = None) -> Ended:
    """Run a command with a failure in its way."""
    runs = (folder / "runs").resolve()

    def prepare() -> None:
        Faults(runs, case.operation, case.index, case.code, log).install()

    return Child([case.command, "small.yaml", "--quiet"], folder, prepare).wait()


def contents(folder: Path) -> dict[str, bytes]:
    """Return the contents of all files below a folder, by name."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def faults_of(ended: Ended, before: dict[str, bytes], folder: Path) -> list[str]:
    """Return what is wrong with how a run ended and with what it left."""
    faults = []
    if ended.code not in (0, 1):
        faults.append(f"exit code {ended.code}")
    if "Traceback" in ended.stderr or _LAST_RESORT.search(ended.stderr):
        faults.append("a traceback, or a message of the last resort")
    said = [line for line in ended.stderr.splitlines() if line.startswith("onecycle: ")]
    if ended.code and len(said) != 1:
        faults.append(f"{len(said)} messages")
    after = contents(folder)
    suggestions = "runs/small/suggestions.yaml"
    faults += [
        f"{name} changed"
        for name, data in before.items()
        if after.get(name) != data and name != suggestions
    ]
    runs = folder / "runs"
    faults += [f"{p.relative_to(runs)} left behind" for p in runs.rglob(".*") if p.is_file()]
    faults += [
        f"{name}: {fault}"
        for name in (after.keys() - before.keys()) | {suggestions}
        if (fault := unreadable(folder / name))
    ]
    if not ended.code:
        faults += [f"{name} is missing" for name in missing(runs / "small")]
    return faults


def unreadable(path: Path) -> str:
    """Return why a file can't be read back; nothing if it can."""
    from onecycle_cli.errors import OnecycleError
    from onecycle_cli.runs import files, run_folder

    if path.parent.name == run_folder.JOURNAL:  # has checksums, and readers that know them
        return ""
    readers: dict[str, Any] = {
        ".csv": files.read_csv,
        ".json": files.read_json,
        ".yaml": _read_yaml,
        ".keras": _read_model,
        ".png": _read_picture,
    }
    try:
        readers.get(path.suffix, Path.read_bytes)(path)
    except (OnecycleError, OSError, ValueError, zipfile.BadZipFile) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _read_yaml(path: Path) -> None:
    from onecycle_cli.config import load_config
    from onecycle_cli.runs import suggestions_file

    if path.name == "suggestions.yaml":
        suggestions_file.read_suggestions(path.parent)
    else:
        load_config(path)


def _read_model(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        if (damaged := archive.testzip()) is not None:
            raise ValueError(f"{damaged} is damaged")


def _read_picture(path: Path) -> None:
    from PIL import Image

    with Image.open(path) as image:
        image.load()


def missing(experiment: Path) -> list[str]:
    """Return which of the files of finished runs are not there."""
    found = []
    for run_folder in experiment.glob("*/[0-9]*"):
        if (run_folder / "manifest.json").exists():
            names = ("result.json", "config.yaml", "plot.png")
            found += [f"{run_folder.name}/{n}" for n in names if not (run_folder / n).exists()]
    return found


if __name__ == "__main__":
    main()
