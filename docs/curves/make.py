"""Make the runs of docs/reading-the-curve.md anew; docs/draw.py draws them.

    python docs/curves/make.py [KIND...]

Each kind is one search on the digits, and what is wrong with it is what its row says.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

from onecycle_cli import find_lr

HERE = Path(__file__).resolve().parent
RUNS = HERE.parent / "runs" / "curves"
KEPT = {"config.yaml", "result.json", "curve.csv", "curves.csv", "trials.csv"}
"""What a picture is drawn from."""

DIGITS: dict[str, Any] = {
    "batch_size": 64,
    "dataset": {"name": "digits"},
    "model": {"name": "mlp"},
    "train": {"cycles": [{"epochs": 20}]},
}
ONE_EPOCH = {"train": {"cycles": [{"epochs": 1}]}}
KINDS: dict[str, dict[str, Any]] = {
    "valley": {},
    "edge": {"find_lr": {"max_lr": 0.02}},
    "short": {"model": {"name": "mlp", "options": {"layers": 4, "dropout": 0.5}}, **ONE_EPOCH},
    "shuffled-labels": {"dataset": {"name": "subjects.py:shuffled_labels"}},
    "sweep": {"find_lr": {"method": "sweep"}},
    "late": {"find_lr": {"method": "sweep", "max_lr": 0.05}},
    "noisy": {"find_lr": {"method": "sweep"}, "batch_size": 8},
    "flat": {"find_lr": {"method": "sweep"}, "dataset": {"name": "subjects.py:empty_inputs"}},
    "few": {"find_lr": {"method": "sweep", "steps": 12}},
}


def search(kind: str) -> None:
    """Search once, and keep what a picture is drawn from."""
    shutil.rmtree(RUNS / kind, ignore_errors=True)
    found = find_lr({"name": kind, **DIGITS, **KINDS[kind]}, out=RUNS)
    print(f"{kind}: {found.suggestion}")
    for path in (RUNS / kind).rglob("*"):
        if path.is_symlink() or (path.is_file() and path.name not in KEPT):
            path.unlink()
        elif path.name == "config.yaml":
            path.write_text(path.read_text().replace(f"{HERE}/", ""))


def main() -> None:
    """Search for the kinds that are named, or for all."""
    os.chdir(HERE)  # from where configs name subjects.py
    for kind in sys.argv[1:] or KINDS:
        search(kind)


if __name__ == "__main__":
    main()
