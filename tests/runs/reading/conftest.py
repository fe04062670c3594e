"""Runs in every state, with the files that tell it."""

import pytest

from onecycle_cli.runs import files

OK = {"value": 0.1, "interval": [0.05, 0.2], "verdict": "ok", "reason": "it is."}
REFUSED = {"value": None, "interval": None, "verdict": "never_descended", "reason": "flat."}
SCORES = {
    "test_accuracy": 0.75, "test_loss": 0.5, "test_scores": {}, "val_accuracy_last": 0.5,
    "val_accuracy_best": 0.625, "val_loss_last": 1.5, "val_loss_best": 1.25, "best_epoch": 3,
}  # fmt: skip


@pytest.fixture
def save_run(tmp_path):
    """Write the files of a run, and return its folder."""

    def save(place, *, status="done", end="2026-05-01T12:00:00+00:00", resume=None, **result):
        """`place`: such as `digits/find-lr/001`, below the folder of runs."""
        folder = tmp_path / "runs" / place
        folder.mkdir(parents=True)
        manifest = {"start": "2026-05-01T11:00:00+00:00", "end": end, "status": status}
        files.write_json(folder / "manifest.json", manifest)
        if resume is not None:
            files.write_json(folder / "resume.json", resume)
        if result:
            files.write_json(folder / "result.json", {"kind": folder.parent.name, **result})
        return folder

    return save


@pytest.fixture(scope="session")
def found():
    """What a finder says that has found a learning rate."""
    return {"suggestion": OK}


@pytest.fixture(scope="session")
def refused():
    """What a finder says that refuses."""
    return {"suggestion": REFUSED}


@pytest.fixture(scope="session")
def scores():
    """How good a model is."""
    return SCORES
