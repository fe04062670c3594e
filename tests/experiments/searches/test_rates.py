import json

import numpy as np
import pytest
import yaml

from onecycle_cli import suggest
from onecycle_cli.config import load_config
from onecycle_cli.errors import ConfigError, ResultError
from onecycle_cli.experiments.find_lr import find_lr
from onecycle_cli.experiments.reread import suggest_again, write_suggestion
from onecycle_cli.experiments.searches import rates
from onecycle_cli.suggest import Family
from onecycle_cli.workbench.bench import Workbench

FILES = {
    "config.yaml",
    "curves.csv",
    "manifest.json",
    "plot.png",
    "report.html",
    "result.json",
    "suggestions.yaml",
    "trials.csv",
}


def probed(small, **sections):
    """A configuration that searches by probes; `small` has the keys of a range test."""
    find_lr = sections.pop("find_lr", {})
    return small(**sections) | {"find_lr": {"method": "probes"} | find_lr}


@pytest.fixture(scope="module")
def searched(small, tmp_path_factory):
    """182 batches of 8 in an epoch: nothing is seen twice by probes of 22 and 91 steps."""
    out = tmp_path_factory.mktemp("runs")
    config = probed(
        small,
        batch_size=8,
        dataset={"limit": None},
        train={"max_lr": "auto", "weight_decay": 1e-4},
    )
    return find_lr(config, out=out), out


def test_the_run_is_written_whole(searched, tree):
    result, out = searched
    run = {f"small/find-lr/001/{name}" for name in FILES - {"suggestions.yaml"}}
    assert tree(out) == run | {"small/suggestions.yaml"}
    saved = json.loads((result.folder / "result.json").read_text())
    assert saved["method"] == "probes"
    assert saved["suggestion"] == result.suggestion.as_dict()
    assert saved["min_lr"] == pytest.approx(result.suggestion.value / 10, rel=0.01)
    entry = yaml.safe_load((out / "small/suggestions.yaml").read_text())["max_lr"]
    assert entry["value"] == result.suggestion.value


def test_it_probes_shortly_first_and_longer_around_the_best(searched, table):
    """Of 364 steps: a 16th, then a quarter."""
    trials = table(searched[0].folder / "trials.csv")
    ladder, final = (trials["stage"] == stage for stage in ("ladder", "final"))
    assert set(trials["steps"][ladder]) == {23}
    assert set(trials["steps"][final]) == {91}
    _, best = min(zip(trials["score"][ladder], trials["max_lr"][ladder], strict=True))
    assert best in trials["max_lr"][final]
    assert {round(best * 10**d, 3) for d in (-0.375, 0.375)} <= {
        round(lr, 3) for lr in trials["max_lr"][final]
    }


def test_each_probe_is_a_complete_cycle_as_training_will_run_it(searched, table, smith):
    folder = searched[0].folder
    trials, curves = (table(folder / f"{name}.csv") for name in ("trials", "curves"))
    for i, (max_lr, steps) in enumerate(zip(trials["max_lr"], trials["steps"], strict=True)):
        lrs, momenta = smith(int(steps), max_lr)
        rows = curves["trial"] == i
        taken = rows.sum()
        np.testing.assert_allclose(curves["lr"][rows], lrs[:taken], rtol=1e-12)
        np.testing.assert_allclose(curves["momentum"][rows], momenta[:taken], rtol=1e-12)


def test_probes_start_alike_and_see_the_same_batches(searched):
    assert len({trial.losses[0] for trial in searched[0].trials}) == 1


def test_it_costs_what_its_steps_cost_and_no_more_than_was_said(searched):
    result, _ = searched
    assert result.cost.steps == sum(len(trial.losses) for trial in result.trials)
    assert result.cost.training_runs <= 1.5


@pytest.mark.harness
def test_the_model_learns_best_near_what_is_suggested(searched, small):
    """Against complete trainings: a tenth and thirty times of it do worse."""
    from onecycle_cli import train

    config = probed(small, batch_size=8, dataset={"limit": None})
    value = searched[0].suggestion.value

    def loss(lr):
        settings = {"max_lr": lr, "cycles": [{"epochs": 2}], "retries": 0}
        return train(config | {"train": settings}, out=None).history[-1].val_loss

    there = loss(value)
    assert there < loss(value / 10)
    assert there < loss(value * 30)


