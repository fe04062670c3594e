import pytest

from onecycle_cli.errors import ResultError
from onecycle_cli.runs.reading.listing import runs_below


def labels(listing):
    return [run.label for run in listing.runs]


def test_all_experiments_the_newest_first(save_run, found, scores, tmp_path):
    save_run("b/find-lr/001", end="2026-05-01T12:00:00+00:00", **found)
    save_run("a/train/002", end="2026-05-03T12:00:00+00:00", **scores)
    save_run("a/train/.003-running", end="2026-05-02T12:00:00+00:00", status="running")
    (tmp_path / "runs/a/train/latest").symlink_to("002")
    (tmp_path / "runs/a/train/.001.lock").write_text("")
    (tmp_path / "runs/.git/find-lr/001").mkdir(parents=True)
    (tmp_path / "runs/notes").mkdir()

    listing = runs_below(tmp_path)
    assert labels(listing) == ["a/train/002", "a/train/003", "b/find-lr/001"]
    assert listing.damaged == []
    assert labels(runs_below(tmp_path / "runs/a")) == ["a/train/002", "a/train/003"]
    assert labels(runs_below(tmp_path / "runs/a/train/002")) == ["a/train/002"]


def test_what_is_damaged_is_named_and_the_others_are_listed(save_run, found, tmp_path):
    save_run("a/find-lr/001", **found)
    (save_run("a/find-lr/002", **found) / "result.json").write_text("half")
    (tmp_path / "runs/a/find-lr/003").mkdir()
    listing = runs_below(tmp_path / "runs")
    assert labels(listing) == ["a/find-lr/001"]
    assert [("002/result.json: cannot be read" in p, "003: has no manifest" in p)
            for p in listing.damaged] == [(True, False), (False, True)]  # fmt: skip


def test_a_run_that_was_moved_out_of_its_experiment(save_run, scores, tmp_path):
    folder = save_run("a/train/001", kind="train", label="a/train/001", **scores)
    folder.rename(tmp_path / "trained")
    assert labels(runs_below(tmp_path)) == ["a/train/001"]


def test_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    for name, what in (("file", "is a file"), ("nowhere", "there is nothing at this path")):
        with pytest.raises(ResultError, match=what):
            runs_below(tmp_path / name)
    assert runs_below(tmp_path).runs == []
