import shutil

import pytest

from onecycle_cli import report
from onecycle_cli.errors import ResultError
from onecycle_cli.runs import files


@pytest.fixture(scope="module")
def recipe(runs, read_page):
    return read_page(report.report_of_recipe(runs / "tiny/run/001"))


@pytest.fixture
def own_recipe(runs, tmp_path):
    """Return a copy of the recipe, with its stages, that may be changed."""
    shutil.copytree(runs, tmp_path / "runs")
    return tmp_path / "runs/tiny/run/001"


def test_every_stage_is_in_the_table_with_what_it_found(recipe):
    rows = {row[0]: row[1:] for row in recipe.table("stage")}
    assert rows["Learning rate"] == [
        "0.122", "0.0904 to 0.157", "ok", "375", "1.7 s", "tiny/find-lr/001",
    ]  # fmt: skip
    assert rows["Momentum"][:2] == ["0.95 to 0.85", "0.75 to 0.95"]
    assert rows["Training"][:3] == ["", "", "done"]


def test_the_table_leads_to_each_stage(recipe):
    ids = {about.get("id") for _, about in recipe.elements}
    targets = [about["href"].removeprefix("#") for about in recipe.named("a")]
    assert {"find-lr", "find-wd", "find-momentum", "train"} <= set(targets) <= ids


def test_the_training_is_the_answer(recipe):
    assert "The model answers 90.00 % of 60 test examples correctly." in recipe.text


def test_every_stage_has_its_charts(recipe):
    names = [about["id"] for about in recipe.named("figure")]
    assert names == [
        "find-lr-probes", "find-lr-curves", "find-wd-race", "find-wd-losses",
        "find-momentum-race", "find-momentum-losses", "train-training", "train-confusion",
    ]  # fmt: skip
    ids = [about["id"] for _, about in recipe.elements if about.get("id")]
    assert len(set(ids)) == len(ids)


def test_it_is_small_and_has_the_charting_library_once(recipe):
    assert len(recipe.html) < 1_500_000
    assert len([about for about, _ in recipe.scripts if not about.get("type")]) == 2


@pytest.mark.harness
def test_what_recipe_json_is_going_to_say_goes_before_what_it_says(own_recipe, read_page):
    data = files.read_json(own_recipe / "recipe.json")
    stages = data["stages"] | {"train": data["stages"]["train"] | {"status": "running"}}
    killed = {"status": "running", "stages": stages}
    files.write_json(own_recipe / "recipe.json", data | killed)
    found = report.report_of_recipe(own_recipe)
    assert "interrupted; it can be resumed" in found
    assert f"onecycle run --resume {own_recipe}" in found
    row = next(row for row in read_page(found).table("stage") if row[0] == "Training")
    assert row[3] == "interrupted"
    assert "every stage is done" in report.report_of_recipe(own_recipe, data)


@pytest.mark.harness
def test_a_stage_without_a_run_is_told_in_the_table_only(own_recipe, read_page):
    data = files.read_json(own_recipe / "recipe.json")
    data["stages"]["find-wd"] |= {"folder": None, "status": "skipped", "note": "it is fixed"}
    page = read_page(report.report_of_recipe(own_recipe, data))
    row = next(row for row in page.table("stage") if row[0] == "Weight decay")
    assert (row[3], row[-1]) == ("skipped", "it is fixed")
    assert "find-wd-race" not in [about["id"] for about in page.named("figure")]


def test_a_damaged_recipe_is_refused(own_recipe):
    files.write_json(own_recipe / "recipe.json", {"status": "done"})
    with pytest.raises(ResultError, match=r"recipe\.json: is damaged"):
        report.report_of_recipe(own_recipe)