def test_it_can_be_computed_again_from_the_files(searched):
    result, _ = searched
    again = suggest_again(result.folder)
    assert again.not_recomputed == ""
    assert again.suggestion == result.suggestion
    write_suggestion(again)
    path = result.folder.parents[1] / "suggestions.yaml"
    reason = yaml.safe_load(path.read_text())["max_lr"]["reason"]
    assert reason.endswith("Computed again from the saved trials.")


@pytest.mark.parametrize("asked", [{"rule": "valley"}, {"bandwidth": 0.1}, {"skip_begin": 3}])
def test_rules_for_range_tests_are_refused(searched, asked):
    with pytest.raises(ResultError, match="are for the curves of range tests only"):
        suggest_again(searched[0].folder, **asked)


@pytest.mark.harness
def test_the_saved_config_gives_the_same_run_again(searched, tmp_path):
    result, _ = searched
    saved = result.folder / "config.yaml"
    settings = yaml.safe_load(saved.read_text())
    assert settings["find_lr"]["method"] == "probes"
    assert settings["train"]["momentum"] == {"max": 0.95, "min": 0.85}
    again = find_lr(saved, out=tmp_path)
    for name in ("trials.csv", "curves.csv"):
        assert (again.folder / name).read_bytes() == (result.folder / name).read_bytes()


def test_what_it_will_cost_is_said_before_anything_starts(small, listener):
    heard = []
    listener.begin = lambda title, steps: heard.append(len(listener.notes))
    find_lr(probed(small), out=None, observer=listener)
    said = listener.notes[: heard[0]]
    assert said[-2:] == [
        "complete 1cycles of 12 steps around max_lr 0.1, further if that is better, within 1e-05 "
        "and 10; then three or four of 24 steps around the best: sgd, momentum 0.95 to 0.85, l2 "
        "weight decay 0",
        "at most 144 steps = 24 epochs = 12 times the configured training",
    ]


@pytest.mark.harness
@pytest.mark.parametrize(("epochs", "is_said"), [(7, False), (200, True)])
def test_what_short_probes_cannot_see_is_said(small, listener, epochs, is_said):
    """Of 200 epochs of 6 steps, a probe of 100 steps sees 17; of 7, one of 24 sees 4."""
    config = probed(small, train={"cycles": [{"epochs": epochs}]})

    def stop(step):
        raise KeyboardInterrupt

    listener.each_step = stop
    with pytest.raises(KeyboardInterrupt):
        find_lr(config, out=None, observer=listener)
    assert any("overfitting can't be seen" in note for note in listener.notes) is is_said


@pytest.mark.samples(1)
@pytest.mark.parametrize(("budget", "most"), [(0.001, 144), (14, 168), (30, 360)])
def test_the_budget_is_in_training_runs_and_never_overrun(small, budget, most):
    found = find_lr(probed(small, find_lr={"budget": budget}), out=None)
    assert found.cost.steps <= most
    assert found.record.result["plan"]["budget"] == most


def test_rates_of_ones_own(small):
    found = find_lr(probed(small, find_lr={"rates": [0.2, 0.05, 1e4]}), out=None)
    assert [trial.candidate.max_lr for trial in found.trials] == [0.05, 0.2, 1e4]
    assert found.suggestion.accepted
    assert found.suggestion.value < 1


def test_rates_that_all_diverge(small):
    found = find_lr(probed(small, find_lr={"rates": [1e20, 1e30]}), out=None)
    assert found.suggestion.value is None


def test_a_probe_that_explodes_is_broken_off(small, table, tmp_path):
    found = find_lr(probed(small, find_lr={"rates": [0.1, 1e3]}), out=tmp_path)
    trials = table(found.folder / "trials.csv")
    assert trials["looks"].tolist() == ["good", "high"]
    assert np.isinf(trials["score"][1])
    assert len(found.trials[1].losses) < found.trials[1].steps


@pytest.mark.harness
def test_a_frozen_model_is_refused(small, user_model):
    frozen = user_model(
        """
        inputs = keras.Input(input_shape)
        x = keras.layers.Flatten()(inputs)
        layer = keras.layers.Dense(num_outputs, "softmax", trainable=False)
        idle = keras.layers.Rescaling(0.0)(keras.layers.Dense(num_outputs)(x))
        return keras.Model(inputs, keras.layers.Add()([layer(x), idle]))
        """
    )
    found = find_lr(probed(small) | {"model": frozen}, out=None)
    assert found.suggestion.verdict == "never_descended"


