"""The whole recipe: what each stage is given, how it ends, and how it is taken up again."""

import json

import keras
import numpy as np
import pytest
import yaml

import onecycle_cli
from onecycle_cli.config import load_config
from onecycle_cli.errors import ConfigError, DataError, ResultError
from onecycle_cli.experiments.recipe.run import foresee, run
from onecycle_cli.runs import files, finding, run_folder

FINISHED = ["done"] * 4


@pytest.fixture(scope="module")
def recipe_config(small):
    """Return a configuration in which all is to be found, in a second or two."""

    def make(**sections):
        train = {"max_lr": "auto", "cycles": [{"epochs": 2}]} | sections.pop("train", {})
        find_lr = {"steps": 40, "repeats": 2} | sections.pop("find_lr", {})
        return small(train=train, find_lr=find_lr, **sections)

    return make


@pytest.fixture(scope="module")
def whole(recipe_config, tmp_path_factory):
    """A recipe that nothing interrupts: its result and the folder of runs."""
    out = tmp_path_factory.mktemp("whole")
    return run(recipe_config(), out=out), out


def statuses(result):
    return [stage.status for stage in result.recipe.stages.values()]


def values(result):
    return {name: stage.value for name, stage in result.recipe.stages.items()}


def numbers(folder):
    return [path.name for path in folder.iterdir() if path.name != "latest"]


def recorded(folder):
    return json.loads((folder / "recipe.json").read_text())


def weights(folder):
    return keras.saving.load_model(folder / "model.keras").get_weights()


class Stop(BaseException):
    """What no handler expects: the nearest thing to a kill that a test can survive."""


def interrupted(config, out, listener, *, stage, step=1, error=KeyboardInterrupt):
    """Carry a recipe out until a step of a stage."""

    def count(_):
        begun = [note for note in listener.notes if note.startswith("stage ")]
        if begun and begun[-1].endswith(f": {stage}"):
            listener.passed += 1
            if listener.passed == step:
                raise error

    listener.passed = 0
    listener.each_step = count
    with pytest.raises(error):
        run(config, out=out, observer=listener)


def test_each_stage_uses_what_those_before_it_found_and_leaves_its_run(whole):
    result, out = whole
    stages = result.recipe.stages
    lr, decay, momentum = (stages[n].value for n in ("find-lr", "find-wd", "find-momentum"))

    assert statuses(result) == FINISHED
    assert stages["find-wd"].conditions["max_lr"] == lr
    assert stages["find-momentum"].conditions["max_lr"] == lr
    assert stages["find-momentum"].conditions["weight_decay"] == decay
    trained = json.loads((out / stages["train"].folder / "result.json").read_text())
    assert (trained["max_lr"], trained["weight_decay"], trained["momentum"]) == (
        [lr], decay, momentum,
    )  # fmt: skip
    assert trained["sources"]["weight_decay"] == "suggestion of small/find-wd/001"
    assert stages["train"].scores["test_accuracy"] == trained["test_accuracy"]
    on_file = yaml.safe_load((out / "small/suggestions.yaml").read_text())
    assert {key: entry["value"] for key, entry in on_file.items()} == {
        "max_lr": lr, "momentum": momentum, "weight_decay": decay,
    }  # fmt: skip
    for name, key in (("find-lr", "max_lr"), ("find-wd", "weight_decay")):
        assert stages[name].conditions == on_file[key]["conditions"]


@pytest.mark.harness
def test_one_model_for_all_gives_the_bits_of_single_commands(whole, recipe_config, tmp_path):
    _, out = whole
    config = recipe_config()
    onecycle_cli.find_lr(config, out=tmp_path)
    onecycle_cli.find_wd(config, out=tmp_path)
    onecycle_cli.find_momentum(config, out=tmp_path)
    onecycle_cli.train(config, out=tmp_path)

    for file in (
        "find-lr/001/curve.csv", "find-wd/001/curves.csv", "find-momentum/001/curves.csv",
        "train/001/steps.csv", "train/001/history.csv",
    ):  # fmt: skip
        assert (out / "small" / file).read_bytes() == (tmp_path / "small" / file).read_bytes()


