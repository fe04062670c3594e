import json

import pytest

from onecycle_cli.errors import ResultError
from onecycle_cli.runs import files
from onecycle_cli.runs.reading.choice import unfinished_run
from onecycle_cli.runs.reading.so_far import record_so_far

pytestmark = pytest.mark.lowest

STEPS = "step,lr,momentum,loss,epoch,cycle\n0,0.1,0.9,2.0,1,1\n1,0.2,0.8,1.5,1,1\n2,0.3,0.7,1.0,2,1"
HISTORY = "epoch,cycle,loss,val_loss,val_accuracy\n1,1,1.75,1.5,0.5\n2,1,0.9"
CONFIG = {"name": "tiny", "train": {"max_lr": 0.3, "momentum": 0.9, "cycles": [{"epochs": 4}]}}


@pytest.fixture
def training(tmp_path):
    """Write a training whose process was killed while it wrote to both tables."""
    return write(tmp_path / "runs/tiny/train")


def write(parent, history=HISTORY, **manifest):
    folder = parent / ".001-running"
    folder.mkdir(parents=True)
    (folder / "steps.csv").write_text(STEPS)
    (folder / "history.csv").write_text(history)
    files.write_yaml(folder / "config.yaml", CONFIG)
    files.write_json(folder / "manifest.json", {"status": "running"} | manifest)
    files.write_json(folder / "resume.json", {"config": CONFIG})
    return parent / "001"


def test_it_is_found_by_its_number_and_by_its_folder(training):
    for path in (training, training.with_name(".001-running")):
        run = unfinished_run(str(path))
        assert (run.label, run.status) == ("tiny/train/001", "interrupted")
        assert run.resume == f"onecycle train --resume {training}"


def test_what_has_a_result_or_is_no_run_is_not(training):
    assert unfinished_run(str(training.parent)) is None
    assert unfinished_run(str(training.with_name("002"))) is None
    folder = training.with_name(".001-running")
    (folder / "result.json").write_text(json.dumps({"kind": "train"}))
    assert unfinished_run(str(training)) is None


def test_rows_that_are_being_written_do_not_count(training):
    record = record_so_far(unfinished_run(str(training)))
    assert record.tables["steps"]["loss"] == [2.0, 1.5]
    assert record.tables["history"]["val_accuracy"] == [0.5]
    assert record.config == CONFIG
    assert record.result == {
        "max_lr": 0.3, "momentum": 0.9, "weight_decay": None, "steps_per_epoch": 2,
    }  # fmt: skip


def test_without_a_whole_epoch_there_is_nothing_to_tell(tmp_path):
    folder = write(tmp_path / "tiny/train", history="epoch,cycle,loss\n1,1")
    with pytest.raises(ResultError, match=f"no whole epoch yet; 'onecycle train --resume {folder}"):
        record_so_far(unfinished_run(str(folder)))


def test_a_search_has_none_before_its_end(tmp_path):
    folder = write(tmp_path / "tiny/find-lr")
    with pytest.raises(ResultError, match="at its end only; 'onecycle find-lr"):
        record_so_far(unfinished_run(str(folder)))


def test_damage_is_named(training):
    path = training.with_name(".001-running") / "steps.csv"
    path.write_text("step,loss\n0,1\n1,2\n")
    with pytest.raises(ResultError, match=r"steps\.csv: has no column 'lr'"):
        record_so_far(unfinished_run(str(training)))
    path.unlink()
    with pytest.raises(ResultError, match=r"steps\.csv: cannot be read as a table"):
        record_so_far(unfinished_run(str(training)))
