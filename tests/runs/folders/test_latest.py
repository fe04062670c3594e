import shutil
from pathlib import Path

import pytest

from onecycle_cli.runs import files, finding
from onecycle_cli.runs.folders import latest
from onecycle_cli.runs.folders.latest import above_latest, followed, link_latest
from onecycle_cli.runs.reading.listing import runs_below
from onecycle_cli.runs.run_folder import RunFolder
from onecycle_cli.runs.stores.unfinished import here
from onecycle_cli.runs.stores.urls import working_folder


def made(out, *, ends="well"):
    """Return the folder of a new run that ends well or breaks off."""
    with RunFolder.create(out, "name", "find-lr", {}) as run:
        run.keep()
        files.write_json(run.path / "result.json", {"kind": "find-lr", "label": "it"})
        files.write_json(run.path / "resume.json", {})
        if ends != "well":
            run.end_as("interrupted")
    return run.final


def target_of(link):
    return str(link.readlink())


def test_it_is_a_link_to_the_newest_run_that_is_done(tmp_path):
    first = made(tmp_path)
    link = first.with_name("latest")
    assert target_of(link) == "001"
    assert (link / "result.json").read_bytes() == (first / "result.json").read_bytes()

    second = made(tmp_path)
    assert (second.name, target_of(link)) == ("002", "002")

    third = made(tmp_path, ends="badly")
    assert (third.name, target_of(link)) == ("003", "002")
    with RunFolder.resume(third):
        pass
    assert target_of(link) == "003"
    assert sorted(p.name for p in link.parent.iterdir()) == ["001", "002", "003", "latest"]


def test_an_older_run_that_is_done_later_does_not_take_it(tmp_path):
    first = made(tmp_path, ends="badly")
    made(tmp_path)
    with RunFolder.resume(first):
        pass
    assert target_of(first.with_name("latest")) == "002"


def test_of_two_runs_that_end_at_once_the_newer_has_it(tmp_path, monkeypatch):
    """The older one has looked for the newest, and then the newer one ends."""
    parent = made(tmp_path).parent
    (parent / "latest").unlink()
    replace = latest._replace

    def slow(link, target):
        monkeypatch.setattr(latest, "_replace", replace)
        made(tmp_path)
        replace(link, target)

    monkeypatch.setattr(latest, "_replace", slow)
    link_latest(parent)
    assert target_of(parent / "latest") == "002"


@pytest.mark.parametrize("error", [OSError(1314, "no right"), NotImplementedError()])
def test_where_links_are_impossible_nothing_is_written_and_nothing_fails(
    tmp_path, monkeypatch, error
):
    def refuse(*_arguments, **_options):
        raise error

    monkeypatch.setattr(Path, "symlink_to", refuse)
    run = made(tmp_path)
    assert [p.name for p in run.parent.iterdir()] == ["001"]
    assert finding.find_run(run.with_name("latest")) == run


@pytest.mark.parametrize("is_folder", [True, False])
def test_what_else_has_the_name_stays(tmp_path, is_folder):
    mine = tmp_path / "name" / "find-lr" / "latest"
    mine.parent.mkdir(parents=True)
    if is_folder:
        mine.mkdir()
    else:
        mine.write_text("mine")
    made(tmp_path)
    assert sorted(p.name for p in mine.parent.iterdir()) == ["001", "latest"]
    assert mine.is_dir() if is_folder else mine.read_text() == "mine"


def test_an_object_store_has_none(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    url = (tmp_path / "store").as_uri()
    run = made(working_folder(url))
    assert [p.name for p in run.parent.iterdir()] == ["001"]
    assert [p.name for p in (tmp_path / "store/name/find-lr").iterdir()] == ["001"]
    assert above_latest(f"{url}/name/find-lr/latest/") == f"{url}/name/find-lr"
    assert above_latest(f"{url}/name/find-lr/001") == f"{url}/name/find-lr/001"


class TestWhatItMeans:
    def test_the_run_under_its_number(self, tmp_path):
        run = made(tmp_path)
        assert finding.find_run(run.with_name("latest")) == run
        assert finding.find_run(tmp_path) == run
        assert followed(run) == run

    def test_a_link_to_what_is_gone_means_what_is_there(self, tmp_path):
        first, second = made(tmp_path), made(tmp_path)
        second.rename(tmp_path / "elsewhere")
        assert finding.find_run(first.with_name("latest")) == first

    def test_a_copy_that_a_tool_has_made_of_it_is_no_run(self, tmp_path):
        """Many copy what a link means, not the link; and later runs leave the copy as it is."""
        made(tmp_path / "runs")
        shutil.copytree(tmp_path / "runs", tmp_path / "copy")
        copy = tmp_path / "copy/name/find-lr"
        assert not (copy / "latest").is_symlink()
        second = made(tmp_path / "copy")
        for path in (copy, copy / "latest", tmp_path / "copy"):
            assert finding.find_run(path) == second
        assert [run.folder for run in runs_below(copy).runs] == [second, copy / "001"]

    def test_a_link_of_ones_own_to_something_else_stays(self, tmp_path):
        run = made(tmp_path)
        link = tmp_path / "latest"
        link.symlink_to("name")
        assert followed(link) == link
        assert finding.find_run(link) == link / "find-lr" / "001"
        assert run.samefile(finding.find_run(link))

    def test_to_go_on_with(self, tmp_path):
        """Where none is done yet, it is the newest that broke off."""
        run = made(tmp_path, ends="badly")
        found = finding.find_unfinished(here(run.with_name("latest"), "find-lr"), "find-lr")
        assert found == run
        made(tmp_path)
        with pytest.raises(finding.ResultError, match="002: is finished"):
            finding.find_unfinished(here(run.with_name("latest"), "find-lr"), "find-lr")

    def test_a_shell_names_it_beside_the_run(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        made(tmp_path), made(tmp_path)
        paths = [f"name/find-lr/{name}" for name in ("001", "002", "latest")]
        assert finding.each_once(paths) == paths[:2]
        assert finding.each_once([paths[0], paths[2]]) == [paths[0], paths[2]]
        assert finding.each_once([paths[0], paths[0]]) == [paths[0], paths[0]]
        assert finding.each_once(["s3://bucket/find-lr/latest"]) == ["s3://bucket/find-lr/latest"]
