import pytest

from onecycle_cli.errors import ResultError
from onecycle_cli.runs import files
from onecycle_cli.runs.reading.account import account
from onecycle_cli.runs.reading.saved_run import SavedRun
from onecycle_cli.runs.stores.urls import working_folder

CONFIG = {
    "batch_size": 8, "task": "multiclass", "loss": {"name": "mse"},
    "dataset": {"name": "digits"}, "model": {"name": "mlp"}, "optimizer": {"name": "sgd"},
    "train": {
        "cycles": [{"epochs": 2, "max_lr": None}, {"epochs": 3, "max_lr": 0.5}],
        "max_lr": 0.25, "momentum": {"max": 0.95, "min": 0.85}, "weight_decay": 0.01,
    },
}  # fmt: skip
MANIFEST = {
    "command": ["/somewhere/bin/onecycle", "train", "my digits.yaml"],
    "seed": 3, "backend": "tensorflow", "precision": "float32", "devices": 1, "status": "done",
    "origins": {"train.max_lr": "file", "train.momentum": "default", "train.weight_decay": "--set"},
}  # fmt: skip


@pytest.fixture
def told(save_run):
    def tell(place, config=CONFIG, manifest=MANIFEST, **result):
        folder = save_run(place, **result)
        files.write_yaml(folder / "config.yaml", config)
        files.write_json(folder / "manifest.json", manifest)
        return account(SavedRun.read(folder))

    return tell


def test_a_training(told, scores):
    cost = {"steps": 5, "epochs": 5.0, "training_runs": 1.0, "seconds": 2.5, "checkpoints": {}}
    more = {"max_lr": [0.25, 0.5], "sources": {"max_lr": ["file", "train.cycles.1.max_lr, file"]}}
    said = told("digits/train/001", cost=cost, caveats=["too few."], **scores, **more)
    assert said["scores"] == scores
    assert said["values"] == [
        {"key": "max_lr", "cycle": 1, "value": 0.25, "origin": "file"},
        {"key": "max_lr", "cycle": 2, "value": 0.5, "origin": "train.cycles.1.max_lr, file"},
        {"key": "momentum", "cycle": None, "value": {"max": 0.95, "min": 0.85},
         "origin": "default"},
        {"key": "weight_decay", "cycle": None, "value": 0.01, "origin": "--set"},
    ]  # fmt: skip
    assert said["cost"] == {key: cost[key] for key in ("steps", "epochs", "training_runs",
                                                       "seconds")}  # fmt: skip
    assert said["caveats"] == ["too few."]
    asked = said["asked"]
    assert asked["command"] == "onecycle train 'my digits.yaml'"
    assert (asked["epochs"], asked["batch_size"], asked["seed"]) == (5, 8, 3)
    assert said["files"] == ["config.yaml", "manifest.json", "result.json"]
    assert said["stages"] is None


def test_a_finder_does_not_count_what_it_seeks_among_what_was_used(told, found):
    assert [v["key"] for v in told("a/find-lr/001", **found)["values"]] == [
        "momentum", "weight_decay",
    ]  # fmt: skip
    decay = {"suggestion": found["suggestion"]}
    assert [(v["key"], v["value"]) for v in told("a/find-wd/001", **decay)["values"]] == [
        ("max_lr", 0.25), ("momentum", {"max": 0.95, "min": 0.85}),
    ]  # fmt: skip


def test_a_range_test_holds_momentum_at_what_its_conditions_say(told, found):
    said = told("a/find-lr/001", method="sweep", conditions={"momentum": 0.9}, **found)
    assert said["values"][0]["value"] == 0.9


def test_what_was_in_hand_has_its_own_names(told, found):
    names = {"dataset": "arrays (50, 3)", "model": "mine"}
    asked = told("a/find-lr/001", in_hand=names, **found)["asked"]
    assert (asked["dataset"], asked["model"]) == ("arrays (50, 3)", "mine")


def test_a_run_without_a_config(told, found):
    said = told("a/find-lr/001", config={}, manifest={"status": "done"}, **found)
    assert said["suggestion"] == found["suggestion"]
    assert said["asked"]["epochs"] is None
    assert [v["value"] for v in said["values"]] == [None, None]


@pytest.mark.parametrize("cycles", [5, ["no"], [{"epochs": "many"}], {"a": 1}])
def test_damaged_files_are_one_sentence(told, scores, cycles):
    with pytest.raises(ResultError, match=r"train/001: its files are damaged \("):
        told("a/train/001", config={"train": {"cycles": cycles}}, **scores)


def test_a_run_of_an_object_store_is_named_by_its_url(found, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = working_folder("s3://bucket/runs") / "digits/find-lr/001"
    files.write_json(folder / "manifest.json", MANIFEST)
    files.write_json(folder / "result.json", {"kind": "find-lr", **found})
    files.write_bytes(folder / "plot.png", b"")
    said = account(SavedRun.read(folder))
    assert said["folder"] == "s3://bucket/runs/digits/find-lr/001"
    assert said["pictures"] == ["s3://bucket/runs/digits/find-lr/001/plot.png"]
