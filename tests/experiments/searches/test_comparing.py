import json

import numpy as np
import pytest
import yaml

from onecycle_cli.errors import ConfigError, ResultError
from onecycle_cli.experiments.find_momentum import find_momentum
from onecycle_cli.experiments.find_wd import find_wd
from onecycle_cli.runs import files, records
from onecycle_cli.suggest import ON_NEW_BATCHES, ON_VALIDATION

FILES = {
    "config.yaml", "trials.csv", "curves.csv", "manifest.json", "plot.png", "report.html",
    "result.json",
}  # fmt: skip
NOISY = {"options": {"hidden": 16, "layers": 1, "dropout": 0.5}}


@pytest.fixture(scope="module")
def decays(small, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    return find_wd(small(model=NOISY), out=out), out


@pytest.fixture(scope="module")
def momenta(small, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    return find_momentum(small(train={"weight_decay": 1e-3}), out=out), out


def test_the_runs_are_written_whole(decays, momenta, tree):
    for (_, out), kind in ((decays, "find-wd"), (momenta, "find-momentum")):
        written = {f"small/{kind}/001/{name}" for name in FILES}
        assert tree(out) == written | {"small/suggestions.yaml"}


def test_a_trial_is_a_row_and_its_steps_are_rows(decays, table):
    result, _ = decays
    trials, curves = (table(result.folder / f"{name}.csv") for name in ("trials", "curves"))

    assert list(trials) == [
        "trial", "weight_decay", "stage", "replicate", "lr", "momentum_max", "momentum_min",
        "steps", "score",
    ]  # fmt: skip
    assert trials["weight_decay"].tolist() == [1e-4, 1e-2]
    assert trials["replicate"].tolist() == [0, 0]
    assert trials["stage"].tolist() == ["first", "first"]
    assert trials["lr"].tolist() == [0.1] * 2
    assert (trials["momentum_max"] == 0.95).all() and (trials["momentum_min"] == 0.85).all()
    assert trials["score"].tolist() == [t.score for t in result.trials]
    assert list(curves) == ["trial", "step", "lr", "momentum", "loss"]
    for i, trial in enumerate(result.trials):
        rows = curves["trial"] == i
        assert curves["step"][rows].tolist() == list(range(12))
        assert curves["loss"][rows].tolist() == trial.losses


def test_every_trial_is_a_complete_cycle(decays, table, smith):
    curves = table(decays[0].folder / "curves.csv")
    lrs, expected_momenta = smith(12, 0.1)

    for i in range(2):
        rows = curves["trial"] == i
        np.testing.assert_allclose(curves["lr"][rows], lrs, rtol=1e-12)
        np.testing.assert_allclose(curves["momentum"][rows], expected_momenta, rtol=1e-12)


@pytest.mark.parametrize("which", ["decays", "momenta"])
def test_candidates_start_alike_and_replicates_differ(which, request):
    """With dropout too: same weights, same batch and same noise give the same first loss."""
    result, _ = request.getfixturevalue(which)
    first = {(t.candidate.value, t.replicate): t.losses[0] for t in result.trials}
    replicates = {replicate for _, replicate in first}

    for replicate in replicates:
        assert len({loss for (_, r), loss in first.items() if r == replicate}) == 1
    assert len(set(first.values())) == len(replicates)
    last = {t.losses[-1] for t in result.trials}
    assert len(last) == len(result.trials)


def test_ranges_of_momentum_run_at_one_step_size(momenta, table):
    """Each value is the middle of a range, which is what will be suggested."""
    result, _ = momenta
    trials, curves = (table(result.folder / f"{name}.csv") for name in ("trials", "curves"))

    assert trials["momentum"][:2].tolist() == [0.5, 0.9]
    np.testing.assert_allclose(trials["lr"][:2], [0.5, 0.1])
    for i, (high, low) in enumerate([(0.55, 0.45), (0.95, 0.85)]):
        momentum = curves["momentum"][curves["trial"] == i]
        assert (momentum.max(), momentum.min()) == (high, low)
        peak = curves["lr"][curves["trial"] == i].max()
        assert peak == pytest.approx(0.1 * (1 - (high + low) / 2) / 0.1)


@pytest.mark.harness
def test_momentum_may_be_held_constant(small, table, tmp_path):
    config = small(find_momentum={"width": 0, "repeats": 1})
    result = find_momentum(config, out=tmp_path)
    curves = table(result.folder / "curves.csv")
    sizes = curves["lr"] / (1 - curves["momentum"])
    np.testing.assert_allclose(sizes[curves["trial"] == 0], sizes[curves["trial"] == 1])
    for i, momentum in enumerate([0.5, 0.9]):
        assert set(curves["momentum"][curves["trial"] == i]) == {momentum}
    assert result.suggestion.value == {"max": result.best, "min": result.best}


def test_an_optimizer_that_normalises_its_steps_runs_at_one_rate(small, listener):
    config = small(optimizer={"name": "adam"}, find_momentum={"repeats": 1, "width": 0})
    result = find_momentum(config, out=None, observer=listener)

    assert {t.candidate.max_lr for t in result.trials} == {0.1}
    assert len({t.losses[1] for t in result.trials}) == 1  # the first step of Adam has one size
    assert len({t.losses[2] for t in result.trials}) == 2
    assert [outcome.split()[0] for outcome in listener.outcomes] == ["loss"] * 2
    assert listener.stretches == [
        ("first try 1, momentum 0.5", 12),
        ("first try 2, momentum 0.9", 12),
    ]


def test_a_fixed_rate_that_does_not_go_with_the_momentum_found_is_told(small, listener):
    """The comparison keeps lr / (1 - momentum); a training at a fixed rate would not."""
    config = small(find_momentum={"values": [0.5, 0.6], "repeats": 1})
    result = find_momentum(config, out=None, observer=listener)
    (best,) = {t.candidate.max_lr for t in result.trials if t.candidate.value == result.best}
    told = [w for w in listener.warnings if "train.max_lr" in w]
    assert told and f"max_lr {best:.3g}" in told[0]


def test_suggestions_say_what_they_were_made_with(decays, momenta):
    decay = yaml.safe_load((decays[1] / "small/suggestions.yaml").read_text())
    momentum = yaml.safe_load((momenta[1] / "small/suggestions.yaml").read_text())

    assert list(decay) == ["weight_decay"]
    assert decay["weight_decay"]["value"] == decays[0].suggestion.value
    assert decay["weight_decay"]["run"] == "small/find-wd/001"
    conditions = decay["weight_decay"]["conditions"]
    assert (conditions["max_lr"], conditions["momentum"]) == (0.1, {"max": 0.95, "min": 0.85})
    assert "weight_decay" not in conditions
    assert list(momentum) == ["momentum"]
    assert momentum["momentum"]["value"].keys() == {"max", "min"}
    conditions = momentum["momentum"]["conditions"]
    assert (conditions["max_lr"], conditions["weight_decay"]) == (0.1, 1e-3)


def test_the_result_is_read_back(momenta):
    result, _ = momenta
    saved = json.loads((result.folder / "result.json").read_text())

    assert (saved["kind"], saved["label"]) == ("find-momentum", "small/find-momentum/001")
    assert saved["best"] == result.best
    assert set(saved["differences"]) == {str(c) for c in result.differences}
    assert (saved["decay"], saved["momentum_name"]) == ("l2", "momentum")
    assert saved["cost"]["steps"] == 12 * len(result.trials)
    assert saved["scored_on"] == ON_VALIDATION
    assert records.read_record(result.folder).kind == "find-momentum"


@pytest.mark.samples(1)
@pytest.mark.parametrize(("which", "find"), [("decays", find_wd), ("momenta", find_momentum)])
def test_the_saved_config_gives_the_same_bytes(which, find, request, tmp_path):
    result, _ = request.getfixturevalue(which)
    again = find(result.folder / "config.yaml", out=tmp_path)

    for name in ("trials.csv", "curves.csv"):
        assert (again.folder / name).read_bytes() == (result.folder / name).read_bytes()
    assert again.suggestion == result.suggestion
    before, after = (
        yaml.safe_load((r.folder / "config.yaml").read_text()) for r in (result, again)
    )
    assert before == after
    del before["search"]  # where it runs: no value of the training
    assert "auto" not in json.dumps(before)


def test_short_trials_are_judged_on_new_batches_and_long_ones_on_the_validation_split(
    decays, small, listener
):
    assert json.loads((decays[0].folder / "result.json").read_text())["scored_on"] == ON_VALIDATION
    assert all(len(t.scored) == 40 for t in decays[0].trials)

    config = small(batch_size=16, find_wd={"steps": 20, "repeats": 1})
    result = find_wd(config, out=None, observer=listener)
    assert listener.notes[2:] == [
        f"2 values, each by a complete 1cycle of 20 steps; judged on the {ON_NEW_BATCHES}",
        "at most 40 steps = 1.7 epochs = 87 % of the configured training",
    ]
    for trial in result.trials:
        assert trial.scored.tolist() == trial.losses[-4:]


@pytest.mark.harness
def test_the_usual_decays_go_with_their_kind(small, listener):
    usual = {"values": "auto", "refine": False, "repeats": 1}
    result = find_wd(small(find_wd=usual), out=None)
    assert [t.candidate.value for t in result.trials] == [0.0, 1e-4, 1e-3, 1e-2]
    config = small(optimizer={"decay": "decoupled"}, find_wd=usual)
    result = find_wd(config, out=None, observer=listener)
    assert [t.candidate.value for t in result.trials] == [0.0, 1e-3, 1e-2, 1e-1]


def test_probes_take_a_fifth_of_the_training(small):
    config = small(train={"cycles": [{"epochs": 30}]}, find_wd={"steps": "auto", "repeats": 1})
    result = find_wd(config, out=None)
    assert {t.steps for t in result.trials} == {36}


@pytest.mark.harness
def test_what_is_usual_goes_with_rate_and_momentum(small):
    """Six steps an epoch: weights forget within eight of them, if nothing speaks against it."""
    for momentum, decay in (({"max": 0.95, "min": 0.85}, 0.1), ({"max": 0.0, "min": 0.0}, 1.0)):
        config = small(train={"momentum": momentum, "max_lr": 3.0}, find_wd={"repeats": 1})
        result = find_wd(config, out=None)
        expected = decay / (8 * 6 * 0.55 * 3.0 * 2)
        assert result.record.result["usual"] == pytest.approx(min(2e-3, expected))
    config = small(optimizer={"name": "adam"}, find_wd={"repeats": 1})
    assert find_wd(config, out=None).record.result["usual"] == 5e-4


def test_those_that_cannot_be_told_apart_run_again(momenta, table):
    result, _ = momenta
    trials = table(result.folder / "trials.csv")
    again = trials["replicate"] == 1
    assert set(trials["stage"][again]) <= {"again"}
    losses = {(t.candidate.value, t.replicate): t.losses for t in result.trials}
    for value in trials["momentum"][again]:
        assert losses[value, 0][0] != losses[value, 1][0]  # other weights, other batches


@pytest.mark.harness
def test_the_best_decay_is_refined_by_half_a_decade(small):
    result = find_wd(small(find_wd={"refine": True, "repeats": 1}), out=None)

    coarse = {t.candidate.value: t.score for t in result.trials[:2]}
    fine = [t.candidate.value for t in result.trials[2:]]
    best = min(coarse, key=coarse.get)
    assert fine[0] == {1e-2: 3e-2, 1e-4: 3e-4}[best]
    assert len(fine) == 2


@pytest.mark.harness
def test_a_loss_near_zero_that_wavers_is_no_divergence(small):
    """Four times the lowest loss is no sign of harm where the lowest is nearly nothing."""
    config = small(
        dataset={"limit": 60}, find_wd={"steps": 150, "repeats": 1}, train={"max_lr": 0.3}
    )
    result = find_wd(config | {"batch_size": 8}, out=None)

    for trial in result.trials:
        means = np.convolve(trial.losses, np.ones(5) / 5, "valid")
        assert (means > 4 * np.minimum.accumulate(means)).any()
        assert len(trial.losses) == 150
        assert np.isfinite(trial.score)


def test_a_candidate_without_a_finite_loss_is_out(small, tmp_path, table, listener):
    config = small(find_wd={"values": [1e-4, 1e30], "repeats": 1})
    result = find_wd(config, out=tmp_path, observer=listener)

    assert result.best == 1e-4
    assert 1e-4 <= result.suggestion.value < 1e-2
    assert not np.isfinite(result.differences[1e30].mean)
    assert listener.outcomes[1] == "the loss is not finite"
    trials = table(result.folder / "trials.csv")
    assert trials["score"][1] == np.inf
    assert trials["steps"][1] == 12
    assert np.sum(table(result.folder / "curves.csv")["trial"] == 1) < 12
    saved = json.loads((result.folder / "result.json").read_text())
    assert saved["differences"]["1e+30"] == {
        "mean": None, "interval": [None, None],
    }  # fmt: skip


def test_no_finite_candidate_is_a_refusal(small, tmp_path):
    config = small(find_wd={"values": [1e28, 1e30], "repeats": 1, "refine": True})
    result = find_wd(config, out=tmp_path)

    assert (result.suggestion.value, result.suggestion.verdict) == (None, "non_finite")
    assert (result.best, result.differences) == (None, {})
    assert not (tmp_path / "small/suggestions.yaml").exists()
    assert (result.folder / "plot.png").exists()


@pytest.mark.parametrize("find", [find_wd, find_momentum])
def test_an_unknown_learning_rate_is_a_bad_config(small, find, tmp_path):
    with pytest.raises(ConfigError, match="onecycle find-lr CONFIG"):
        find(small(train={"max_lr": "auto"}), out=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_an_interrupt_keeps_the_trials_that_were_finished(
    small, tmp_path, listener, table, results_in
):
    def interrupt(step):
        if step == 12 + 5:
            raise KeyboardInterrupt

    listener.each_step = interrupt
    with pytest.raises(KeyboardInterrupt):
        find_wd(small(), out=tmp_path, observer=listener)

    folder = tmp_path / "small/find-wd/001"
    assert results_in(tmp_path) == {
        f"small/find-wd/001/{name}"
        for name in ("config.yaml", "curves.csv", "manifest.json", "trials.csv")
    }
    assert json.loads((folder / "manifest.json").read_text())["status"] == "interrupted"
    assert table(folder / "trials.csv")["steps"].tolist() == [12]


def test_a_full_disk_is_said_and_leaves_nothing_half_written(
    small, tmp_path, monkeypatch, results_in
):
    write = files.write_bytes

    def no_space(path, data):
        if path.name == "trials.csv":
            raise files.unwritable(path, OSError(28, "No space left on device"))
        write(path, data)

    monkeypatch.setattr(files, "write_bytes", no_space)
    with pytest.raises(ResultError, match=r"trials\.csv: cannot be written: No space left"):
        find_wd(small(find_wd={"repeats": 1}), out=tmp_path)

    assert results_in(tmp_path) == {
        f"small/find-wd/001/{name}" for name in ("config.yaml", "manifest.json")
    }
    monkeypatch.undo()
    assert find_wd(resume=tmp_path / "small").suggestion.accepted


def test_without_a_folder_nothing_is_written(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = find_wd(small(find_wd={"repeats": 1}), out=None)

    assert result.folder is None
    assert list(tmp_path.iterdir()) == []
