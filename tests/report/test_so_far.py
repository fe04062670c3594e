"""The report of a training that is not finished."""

from dataclasses import replace

import pytest

from onecycle_cli.kinds import KINDS
from onecycle_cli.report.document import Chart
from onecycle_cli.report.so_far import document_so_far, progress
from onecycle_cli.runs.reading.saved_run import SavedRun

pytestmark = pytest.mark.lowest


@pytest.fixture(scope="module")
def record(made):
    """Return what is known after three epochs of seven."""
    whole = made["train"]()
    tables = {
        "steps": {name: column[:69] for name, column in whole.tables["steps"].items()},
        "history": {name: column[:3] for name, column in whole.tables["history"].items()},
    }
    return replace(whole, tables=tables, result={"steps_per_epoch": 23}, mistakes=[])


@pytest.fixture
def run(tmp_path):
    """Return a training of a status."""
    folder = tmp_path / "tiny/train/001"
    folder.mkdir(parents=True)
    for name in ("manifest.json", "resume.json"):
        (folder / name).write_text("{}")
    return lambda status: SavedRun(folder, KINDS["train"], {"status": status})


@pytest.mark.parametrize(
    ("status", "what"), [("interrupted", "was interrupted"), ("failed", "ended with an error")]
)
def test_it_says_how_far_the_training_is_and_how_to_resume(run, record, status, what):
    training = run(status)
    assert [part.text for part in progress(training, record)] == [
        "Done so far: 3 of 7 epochs.",
        f"The training {what}. 'onecycle train --resume {training.folder}' goes on with it.",
        "Validation accuracy of the last epoch: 65.00 %; the best so far is 65.00 %, after epoch "
        "3.",
        "Nothing is tested yet. A test set is used once, at the end.",
    ]


def test_without_accuracies_it_tells_of_the_loss(run, record):
    history = {"epoch": [1, 2], "loss": [2.0, 1.0], "val_loss": [0.5, 0.625]}
    texts = progress(run("failed"), replace(record, tables={"history": history}))
    assert "Validation loss of the last epoch: 0.625; the best so far is 0.5, after epoch 1." in [
        part.text for part in texts
    ]


def test_it_shows_the_curves_so_far(run, record):
    found = document_so_far(run("interrupted"), record)
    charts = [p for section in found.sections for p in section.parts if isinstance(p, Chart)]
    assert [chart.name for chart in charts] == ["training"]
    assert charts[0].description.startswith("Panels over 3 epochs")
