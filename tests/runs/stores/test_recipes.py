import json

import pytest

from onecycle_cli.runs import files
from onecycle_cli.runs.run_folder import RunFolder, new_folder
from onecycle_cli.runs.stores.mark import MARK
from onecycle_cli.runs.stores.mirror import CLAIM, mirror_of
from onecycle_cli.runs.stores.objects import Objects, StoreError
from onecycle_cli.runs.stores.recipes import upload_stages
from onecycle_cli.runs.stores.unfinished import UploadedNowError, here
from onecycle_cli.runs.stores.urls import local


@pytest.fixture
def recipe(shaky):
    """A recipe whose training has ended while the store was away."""
    folder = new_folder(local(shaky.url), "name", "run")
    warnings = []
    with RunFolder.create(local(shaky.url), "name", "train", {}, warnings.append) as run:
        run.let_upload_wait()
        files.write_text(run.path / "model.keras", "a model")
        shaky.left = 0
    assert "Nothing is lost" in warnings[0]
    stages = {"find-lr": {"folder": None}, "train": {"folder": "name/train/001"}}
    files.write_json(folder / "recipe.json", {"status": "done", "stages": stages})
    files.write_json(folder / "manifest.json", {"status": "done"})
    return folder


def test_what_the_store_lacks_of_a_stage_is_uploaded_later(shaky, recipe):
    training = Objects(f"{shaky.url}/name/train/001")
    with pytest.raises(StoreError, match="Nothing is lost: the run is kept in "):
        upload_stages(recipe)
    shaky.reads_fail = True
    with pytest.raises(StoreError, match=r"Nothing is lost: .* 'onecycle train --resume shaky://"):
        upload_stages(recipe)
    shaky.left, shaky.reads_fail = None, False
    upload_stages(recipe)
    assert {MARK, "model.keras"} <= set(training.names())
    shaky.log.clear()
    upload_stages(recipe)
    assert shaky.log == []


def test_a_stage_that_another_machine_has_taken_up_is_left_alone(shaky, recipe):
    training = Objects(f"{shaky.url}/name/train/001")
    shaky.left = None
    training.write(CLAIM, b"of somebody else")
    upload_stages(recipe)
    assert MARK not in training.names()


def test_resuming_a_recipe_that_is_over_uploads_it_with_its_stages(shaky, recipe):
    with pytest.raises(StoreError):
        mirror_of(recipe).finish(recipe, is_done=True)
    shaky.left = None
    with pytest.raises(UploadedNowError):
        here(f"{shaky.url}/name/run/001", "run")
    names = Objects(shaky.url).names()
    assert {f"name/run/001/{MARK}", f"name/train/001/{MARK}"} <= set(names)
    assert json.loads(Objects(shaky.url).read("name/run/001/recipe.json"))["status"] == "done"


def test_a_recipe_in_a_folder_has_nothing_to_upload(tmp_path):
    upload_stages(tmp_path)