@pytest.mark.harness
def test_probes_that_see_examples_twice_are_checked_on_others(small, table, tmp_path):
    found = find_lr(probed(small), out=tmp_path)
    held_out = table(found.folder / "trials.csv")["held_out"]
    finite = [float(value) for value in held_out if value != ""]
    assert finite
    assert all(0 < value < 10 for value in finite)


@pytest.mark.harness
def test_an_interrupt_keeps_the_probes_that_were_finished(
    small, tmp_path, listener, table, results_in
):
    def interrupt(step):
        if len(listener.stretches) == 3:
            raise KeyboardInterrupt

    listener.each_step = interrupt
    with pytest.raises(KeyboardInterrupt):
        find_lr(probed(small), out=tmp_path, observer=listener)

    folder = tmp_path / "small/find-lr/001"
    kept = {"config.yaml", "curves.csv", "manifest.json", "trials.csv"}
    assert results_in(tmp_path) == {f"small/find-lr/001/{name}" for name in kept}
    assert table(folder / "trials.csv")["trial"].tolist() == [0, 1]
    assert json.loads((folder / "manifest.json").read_text())["status"] == "interrupted"

    whole = find_lr(probed(small), out=tmp_path / "whole")
    resumed = find_lr(resume=folder)
    assert resumed.suggestion == whole.suggestion
    for name in ("trials.csv", "curves.csv"):
        assert (folder / name).read_bytes() == (whole.folder / name).read_bytes()


@pytest.mark.parametrize(
    ("section", "method"),
    [
        ({}, "probes"),
        ({"max_lr": 1.0, "budget": 2}, "probes"),
        ({"repeats": 3}, "sweep"),
        ({"steps": 50, "method": "auto"}, "sweep"),
        ({"steps": 50, "method": "probes"}, "probes"),
        ({"steps": 50, "confirm": True}, "probes"),
        ({"steps": 50, "rates": [0.1, 0.2]}, "probes"),
        ({"method": "sweep"}, "sweep"),
    ],
)
def test_the_method_goes_by_what_is_given(small, section, method):
    assert load_config(small() | {"find_lr": section}).find_lr.method == method


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("confirm", True, "older name of method: probes"),
        ("rates", [0.1, 0.2], "rates is for method: probes"),
    ],
)
def test_what_only_probes_have_contradicts_a_sweep(small, key, value, message):
    with pytest.raises(ConfigError, match=message):
        load_config(small() | {"find_lr": {"method": "sweep", key: value}})


def test_the_first_rate_is_within_the_range(small):
    bench = Workbench.__new__(Workbench)
    bench.config = load_config(probed(small, find_lr={"min_lr": 0.2, "max_lr": 0.5}))
    bench.steps_per_epoch = 100
    plan = rates.plan_of(bench, Family(first=0.1, shift=0.0))
    assert (plan.first, plan.budget) == (0.2, 300)
    assert suggest.SearchPlan(300, 0.2, 0.2, 0.5) == plan


@pytest.mark.harness
def test_a_quick_search_is_shorter_and_says_so_when_it_is_resumed_too(small, tmp_path, listener):
    """Of 910 steps, the usual search may take 600, and a quick one 150."""
    config = probed(
        small,
        batch_size=8,
        dataset={"limit": None},
        train={"cycles": [{"epochs": 5}]},
        find_lr={"budget": "quick"},
    )

    def interrupt(step):
        if step == 40:
            raise KeyboardInterrupt

    listener.each_step = interrupt
    with pytest.raises(KeyboardInterrupt):
        find_lr(config, out=tmp_path, observer=listener)
    result = find_lr(resume=tmp_path / "small", out=tmp_path)

    assert "a quick search: at most 150 steps where 600 are usual" in listener.notes
    assert 100 < result.cost.steps <= 150
    saved = json.loads((result.folder / "result.json").read_text())
    assert (saved["plan"]["budget"], saved["plan"]["usual"]) == (150, 600)
    assert [text[:24] for text in saved["caveats"]] == ["This was a quick search,"]
    entry = yaml.safe_load((tmp_path / "small/suggestions.yaml").read_text())["max_lr"]
    assert "search without --quick to be sure" in entry["reason"]
    assert suggest_again(result.folder).suggestion == result.suggestion
