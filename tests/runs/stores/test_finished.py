import json

import pytest

from onecycle_cli.errors import ResultError
from onecycle_cli.runs import files, finding
from onecycle_cli.runs.run_folder import RunFolder
from onecycle_cli.runs.stores.finished import fetched
from onecycle_cli.runs.stores.objects import Objects
from onecycle_cli.runs.stores.urls import address, local


def finish(url, kind="train", name="name", **more):
    contents = {"result.json": json.dumps({"kind": kind}), "model.keras": "a model"} | more
    with RunFolder.create(local(url), name, kind, {}) as run:
        for file, text in contents.items():
            files.write_text(run.path / file, text)
    return f"{url}/{name}/{kind}/{run.number:03d}"


def test_a_run_is_brought_here_and_models_only_where_one_is_asked_for(url):
    run = finish(url)
    folder = fetched(run)
    assert {path.name for path in folder.iterdir()} == {"manifest.json", "result.json"}
    assert folder.parts[-3:] == ("name", "train", "001")
    assert address(folder) == run
    assert (fetched(run, holding="model.keras") / "model.keras").read_text() == "a model"


def test_the_newest_run_is_meant_by_a_place_above(url):
    for _ in range(3):
        newest = finish(url)
    other = finish(url, "find-lr")
    newest = finish(url, **{"result.json": "{}"})
    assert address(fetched(f"{url}/name/train")) == newest
    assert address(fetched(url)) == newest == address(finding.find_run(f"{url}/"))
    assert address(fetched(f"{url}/name", prefer="find-lr")) == other
    assert address(fetched(f"{url}/name/train", prefer="find-lr")) == newest


def test_a_damaged_object_is_refused(url):
    run = finish(url)
    Objects(run).write("result.json", b'{"kind": "trian"}')
    with pytest.raises(ResultError, match=r"result\.json: is not what was uploaded"):
        finding.find_run(run)


def test_a_missing_object_is_refused(url):
    run = finish(url)
    Objects(run).remove(["result.json"])
    with pytest.raises(ResultError, match=r"001/result\.json: "):
        fetched(run)


def test_a_run_that_is_not_finished_is_not_read(url):
    with RunFolder.create(local(url), "name", "train", {}) as run:
        files.write_text(run.path / "result.json", "{}")
        run.upload()
        with pytest.raises(ResultError, match=r"not finished, or .* 'onecycle train --resume "):
            fetched(f"{url}/name/train/001")
        with pytest.raises(ResultError, match=r"holds no finished run with result\.json"):
            fetched(url)


def test_a_recipe_stands_for_its_training(url):
    training = finish(url)
    recipe = {"stages": {"train": {"folder": "name/train/001"}}}
    run = finish(url, "run", **{"recipe.json": json.dumps(recipe)})
    assert address(fetched(run)) == training
    assert address(fetched(url)) == training
    nothing = finish(url, "run", **{"recipe.json": '{"stages": {"train": {"folder": null}}}'})
    with pytest.raises(ResultError, match="this recipe has not trained yet"):
        fetched(nothing)
    broken = finish(url, "run", **{"recipe.json": "{"})
    with pytest.raises(ResultError, match=r"recipe\.json: is damaged"):
        fetched(broken)


def test_nothing_is_there(url):
    with pytest.raises(ResultError, match=r"holds no finished run with model\.keras"):
        fetched(url, holding="model.keras")
