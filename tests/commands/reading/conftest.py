"""A folder of runs in every state; what is in them is what the files of real runs have."""

import json
from datetime import UTC, datetime, timedelta

import pytest

OK = {"value": 0.1, "interval": [0.05, 0.2], "verdict": "ok", "reason": "it is."}
FLAT = {"value": None, "interval": None, "verdict": "never_descended", "reason": "it is flat."}
RANGE = OK | {"value": {"max": 0.95, "min": 0.85}, "interval": [0.85, 0.95]}
SCORES = {
    "test_accuracy": 0.75, "test_loss": 0.5, "test_scores": {}, "val_accuracy_last": None,
    "val_accuracy_best": None, "val_loss_last": None, "val_loss_best": None, "best_epoch": None,
}  # fmt: skip


@pytest.fixture
def runs(own_folders):
    """Write a run a minute; the last of them a minute ago."""
    places = {
        "digits/find-lr/001": ("done", {"suggestion": OK}),
        "digits/find-momentum/001": ("done", {"suggestion": RANGE}),
        "digits/find-wd/001": ("done", {"suggestion": FLAT}),
        "digits/train/001": ("done", SCORES),
        "my digits/train/001": ("interrupted", {}),
        "digits/train/.002-running": ("running", {}),
    }
    for index, (place, (status, result)) in enumerate(places.items()):
        folder = own_folders / "runs" / place
        folder.mkdir(parents=True)
        when = datetime.now(UTC) - timedelta(minutes=len(places) - index, seconds=1)
        manifest = {"status": status, "start": when.isoformat(), "end": when.isoformat()}
        write(folder / "manifest.json", manifest)
        if result:
            write(folder / "result.json", {"kind": folder.parent.name, **result})
        else:
            write(folder / "resume.json", {})
    return own_folders / "runs"


def write(path, data):
    path.write_text(json.dumps(data))