def test_the_recipe_is_recorded(whole):
    result, out = whole
    assert result.folder == out / "small/run/001"
    assert {p.name for p in result.folder.iterdir()} == {
        "recipe.json", "manifest.json", "config.yaml", "report.html", "result.json", "summary.md",
    }  # fmt: skip
    recipe = recorded(result.folder)
    assert (recipe["schema_version"], recipe["status"]) == (1, "done")
    stage = recipe["stages"]["find-lr"]
    assert stage["folder"] == "small/find-lr/001"
    assert stage["cost"].keys() == stage["predicted"].keys() == {
        "steps", "epochs", "training_runs", "seconds",
    }  # fmt: skip
    found = json.loads((result.folder / "result.json").read_text())
    trained = json.loads((out / "small/train/001/result.json").read_text())
    shared = ("test_accuracy", "test_loss", "val_accuracy_last", "val_accuracy_best")
    assert {k: found[k] for k in shared} == {k: trained[k] for k in shared}
    assert found["max_lr"] == result.recipe.stages["find-lr"].value
    assert found["runs"]["train"] == "small/train/001"
    assert "| find-wd |" in (result.folder / "summary.md").read_text()
    assert json.loads((result.folder / "manifest.json").read_text())["status"] == "done"


def test_the_training_is_what_a_recipe_is_drawn_as(whole):
    result, out = whole
    assert finding.find_run(result.folder) == out / "small/train/001"
    assert finding.find_run(out / "small") == out / "small/train/001"


