"""Draw the pictures of docs/reading-the-curve.md from the runs that are kept beside this file.

    python docs/curves/make.py          # draws all of them, without Keras
    python docs/curves/make.py --run    # makes the runs anew first, in a minute; or --run KIND...

Each kind is one search on the digits, and what is wrong with it is what its row says.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RUNS = HERE / "runs"
IMAGES = HERE.parent / "images" / "curves"
KEPT = {"config.yaml", "result.json", "curve.csv", "curves.csv", "trials.csv"}

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
    "shuffled-labels": {"dataset": {"name": "subjects.py:shuffled_labels"}},
    "short": {"model": {"name": "mlp", "options": {"layers": 4, "dropout": 0.5}}, **ONE_EPOCH},
    "sweep": {"find_lr": {"method": "sweep"}},
    "late": {"find_lr": {"method": "sweep", "max_lr": 0.05}},
    "flat": {"find_lr": {"method": "sweep"}, "dataset": {"name": "subjects.py:empty_inputs"}},
    "noisy": {"find_lr": {"method": "sweep"}, "batch_size": 8},
    "few": {"find_lr": {"method": "sweep", "steps": 12}},
}


def make_runs(kinds: list[str]) -> None:
    """Search once for each kind, and keep what a picture is drawn of."""
    from onecycle_cli import find_lr

    os.chdir(HERE)  # from where configs name subjects.py
    for kind in kinds:
        shutil.rmtree(RUNS / kind, ignore_errors=True)
        found = find_lr({"name": kind, **DIGITS, **KINDS[kind]}, out=RUNS)
        print(f"{kind}: {found.suggestion.verdict}: {found.suggestion.reason}")
    for path in RUNS.rglob("*.*"):
        if path.name not in KEPT:
            path.unlink()
        elif path.name == "config.yaml":
            path.write_text(path.read_text().replace(f"{HERE}/", ""))


def draw(kind: str) -> bytes:
    """Return the picture of a kind, as a PNG."""
    from onecycle_cli import plotting
    from onecycle_cli.runs import records

    return plotting.png(plotting.draw(records.read_record(RUNS / kind / "find-lr" / "001")))


def main() -> None:
    """Do what the command line says."""
    options = sys.argv[1:]
    if "--run" in options:
        make_runs([kind for kind in options if kind in KINDS] or list(KINDS))
    IMAGES.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        (IMAGES / f"{kind}.png").write_bytes(draw(kind))


if __name__ == "__main__":
    main()
