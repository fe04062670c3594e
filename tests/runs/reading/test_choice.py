import pytest

from onecycle_cli.errors import ResultError
from onecycle_cli.runs.reading.choice import run_meant


def test_the_newest_of_all_states(save_run, found, tmp_path):
    save_run("a/find-lr/001", end="2026-05-01T12:00:00+00:00", **found)
    aside = save_run("a/train/.001-running", end="2026-05-02T12:00:00+00:00", status="running")
    assert run_meant(str(tmp_path / "runs")).folder == aside
    assert run_meant(str(tmp_path / "runs/a/train/001")).folder == aside
    assert run_meant(str(tmp_path / "runs/a/find-lr/latest")).label == "a/find-lr/001"


def test_none(save_run, found, tmp_path):
    with pytest.raises(ResultError, match="holds no run; 'onecycle find-lr CONFIG' starts one"):
        run_meant(str(tmp_path))
    (save_run("a/find-lr/001", **found) / "manifest.json").write_text("half")
    with pytest.raises(ResultError, match=r"manifest\.json: cannot be read as JSON"):
        run_meant(str(tmp_path / "runs"))
