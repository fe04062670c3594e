"""Ask the packages themselves what they suggest, each in an environment of its own.

    python benchmarks/suggestions/peers/replay.py [--environments FOLDER] [--clr FILE] [PACKAGE ...]

Writes answers.csv beside this file, a row a rule and recorded sweep. Makes the environments that
are missing, and asks about the problems that are; delete rows to ask again. keras-one-cycle is not
on the package index: `--clr` is the `clr.py` of github.com/titu1994/keras-one-cycle at commit
0f8b873.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

HERE = Path(__file__).parent
FILE = HERE / "answers.csv"
NUMPY, TORCH = "numpy==2.4.6", "torch==2.13.0"
KERAS_ONE_CYCLE = "keras-one-cycle==0f8b873"
MODULES = {
    "fastai==2.8.12": "fastai_rules",
    "lightning==2.5.2": "lightning_rule",
    "lightning==2.6.6": "lightning_rule",
    "torch-lr-finder==0.2.2": "torch_lr_finder_rule",
    KERAS_ONE_CYCLE: "keras_one_cycle_rule",
}
"""By package, the module that asks it."""


@dataclass(frozen=True)
class Given:
    """What a tool answered to one sweep.

    Attributes:
        losses: digest of the raw losses that it was given.
        lr: what it suggests where it goes through the rates at which they were recorded, or `None`.
        lr_at_own_rates: the same, where it is told their range and spaces them its own way.
        steps: training steps that it took.
    """

    losses: str
    lr: float | None
    lr_at_own_rates: float | None
    steps: int


@lru_cache
def read() -> dict[str, dict[str, list[Given]]]:
    """Return the answers by rule and problem, in the order of the sweeps."""
    found: dict[str, dict[str, list[Given]]] = {}
    for row in _rows():
        lr, at_own_rates = (float(row[name]) if row[name] else None for name in ("lr", "lr_at_own_rates"))  # fmt: skip # noqa: E501
        given = Given(row["losses"], lr, at_own_rates, int(row["steps"]))
        found.setdefault(row["rule"], {}).setdefault(row["problem"], []).append(given)
    return found


def asked(package: str, known: set[str], environments: Path, clr: Path | None) -> list[dict[str, str]]:  # fmt: skip # noqa: E501
    """Return the rows of one package on the problems that are not known."""
    python = environment(package, environments)
    variables = os.environ | ({"KERAS_ONE_CYCLE": str(clr.resolve())} if clr else {})
    command = [python, HERE / "ask.py", MODULES[package], *sorted(known)]
    done = subprocess.run(command, env=variables, stdout=subprocess.PIPE, text=True, check=True)
    return list(csv.DictReader(done.stdout.splitlines()))


def environment(package: str, folder: Path) -> Path:
    """Return the Python of a package's environment, made on first use."""
    home = folder / package.replace("==", "-")
    python = home / "bin" / "python"
    if not python.exists():
        venv.create(home, with_pip=True)
        wanted = [NUMPY] if package == KERAS_ONE_CYCLE else [NUMPY, TORCH, package]
        subprocess.run([python, "-m", "pip", "install", *wanted], stdout=sys.stderr, check=True)
    return python


def write(rows: list[dict[str, str]]) -> None:
    scratch = FILE.with_suffix(".part")
    with scratch.open("w", newline="") as lines:
        table = csv.DictWriter(lines, rows[0], lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    scratch.replace(FILE)


def _rows() -> list[dict[str, str]]:
    return list(csv.DictReader(FILE.read_text().splitlines())) if FILE.exists() else []


if __name__ == "__main__":
    options = argparse.ArgumentParser(description="Ask the packages themselves.")
    options.add_argument("packages", nargs="*", metavar="PACKAGE", help=", ".join(MODULES))
    options.add_argument("--environments", type=Path, default=HERE / "environments")
    options.add_argument("--clr", type=Path)
    given = options.parse_args()
    packages = given.packages or list(MODULES)
    if unknown := set(packages) - set(MODULES):
        options.error(f"{', '.join(unknown)}: not one of {', '.join(MODULES)}")
    if KERAS_ONE_CYCLE in packages and given.clr is None:
        options.error("keras-one-cycle needs --clr")
    for package in packages:
        print(package, file=sys.stderr, flush=True)
        rows = _rows()
        known = {row["problem"] for row in rows if row["package"] == package}
        write(rows + asked(package, known, given.environments, given.clr))
