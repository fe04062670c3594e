"""Event files, read back by TensorBoard's own reader."""

import sys
from types import ModuleType

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from onecycle_cli.errors import ResultError
from onecycle_cli.runs.trackers import events
from onecycle_cli.runs.trackers.tensorboard import NAME, EventFile, TensorBoard
from onecycle_cli.runs.trackers.tracker import DONE, FAILED, Ending

STARTED = 1.75e9

# Has TensorBoard read without TensorFlow, which would be imported for seconds.
sys.modules.setdefault("tensorboard.compat.notf", ModuleType("notf"))


def read(folder):
    """Return (step, tag, value) of all numbers in the file, and the times of its events."""
    found = list(LegacyEventFileLoader(str(folder / NAME)).Load())
    values = [
        (e.step, v.tag, v.simple_value)
        for e in found
        for v in e.summary.value
        if v.WhichOneof("value") == "simple_value"
    ]
    return values, {e.wall_time for e in found}


def hparams(folder):
    """Return what the HParams table knows of a run: its parameters, and how it ended."""
    board = EventAccumulator(str(folder))
    board.Reload()
    content = board.PluginTagToContent("hparams")
    start, end = (
        HParamsPluginData.FromString(content[f"_hparams_/session_{name}_info"])
        for name in ("start", "end")
    )
    values = {
        name: getattr(value, value.WhichOneof("kind"))
        for name, value in start.session_start_info.hparams.items()
    }
    return start.session_start_info.group_name, values, end.session_end_info.status


def test_each_value_stands_at_its_step(tmp_path, trained):
    EventFile(tmp_path, started=STARTED).write(trained(epochs=2, more=1))

    values, times = read(tmp_path)
    assert times == {STARTED}
    assert [v for v in values if v[1] == "step/loss"] == [
        (i, "step/loss", pytest.approx(1 / (i + 1))) for i in range(7)
    ]
    assert [v for v in values if v[1].startswith("epoch/val")] == [
        (1, "epoch/val_loss", 0.25),
        (1, "epoch/val_auc", 0.75),
        (2, "epoch/val_loss", pytest.approx(1 / 7)),
        (2, "epoch/val_auc", 0.75),
    ]


def test_with_a_log_it_grows_to_the_file_written_once(tmp_path, trained, monkeypatch):
    """Only new rows are put into events, unless the log went back or the file is another one."""
    log, file, counts = trained(epochs=0), EventFile(tmp_path / "grown", started=STARTED), []
    stock = events.event_of

    def counted(*args):
        counts[-1] += 1
        return stock(*args)

    def write():
        counts.append(0)
        with monkeypatch.context() as patch:
            patch.setattr(events, "event_of", counted)
            file.write(log)
        EventFile(tmp_path / "once", started=STARTED).write(log)
        once = (tmp_path / "once" / NAME).read_bytes()
        assert (tmp_path / "grown" / NAME).read_bytes() == once

    trained(log)
    write()
    marks = {"steps": {"rows": 3}, "history": {"rows": 1}}
    trained(log)
    write()
    trained(log, epochs=0, more=2)
    write()
    inode = (tmp_path / "grown" / NAME).stat().st_ino
    log.end_epoch(cycle=1, val_loss=0.5)
    write()
    assert counts == [3 + 1, 3 + 1, 2, 1]
    assert (tmp_path / "grown" / NAME).stat().st_ino == inode  # a reader sees it grow
    log.go_back(marks)
    trained(log, epochs=2, scale=2.0)
    write()
    (tmp_path / "grown" / NAME).write_bytes(b"")
    write()
    assert counts[4:] == [9 + 3, 9 + 3]


def test_resumed_it_goes_on_where_the_tables_agree(tmp_path, trained):
    """Also where it was cut short, and where it is ahead of the checkpoint."""
    once, again = tmp_path / "once", tmp_path / "again"
    EventFile(once, started=STARTED).write(trained(epochs=4))
    for size in (None, -7):
        EventFile(again, started=STARTED).write(trained(epochs=2, more=2))
        whole = (again / NAME).read_bytes()
        (again / NAME).write_bytes(whole[:size])
        resumed = EventFile(again, started=STARTED)
        for epochs in (1, 4):
            resumed.write(trained(epochs=epochs))
        assert (again / NAME).read_bytes() == (once / NAME).read_bytes()
    assert [path.name for path in again.iterdir()] == [NAME]


def test_a_folder_that_cannot_be_written(tmp_path, trained):
    (tmp_path / "tensorboard").write_text("a file")
    with pytest.raises(ResultError, match=r"tensorboard.*cannot be written"):
        EventFile(tmp_path / "tensorboard", started=STARTED).write(trained())


@pytest.mark.parametrize(("status", "shown"), [(DONE, 1), (FAILED, 2)])
def test_a_training_is_a_row_of_the_hparams_table(subject, trained, status, shown):
    board = TensorBoard(subject)
    board.write(trained(epochs=2))
    board.end(Ending(status, {"test/accuracy": 0.5}))

    folder = subject.folder / "tensorboard"
    params = {"batch_size": 64, "optimizer.name": "sgd", "train.log_to": "['mlflow']"}
    assert hparams(folder) == (subject.label, params, shown)
    assert read(folder)[0][-1] == (6, "test/accuracy", 0.5)


def test_each_trial_is_a_row_of_its_own(subject, trials):
    board = TensorBoard(subject)
    board.write_trials(trials[:1])
    first = subject.folder / "tensorboard/01-max_lr-0.2"
    inode = (first / NAME).stat().st_ino
    board.write_trials(trials)
    board.end(Ending(DONE, {"suggested/max_lr": 0.2}))

    name = "01-max_lr-0.2, digits/train/001"
    assert hparams(first) == (name, {"max_lr": 0.2, "stage": "ladder"}, 1)
    assert read(first)[0] == [
        (0, "step/lr", pytest.approx(0.1)), (0, "step/loss", 2.0),
        (1, "step/lr", pytest.approx(0.2)), (1, "step/loss", 1.5),
        (2, "score", 1.25),
    ]  # fmt: skip
    broke_off = subject.folder / "tensorboard/02-max_lr-9"
    assert hparams(broke_off)[2] == 2
    assert "score" not in [tag for _, tag, _ in read(broke_off)[0]]
    assert (first / NAME).stat().st_ino == inode
