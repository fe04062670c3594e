"""Runs in a store that are taken up, here and on another machine."""

import json

import pytest

from onecycle_cli.errors import ResultError
from onecycle_cli.runs import files, finding
from onecycle_cli.runs.run_folder import RunFolder
from onecycle_cli.runs.stores.mark import MARK
from onecycle_cli.runs.stores.mirror import CLAIM
from onecycle_cli.runs.stores.objects import Objects
from onecycle_cli.runs.stores.unfinished import UploadedNowError, here
from onecycle_cli.runs.stores.urls import local, working_folder


def kill(run):
    """Leave a run as a kill does."""
    run._holding.close()


def start(url, kind="train", name="name", recipe=None):
    run = RunFolder.create(local(url), name, kind, {})
    files.write_json(run.path / "resume.json", {"kind": kind, "recipe": recipe})
    files.write_text(run.path / "steps.csv", "row\n")
    run.keep()
    run._mirror.upload(run.path, at_once=True)
    return run


def test_a_path_is_left_as_it_is(tmp_path):
    assert here(tmp_path, "train") is tmp_path
    assert here("runs/name", "train") == "runs/name"


@pytest.mark.parametrize("above", ["name/train/001", "name/train", "name"])
def test_a_run_that_was_killed_goes_on_elsewhere(url, another_machine, above):
    kill(start(url))
    another_machine()

    folder = finding.find_unfinished(here(f"{url}/{above}", "train"), "train")

    assert folder == working_folder(url) / "name/train/.001-running"
    assert (folder / "steps.csv").read_text() == "row\n"
    with RunFolder.resume(folder) as run:
        files.write_text(run.path / "steps.csv", "row\nrow\n")
        files.write_text(run.path / "result.json", "{}")
    objects = Objects(f"{url}/name/train/001")
    assert objects.read("steps.csv") == b"row\nrow\n"
    assert MARK in objects.names()
    assert "resume.json" not in objects.names()
    with pytest.raises(ResultError, match="is finished; there is nothing to resume"):
        here(f"{url}/name/train/001", "train")
    with pytest.raises(ResultError, match="holds no unfinished run of train"):
        here(f"{url}/name", "train")


def test_one_that_was_interrupted_is_verified_and_has_no_mark_while_it_goes_on(
    url, another_machine
):
    with pytest.raises(KeyboardInterrupt), start(url):
        raise KeyboardInterrupt
    objects = Objects(f"{url}/name/train/001")
    another_machine()
    assert here(f"{url}/name", "train").name == "001"
    with RunFolder.resume(here(f"{url}/name", "train")):
        assert MARK not in objects.names()
    another_machine("third")
    objects.write("steps.csv", b"rov\n")
    with pytest.raises(ResultError, match="is finished"):
        here(f"{url}/name/train/001", "train")


def test_a_damaged_object_is_refused(url, another_machine):
    with pytest.raises(KeyboardInterrupt), start(url):
        raise KeyboardInterrupt
    Objects(f"{url}/name/train/001").write("steps.csv", b"rov\n")
    another_machine()
    with pytest.raises(ResultError, match=r"steps\.csv: is not what was uploaded"):
        here(f"{url}/name", "train")
    assert not [p for p in working_folder(url).rglob("*") if "001" in p.name]


def test_the_copy_of_the_machine_that_wrote_last_is_ahead_of_the_store(shaky):
    run = start(shaky.url)
    files.write_text(run.path / "steps.csv", "row\nnot uploaded\n")
    kill(run)
    folder = here(f"{shaky.url}/name", "train")
    assert (folder / "steps.csv").read_text() == "row\nnot uploaded\n"


def test_a_copy_that_another_machine_has_gone_on_from_is_replaced(url, another_machine, cache):
    kill(start(url))
    another_machine()
    run = RunFolder.resume(here(f"{url}/name", "train"))
    files.write_text(run.path / "steps.csv", "row\nby the other\n")
    run._mirror.upload(run.path, at_once=True)
    kill(run)

    another_machine(cache.name)
    folder = here(f"{url}/name", "train")

    assert (folder / "steps.csv").read_text() == "row\nby the other\n"


def test_a_finished_copy_that_was_overtaken_is_put_aside(shaky, another_machine, cache):
    with pytest.raises(ResultError, match="Nothing is lost"), start(shaky.url) as run:
        shaky.left = 0
    shaky.left = None
    another_machine()
    kill(RunFolder.resume(here(f"{shaky.url}/name", "train")))
    another_machine(cache.name)
    here(f"{shaky.url}/name", "train")
    (aside,) = run.final.parent.glob("001.*")
    assert (aside / "steps.csv").read_text() == "row\n"


def test_a_finished_run_whose_upload_failed_is_uploaded(shaky):
    with pytest.raises(ResultError, match="Nothing is lost"), start(shaky.url) as run:
        files.write_text(run.path / "result.json", "{}")
        shaky.left = 0
    shaky.left = None

    with pytest.raises(UploadedNowError, match="what was missing is uploaded now") as raised:
        here(f"{shaky.url}/name/train/001", "train")

    assert raised.value.exit_code == 0
    objects = Objects(f"{shaky.url}/name/train/001")
    assert {MARK, "result.json"} <= set(objects.names())


def test_one_at_work_here_is_left_alone(url):
    with start(url):
        folder, objects = here(f"{url}/name", "train"), Objects(f"{url}/name/train/001")
        with pytest.raises(ResultError, match="another process is at work"):
            RunFolder.resume(folder)
        claim = objects.read(CLAIM)
        objects.write(CLAIM, b"by another machine")
        with pytest.raises(ResultError, match="another process is at work"):
            here(f"{url}/name", "train")
        objects.write(CLAIM, claim)


def test_the_newest_is_meant_and_only_of_its_kind(url):
    for _ in range(2):
        kill(start(url))
    kill(start(url, "find-lr"))
    assert here(f"{url}/name", "train").name == ".002-running"
    assert here(f"{url}/name", "find-lr").name == ".001-running"
    with pytest.raises(ResultError, match="holds no unfinished run of find-wd"):
        here(f"{url}/name", "find-wd")
    with pytest.raises(ResultError, match="holds no unfinished recipe"):
        here(f"{url}/name", "run")


def test_one_of_which_nothing_was_uploaded_is_passed_over(shaky):
    """This machine has it, and can go on with it."""
    kill(start(shaky.url))
    kill(RunFolder.create(local(shaky.url), "name", "train", {}))
    assert here(f"{shaky.url}/name", "train").name == ".001-running"
    assert here(f"{shaky.url}/name/train/002", "train").name == ".002-running"


def test_a_recipe_comes_with_its_stage_that_broke_off(url, another_machine, cache):
    """And without copies of it that are out of date."""
    recipe = RunFolder.create(local(url), "name", "run", {})
    files.write_json(recipe.path / "recipe.json", {"status": "running"})
    recipe.keep()
    recipe._mirror.upload(recipe.path, at_once=True)
    kill(recipe)
    kill(start(url, "train", recipe="name/run/001"))
    kill(start(url, "find-lr", recipe="name/run/007"))
    another_machine()

    folder = here(f"{url}/name", "run")

    assert folder == working_folder(url) / "name/run/001"
    assert json.loads((folder / "recipe.json").read_text()) == {"status": "running"}
    stages = [p.parent for p in working_folder(url).rglob("resume.json")]
    assert stages == [working_folder(url) / "name/train/.001-running"]
    with RunFolder.resume(stages[0]):
        pass
    another_machine(cache.name)
    here(f"{url}/name", "run")
    assert not (working_folder(url) / "name/train/.001-running").exists()
