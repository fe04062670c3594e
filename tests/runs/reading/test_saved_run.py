import pytest

from onecycle_cli.errors import ResultError
from onecycle_cli.runs import files
from onecycle_cli.runs.folders.lock import locked
from onecycle_cli.runs.reading.saved_run import SavedRun

RESUME = {"recipe": None}


def test_a_finder(save_run, found):
    run = SavedRun.read(save_run("digits/find-lr/012", **found))
    assert (run.label, run.experiment, run.number) == ("digits/find-lr/012", "digits", 12)
    assert (run.status, run.suggestion, run.scores) == ("done", found["suggestion"], None)
    assert (run.ended - run.started).total_seconds() == 3600
    assert run.resume is None


def test_a_refusal(save_run, refused):
    run = SavedRun.read(save_run("digits/find-wd/001", **refused))
    assert (run.status, run.resume) == ("refused", None)


def test_a_training(save_run, scores):
    run = SavedRun.read(save_run("digits/train/001", label="old/train/003", **scores))
    assert (run.status, run.suggestion, run.scores) == ("done", None, scores)
    assert (run.label, run.experiment, run.number) == ("digits/train/001", "digits", 1)


def test_a_run_that_was_moved_away_is_called_as_it_says(save_run, scores, tmp_path):
    folder = save_run("digits/train/001", label="old/train/003", **scores)
    run = SavedRun.read(folder.rename(tmp_path / "trained"))
    assert (run.label, run.experiment, run.number) == ("old/train/003", "old", 0)


def test_at_work_and_killed(save_run):
    """The lock tells them apart: it ends with the process."""
    folder = save_run("digits/train/.001-running", status="running", resume=RESUME)
    files.write_bytes(folder / "plot.png", b"live")
    with locked(folder):
        run = SavedRun.read(folder)
        assert (run.status, run.resume, run.ended) == ("running", None, None)
        assert run.pictures == [folder / "plot.png"]
    killed = SavedRun.read(folder)
    assert (killed.status, killed.ended) == ("interrupted", None)
    assert killed.label == "digits/train/001"
    assert killed.resume == f"onecycle train --resume {folder.with_name('001')}"
    assert sorted(p.name for p in folder.parent.iterdir()) == [".001-running"]


@pytest.mark.parametrize("status", ["interrupted", "failed"])
def test_what_broke_off_says_how_it_goes_on(save_run, status, scores):
    folder = save_run("my run/train/001", status=status, resume=RESUME, **scores)
    run = SavedRun.read(folder)
    assert (run.status, run.resume) == (status, f"onecycle train --resume '{folder}'")
    assert run.ended is not None


def test_how_far_it_has_got(save_run, scores):
    training = save_run("digits/train/.001-running", status="running")
    assert SavedRun.read(training).progress is None
    (training / "history.csv").write_text("epoch,loss\n1,0.5\n2,0.25\n3,0.")
    assert SavedRun.read(training).progress == "2 epochs so far"
    search = save_run("digits/find-lr/.001-running", status="running")
    files.write_json(search / "journal" / "0.json", {})
    assert SavedRun.read(search).progress == "1 trial so far"
    recipe = save_run("digits/run/001", status="interrupted")
    stages = {name: {"name": name, "status": status} for name, status in (
        ("find-lr", "done"), ("find-wd", "skipped"), ("train", "interrupted"))}  # fmt: skip
    files.write_json(recipe / "recipe.json", {"status": "interrupted", "stages": stages})
    assert SavedRun.read(recipe).progress == "2 of 3 stages so far"
    assert SavedRun.read(save_run("digits/train/002", **scores)).progress is None


def test_what_has_nothing_to_go_on_from(save_run):
    assert SavedRun.read(save_run("digits/train/001", status="failed")).resume is None


def test_a_model_in_hand_is_not_resumed_by_a_command(save_run):
    resume = {"recipe": None, "config": {"model": {"name": "memory"}}}
    folder = save_run("digits/train/001", status="interrupted", resume=resume)
    assert SavedRun.read(folder).resume is None


def test_a_stage_goes_on_with_its_recipe_while_that_goes_on(save_run):
    recipe = save_run("digits/run/001", status="interrupted")
    files.write_json(recipe / "recipe.json", {"status": "interrupted", "stages": {}})
    stage = save_run("digits/train/001", status="failed", resume={"recipe": "digits/run/001"})
    again = f"onecycle run --resume {recipe}"
    assert (SavedRun.read(stage).resume, SavedRun.read(recipe).resume) == (again, again)
    files.write_json(recipe / "recipe.json", {"status": "done", "stages": {}})
    assert SavedRun.read(stage).resume == f"onecycle train --resume {stage}"


def test_a_recipe_that_was_killed_and_one_that_is_at_work(save_run):
    folder = save_run("digits/run/001", status="running")
    files.write_json(folder / "recipe.json", {"status": "running", "stages": {}})
    assert SavedRun.read(folder).status == "interrupted"
    with locked(folder):
        assert SavedRun.read(folder).status == "running"


def test_a_recipe_that_was_refused_says_why(save_run, refused):
    folder = save_run("digits/run/001", status="refused", note="x")
    stage = {"name": "find-lr", "status": "refused", **refused["suggestion"]}
    files.write_json(folder / "recipe.json", {"status": "refused", "stages": {"find-lr": stage}})
    run = SavedRun.read(folder)
    assert (run.status, run.suggestion) == ("refused", refused["suggestion"])
    assert (run.scores, run.resume) == (None, None)


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        ("manifest.json", None, r"result\.json: is missing, though|has no manifest"),
        ("manifest.json", "half", "cannot be read as JSON"),
        ("manifest.json", "[]", "must have keys and values"),
        ("result.json", None, "is missing, though the run is done"),
        ("result.json", '{"suggestion": {"value": "much", "verdict": "ok"}}', "suggestion.value"),
    ],
)
def test_a_damaged_run_is_refused_in_a_line(save_run, found, file, text, sentence):
    folder = save_run("digits/find-lr/001", **({} if text is None else found))
    (folder / file).unlink(missing_ok=True)
    if text is not None:
        (folder / file).write_text(text)
    with pytest.raises(ResultError, match=sentence) as refusal:
        SavedRun.read(folder)
    assert str(folder) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_scores_that_are_none(save_run, scores):
    folder = save_run("digits/train/001", **(scores | {"test_accuracy": "good"}))
    with pytest.raises(ResultError, match="test_accuracy must be a number; got good"):
        SavedRun.read(folder)


def test_a_folder_of_something_else(tmp_path):
    with pytest.raises(ResultError, match="is no run of onecycle"):
        SavedRun.read(tmp_path)