@pytest.mark.harness
def test_nothing_is_written_where_nothing_is_asked_for(whole, recipe_config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(recipe_config(), out=None)

    assert values(result) == values(whole[0])
    assert result.recipe.stages["train"].scores == whole[0].recipe.stages["train"].scores
    assert [p for p in tmp_path.iterdir() if p.suffix != ".npz"] == []


# --- resuming -----------------------------------------------------------------------------------


@pytest.mark.samples(1)
@pytest.mark.parametrize(
    ("stage", "error", "left"),
    [
        ("find-wd", KeyboardInterrupt, ["done", "interrupted", "pending", "pending"]),
        ("train", Stop, ["done", "done", "done", "failed"]),
    ],
)
def test_a_recipe_that_breaks_off_is_taken_up(
    whole, recipe_config, tmp_path, listener, stage, error, left
):
    interrupted(recipe_config(), tmp_path, listener, stage=stage, step=8, error=error)
    folder = tmp_path / "small/run/001"
    assert [s["status"] for s in recorded(folder)["stages"].values()] == left

    resumed = run(recipe_config(), resume=tmp_path / "small")

    assert resumed.folder == folder
    assert statuses(resumed) == FINISHED
    assert values(resumed) == values(whole[0])
    assert resumed.recipe.stages["train"].scores == whole[0].recipe.stages["train"].scores
    trained = resumed.recipe.stages["train"].folder
    for ours, theirs in zip(
        weights(tmp_path / trained), weights(whole[1] / "small/train/001"), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    assert numbers(tmp_path / "small/find-lr") == ["001"]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["status"] == "done"
    assert len(manifest["resumed"]) == 1


@pytest.mark.harness
def test_after_a_kill_between_stages_only_the_rest_is_done(whole, recipe_config, tmp_path):
    """As a kill leaves it: the first stage is settled, the next one is said to be running."""
    source = whole[1] / "small"
    folder = tmp_path / "small/run/007"
    folder.mkdir(parents=True)
    for name in ("manifest.json", "config.yaml"):
        (folder / name).write_bytes((source / "run/001" / name).read_bytes())
    recipe = recorded(source / "run/001") | {"status": "running"}
    for name in ("find-wd", "find-momentum", "train"):
        recipe["stages"][name] = {"name": name, "status": "pending"}
    recipe["stages"]["find-wd"]["status"] = "running"
    (folder / "recipe.json").write_text(json.dumps(recipe))

    resumed = run(recipe_config(), out="elsewhere", resume=folder)

    assert values(resumed) == values(whole[0])
    assert not (tmp_path / "small/find-lr").exists()
    ours, theirs = (o / "small/train/001/steps.csv" for o in (tmp_path, whole[1]))
    assert ours.read_bytes() == theirs.read_bytes()


def test_what_is_finished_is_not_done_again(whole, recipe_config):
    result, out = whole
    again = run(recipe_config(), out=out, resume=result.folder)

    assert again.recipe == result.recipe
    assert numbers(out / "small/train") == ["001"]
    with pytest.raises(ConfigError, match=r"holds no unfinished recipe; give the folder of one"):
        run(recipe_config(), resume=out / "small")


def test_another_config_is_refused_and_the_difference_named(whole, recipe_config):
    other = recipe_config(batch_size=32, model={"name": "mlp", "options": {"hidden": 8}})
    with pytest.raises(ConfigError) as error:
        run(other, out=whole[1], resume=whole[0].folder)

    text = str(error.value)
    assert "was started with another config: batch_size 64, now 32, " in text
    assert "model.options.hidden 16, now 8" in text
    assert "dataset" not in text


@pytest.mark.harness
def test_other_data_are_refused(recipe_config, tmp_path, listener, arrays):
    config = recipe_config(
        dataset=arrays, batch_size=8, model={"name": "mlp", "options": {}}, find_lr={"repeats": 1}
    )
    interrupted(config, tmp_path / "out", listener, stage="find-lr", step=2)
    changed = dict(np.load(arrays["path"]))
    changed["y_train"] += 1
    np.savez(arrays["path"], **changed)

    with pytest.raises(ConfigError, match="was started with other data: the data changed since"):
        run(config, resume=tmp_path / "out/small")


@pytest.mark.harness
def test_another_model_file_is_refused(recipe_config, tmp_path, listener, user_model):
    """Also for the stages that are still to come."""
    body = """
    from helper import WIDTH
    x = keras.layers.Flatten()(inputs := keras.Input(input_shape))
    x = keras.layers.Dense(num_outputs, activation="softmax")(keras.layers.Dense(WIDTH)(x))
    return keras.Model(inputs, x)
    """
    helper = tmp_path / "helper.py"
    helper.write_text("WIDTH = 3")
    config = recipe_config() | {"model": user_model(body)}
    interrupted(config, tmp_path / "out", listener, stage="find-lr", step=2)
    helper.write_text("WIDTH = 4")

    with pytest.raises(ConfigError, match=r"what the model's file imports: helper\.py"):
        run(config, resume=tmp_path / "out/small")


def test_a_recipe_that_is_running_is_left_alone(recipe_config, tmp_path, listener):
    interrupted(recipe_config(), tmp_path, listener, stage="find-lr")
    with (
        run_folder.locked(tmp_path / "small/run/001"),
        pytest.raises(ResultError, match="another process is at work on it"),
    ):
        run(recipe_config(), resume=tmp_path / "small")


def test_the_message_says_how_to_go_on(recipe_config, tmp_path, listener):
    listener.each_step = lambda _: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt) as error:
        run(recipe_config(), out=tmp_path, observer=listener)
    assert error.value.__notes__ == [
        f"what is finished is kept; 'onecycle run --resume {tmp_path}/small/run/001' goes on."
    ]


def test_a_recipe_broken_off_as_soon_as_a_file_is_there_goes_on(
    recipe_config, tmp_path, monkeypatch
):
    """At each new state of the stages it is broken off behind each file of its own in turn."""
    folder, broken_off_at = tmp_path / "small/run/001", []
    go_on = {"out": tmp_path, "skip": ["find-wd", "find-momentum"]}
    write = files.write_bytes

    def write_and_break_off(path, data):
        write(path, data)
        files_of_its_own = ("recipe.json", "summary.md", "result.json", "report.html")
        if path.parent != folder or path.name not in files_of_its_own:
            return
        recipe = recorded(folder)
        state = (path.name, [stage["status"] for stage in recipe["stages"].values()])
        breaking_off = path.name == "recipe.json" and recipe["status"] == "interrupted"
        if not breaking_off and state not in broken_off_at:
            broken_off_at.append(state)
            raise KeyboardInterrupt

    monkeypatch.setattr(files, "write_bytes", write_and_break_off)
    for _ in range(20):
        try:
            result = run(recipe_config(), **go_on)
            break
        except KeyboardInterrupt as error:
            if go_on == {"resume": folder}:  # it was under way
                assert f"'onecycle run --resume {folder}' goes on." in error.__notes__[0]
                assert recorded(folder)["status"] == "interrupted"
            go_on = {"resume": folder}

    assert [(name, states[0], states[-1]) for name, states in broken_off_at] == [
        ("recipe.json", "pending", "pending"),
        ("recipe.json", "running", "pending"),
        ("recipe.json", "done", "pending"),
        ("recipe.json", "done", "running"),
        ("recipe.json", "done", "done"),
        ("summary.md", "done", "done"),
        ("result.json", "done", "done"),
        ("report.html", "done", "done"),
    ]
    assert statuses(result) == ["done", "skipped", "skipped", "done"]
    assert [numbers(tmp_path / "small" / kind) for kind in ("find-lr", "train")] == [["001"]] * 2


# --- stages that are not searched ---------------------------------------------------------------


def test_what_the_config_fixes_or_the_user_leaves_out_is_not_searched(
    recipe_config, tmp_path, listener
):
    config = recipe_config(train={"max_lr": 0.1})
    result = run(config, out=tmp_path, observer=listener, skip=["find-wd", "find-momentum"])

    assert statuses(result) == ["skipped", "skipped", "skipped", "done"]
    notes = {name: stage.note for name, stage in result.recipe.stages.items()}
    assert notes["find-lr"] == "train.max_lr, file"
    assert notes["find-wd"] == "left out; the default 0 is used"
    assert {p.name for p in (tmp_path / "small").iterdir()} == {"train", "run"}


@pytest.mark.harness
def test_suggestions_on_file_are_not_used_unless_a_stage_is_left_out(
    whole, recipe_config, tmp_path
):
    entry = {"value": 0.02, "run": "small/find-wd/009"}
    files.write_yaml(tmp_path / "small/suggestions.yaml", {"weight_decay": entry})
    fresh = run(recipe_config(), out=tmp_path)
    assert values(fresh) == values(whole[0])

    files.write_yaml(tmp_path / "small/suggestions.yaml", {"weight_decay": entry})
    skipping = run(recipe_config(), out=tmp_path, skip=["find-wd", "find-momentum"])
    assert skipping.recipe.stages["find-wd"].value == 0.02
    trained = tmp_path / skipping.recipe.stages["train"].folder / "result.json"
    assert json.loads(trained.read_text())["weight_decay"] == 0.02


@pytest.mark.harness
def test_reuse_takes_what_was_found_under_the_same_conditions(whole, recipe_config):
    _, out = whole
    recipe = foresee(recipe_config(), out=out, reuse=True)
    assert [s.status for s in recipe.stages.values()] == ["reused"] * 3 + ["pending"]
    assert [s.value for s in recipe.stages.values()][:3] == list(values(whole[0]).values())[:3]

    other = foresee(recipe_config(batch_size=32), out=out, reuse=True)
    assert [s.status for s in other.stages.values()] == ["pending"] * 4


# --- refusals and failures ----------------------------------------------------------------------


def test_without_a_learning_rate_nothing_is_trained(recipe_config, tmp_path):
    config = recipe_config(find_lr={"min_lr": 1e-9, "max_lr": 1e-8, "repeats": 1})
    result = run(config, out=tmp_path)

    assert result.refused
    assert statuses(result) == ["refused", "pending", "pending", "pending"]
    assert not (tmp_path / "small/train").exists()
    assert json.loads((result.folder / "result.json").read_text())["status"] == "refused"


def test_a_search_that_suggests_nothing_leaves_the_default(recipe_config, tmp_path, listener):
    config = recipe_config(
        train={"max_lr": 0.1, "cycles": [{"epochs": 1}]},
        find_wd={"values": [1e30, 1e31]},
    )
    result = run(config, out=tmp_path, observer=listener, skip=["find-momentum"])

    decay = result.recipe.stages["find-wd"]
    assert (decay.status, decay.value, decay.note) == ("refused", 0.0, "the default 0 is used")
    assert any(w.startswith("find-wd suggests nothing: no candidate") for w in listener.warnings)
    assert result.recipe.stages["train"].status == "done"


def test_a_training_that_fails_can_be_taken_up(recipe_config, tmp_path):
    config = recipe_config(train={"max_lr": 1e30}, optimizer={"name": "sgd"})
    skip = ["find-wd", "find-momentum"]
    with pytest.raises(onecycle_cli.OnecycleError, match="not finite"):
        run(config, out=tmp_path, skip=skip)

    recipe = recorded(tmp_path / "small/run/001")
    assert recipe["status"] == recipe["stages"]["train"]["status"] == "failed"
    assert "not finite" in recipe["stages"]["train"]["note"]


def test_data_that_are_missing_leave_no_folder(recipe_config, tmp_path, arrays):
    config = load_config(recipe_config(dataset=arrays, batch_size=4000))
    with pytest.raises(DataError):
        run(config, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


# --- the forecast -------------------------------------------------------------------------------


def test_the_forecast_names_every_stage_and_is_kept(whole, recipe_config, tmp_path, listener):
    recipe = foresee(recipe_config(), out=tmp_path / "out", observer=listener)

    assert not (tmp_path / "out").exists()
    steps = {name: stage.predicted["steps"] for name, stage in recipe.stages.items()}
    assert steps == {"find-lr": 80, "find-wd": 48, "find-momentum": 48, "train": 12}
    for stage in whole[0].recipe.stages.values():
        assert stage.cost["steps"] <= stage.predicted["steps"] == steps[stage.name]
        assert stage.predicted["seconds"] > 0
    assert whole[0].recipe.stages["train"].cost["steps"] == 12
