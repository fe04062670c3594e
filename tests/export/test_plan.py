import json

import pytest
import yaml

from onecycle_cli.errors import ResultError
from onecycle_cli.export import read_plan


@pytest.fixture
def run(tmp_path, config):
    """Write the files of a run that an export reads."""

    def write(kind, result=(), train=(), **sections):
        folder = tmp_path / kind / "001"
        folder.mkdir(parents=True)
        said = {"kind": kind, "label": f"digits/{kind}/001", **dict(result)}
        origins = {"train.max_lr": "suggestion of digits/find-lr/001", "train.momentum": "default"}
        (folder / "result.json").write_text(json.dumps(said))
        (folder / "config.yaml").write_text(yaml.safe_dump(config(train, **sections)))
        (folder / "manifest.json").write_text(json.dumps({"origins": origins}))
        return folder

    return write


def test_a_training(run):
    events = [{"what": "diverged"}]
    plan = read_plan(run("train", {"steps_per_epoch": 23, "events": events}))

    assert (plan.label, plan.max_lrs, plan.weight_decay) == ("digits/train/001", [0.1], 0.01)
    assert (plan.momentum.max, plan.momentum.min, plan.decay_kind) == (0.95, 0.85, "l2")
    assert (plan.epochs, plan.steps_per_epoch, plan.divergences) == ([20], 23, 1)
    assert plan.sources == {
        "max_lr": "suggestion of digits/find-lr/001",
        "momentum": "default",
        "weight_decay": "not on record",
    }


def test_each_cycle_may_have_a_rate_of_its_own(run):
    cycles = [{"epochs": 4, "max_lr": None}, {"epochs": 3, "max_lr": 0.005}]
    assert read_plan(run("train", train={"cycles": cycles})).max_lrs == [0.1, 0.005]
    own = [{"epochs": 4, "max_lr": 0.2}, {"epochs": 3, "max_lr": 0.005}]
    plan = read_plan(run("find-wd", found(0.0), {"cycles": own, "max_lr": "auto"}))
    assert (plan.max_lrs, plan.sources["max_lr"]) == ([0.2, 0.005], "of each cycle")


def found(value, **more):
    suggestion = {"value": value, "verdict": "undecided", "reason": "all alike."}
    return {"suggestion": suggestion, "training_steps": 460} | more


def test_what_a_finder_found_says_how_sure_it_was(run):
    plan = read_plan(run("find-wd", found(0.003)))
    assert plan.weight_decay == 0.003, "and not what the config has fixed"
    assert plan.sources["weight_decay"] == "found by this run, undecided"
    assert plan.steps_per_epoch == 23


@pytest.mark.parametrize(
    ("optimizer", "rate"), [("sgd", 0.2), ("adam", 0.1)], ids=["steps grow", "steps do not"]
)
def test_the_rate_goes_with_the_momentum_that_was_found(run, optimizer, rate):
    """As in a training: 0.1 at 0.9 makes steps of the size that 0.2 makes at 0.8."""
    result = found({"max": 0.85, "min": 0.75}, reference=0.9)
    plan = read_plan(run("find-momentum", result, optimizer={"name": optimizer}))
    assert (plan.max_lrs, plan.momentum.max) == ([rate], 0.85)


def test_a_rate_that_was_fixed_stays(run):
    folder = run("find-momentum", found({"max": 0.8, "min": 0.8}, reference=0.9))
    (folder / "manifest.json").unlink()
    assert read_plan(folder).max_lrs == [0.1]


@pytest.mark.parametrize(
    ("kind", "key"),
    [("find-lr", "max_lr"), ("find-momentum", "momentum"), ("find-wd", "weight_decay")],
)
def test_what_was_not_found_is_not_made_up(run, kind, key):
    """Nor taken from the config, which has an earlier suggestion."""
    nothing = {"value": None, "verdict": "non_finite", "reason": "no loss is finite."}
    with pytest.raises(ResultError, match=rf"no {key} to export: no loss is finite; give a run"):
        read_plan(run(kind, {"suggestion": nothing}))


def test_what_is_still_open_is_not_made_up(run):
    with pytest.raises(ResultError, match="has found no max_lr to export"):
        read_plan(run("find-wd", found(0.1), {"max_lr": "auto"}))


def test_a_damaged_configuration_is_named(run):
    folder = run("train", train={"momentum": {"max": 2}})
    with pytest.raises(ResultError, match=r"digits/train/001: its config.yaml is damaged"):
        read_plan(folder)


def test_a_curve_alone_says_nothing_of_a_training(tmp_path):
    (tmp_path / "lrs.npy").write_bytes(b"")
    with pytest.raises(ResultError, match="holds a curve only"):
        read_plan(tmp_path)
