import pytest

from onecycle_cli.config import load_config
from onecycle_cli.errors import ConfigError
from onecycle_cli.experiments.recipe.planning import plan
from onecycle_cli.experiments.recipe.resuming import find_recipe
from onecycle_cli.runs import files, run_folder


def test_the_newest_unfinished_recipe_is_found(small, listener, tmp_path):
    config = load_config(small(train={"max_lr": "auto"}))
    for number, status in enumerate(["interrupted", "running", "done", "refused"], start=1):
        folder = run_folder.new_folder(tmp_path, "small", "run")
        assert folder.name == f"00{number}"
        recipe = plan(config, None, listener)
        recipe.status = status
        files.write_json(folder / "recipe.json", recipe.as_dict())
        files.write_yaml(folder / "config.yaml", config.model_dump())
    run_folder.new_folder(tmp_path, "small", "run")  # nothing in it yet

    for above in ("small", "small/run"):
        assert find_recipe(tmp_path / above).name == "002"
    assert find_recipe(tmp_path / "small/run/003").name == "003"
    with pytest.raises(ConfigError, match="holds no unfinished recipe; give the folder of one"):
        find_recipe(tmp_path / "elsewhere")


@pytest.mark.parametrize("kind", ["find-lr", "find-wd", "find-momentum", "train"])
def test_a_run_of_a_stage_is_no_recipe(tmp_path, kind):
    folder = run_folder.new_folder(tmp_path, "small", kind)
    files.write_json(folder / "manifest.json", {})
    with pytest.raises(
        ConfigError, match=rf"is a run of {kind} and no recipe; use 'onecycle {kind} --"
    ):
        find_recipe(folder)


def test_the_newest_recipe_has_the_highest_number(small, listener, tmp_path):
    recipe = plan(load_config(small(train={"max_lr": "auto"})), None, listener).as_dict()
    for number in (999, 1000):
        files.write_json(tmp_path / f"small/run/{number}/recipe.json", recipe)
    assert find_recipe(tmp_path / "small").name == "1000"
