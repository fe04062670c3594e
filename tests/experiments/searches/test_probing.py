import json

import numpy as np
import pytest
import yaml
from onecycle_cli.experiments.race.confirmation import confirm, first_steps, has_normalisation

from onecycle_cli import suggest
from onecycle_cli.experiments.find_lr import find_lr
from onecycle_cli.experiments.reread import suggest_again, write_suggestion
from onecycle_cli.suggest import ON_NEW_BATCHES, ON_VALIDATION
from onecycle_cli.workbench.bench import Workbench

FILES = {"config.yaml", "curve.csv", "manifest.json", "plot.png", "result.json"}
TABLES = {"trials.csv", "curves.csv"}


@pytest.fixture(scope="module")
def confirmed(small, tmp_path_factory):
    """182 batches of 8 in an epoch: nothing is seen twice, neither by trials of 46 nor of 92."""
    out = tmp_path_factory.mktemp("runs")
    config = small(
        batch_size=8,
        dataset={"limit": None},
        find_lr={"steps": 100, "repeats": 2, "confirm": True},
        train={"max_lr": "auto", "weight_decay": 1e-4},
    )
    return find_lr(config, out=out), out


def test_the_run_is_written_whole(confirmed, tree):
    result, out = confirmed
    files = {f"small/find-lr/001/{name}" for name in FILES | TABLES}
    assert tree(out) == files | {"small/suggestions.yaml"}
    saved = json.loads((result.folder / "result.json").read_text())
    assert saved["confirmation"] == json.loads(json.dumps(result.confirmation.as_dict()))
    assert saved["suggestion"] == result.suggestion.as_dict()


def test_the_rounds(confirmed, table):
    """An eighth of 2 x 182 steps each; then the best and its neighbours for twice as long."""
    trials = table(confirmed[0].folder / "trials.csv")
    rates = trials["max_lr"][trials["stage"] == "first"].tolist()

    assert list(trials) == ["trial", "max_lr", "stage", "replicate", "steps", "score"]
    first, final = (trials["stage"] == stage for stage in ("first", "final"))
    assert rates[:3] == suggest.ladder(confirmed[0].confirmation.provisional.value)
    assert sorted({*rates, *trials["max_lr"]}) == confirmed[0].confirmation.rates
    assert set(trials["replicate"][first]) == {0}
    assert trials["replicate"][final].tolist() == [1, 2] * 3
    assert set(trials["steps"][first]) == {46} and set(trials["steps"][final]) == {92}
    _, best = min(zip(trials["score"][first], rates, strict=True))
    assert sorted(rates)[0] < best < sorted(rates)[-1]
    assert trials["max_lr"][final].tolist()[::2] == pytest.approx(
        [best / 3**0.5, best, best * 3**0.5], rel=0.01
    )


def test_each_trial_is_a_complete_cycle_as_training_will_run_it(confirmed, table, smith):
    folder = confirmed[0].folder
    trials, curves = (table(folder / f"{name}.csv") for name in ("trials", "curves"))
    for i, (max_lr, steps) in enumerate(zip(trials["max_lr"], trials["steps"], strict=True)):
        lrs, momenta = smith(int(steps), max_lr)
        rows = curves["trial"] == i
        np.testing.assert_allclose(curves["lr"][rows], lrs, rtol=1e-12)
        np.testing.assert_allclose(curves["momentum"][rows], momenta, rtol=1e-12)


def test_candidates_start_alike(confirmed):
    first = {}
    for trial in confirmed[0].confirmation.trials:
        first.setdefault(trial.replicate, set()).add(trial.losses[0])
    assert [len(losses) for losses in first.values()] == [1, 1, 1]


def test_scores_are_the_last_fifth_of_losses_on_new_batches(confirmed):
    confirmation = confirmed[0].confirmation
    assert set(confirmation.scored_on.values()) == {ON_NEW_BATCHES}
    for trial in confirmation.trials:
        last = trial.losses[-round(len(trial.losses) / 5) :]
        assert trial.score == pytest.approx(np.mean(last))


def test_the_suggestion_is_the_confirmed_one(confirmed):
    result, out = confirmed
    entry = yaml.safe_load((out / "small/suggestions.yaml").read_text())["max_lr"]
    final = {}
    for trial in result.confirmation.trials:
        if trial.candidate.stage == "final":
            final.setdefault(trial.candidate.value, []).append(trial.scored)
    expected = suggest.confirm_lr(final, tried=result.confirmation.rates, normalised=False)

    assert result.suggestion == expected
    assert entry["value"] == expected.value
    assert entry["reason"].startswith("confirmed by short, complete 1cycles: ")
    assert result.findings.min_lr == pytest.approx(expected.value / 10, rel=0.01)
    sweeps = [(c.lrs, c.losses) for c in result.curves]
    assert result.confirmation.provisional == suggest.suggest_lr(sweeps).suggestion


def test_it_costs_what_its_steps_cost(confirmed):
    result, _ = confirmed
    swept = sum(len(curve.lrs) for curve in result.curves)
    first = [t for t in result.confirmation.trials if t.candidate.stage == "first"]
    taken = len(first) * 46 + 6 * 92
    assert result.confirmation.cost.steps == taken
    assert result.cost.steps == swept + taken


def test_it_can_be_computed_again_from_the_files(confirmed):
    result, _ = confirmed
    again = suggest_again(result.folder)
    assert again.not_recomputed == ""
    assert again.suggestion == result.suggestion
    assert suggest_again(result.folder, rule="basin").suggestion.value == (
        result.confirmation.provisional.value
    )
    write_suggestion(again)
    path = result.folder.parents[1] / "suggestions.yaml"
    reason = yaml.safe_load(path.read_text())["max_lr"]["reason"]
    assert reason.endswith("Computed again from the saved trials.")


def test_what_it_will_cost_is_said_before_anything_starts(small, listener):
    heard = []
    listener.begin = lambda title, steps: heard.append(len(listener.notes))
    config = small(find_lr={"steps": 40, "confirm": True})

    find_lr(config, out=None, observer=listener)

    assert listener.notes[:3] == [
        "1 range test from 1e-05 to 10: sgd, momentum 0.9, l2 weight decay 0",
        "then a confirmation by complete 1cycles: 3 learning rates, or up to 4 more beyond them, "
        "x 1 run of 30 steps, judged on the validation split; the best and its neighbours x 2 runs "
        "of 60 steps, judged on the validation split",
        "range tests at most 40 steps = 6.7 epochs = 3.3 times the configured training; "
        "confirmation at most 570 steps = 95 epochs = 48 times the configured training; together "
        "at most 610 steps = 102 epochs = 51 times the configured training",
    ]
    assert heard[0] == 3


def test_a_refusal_is_not_overridden(small, tmp_path, listener):
    config = small(find_lr={"min_lr": 1e-9, "max_lr": 1e-8, "confirm": True})

    result = find_lr(config, out=tmp_path, observer=listener)

    assert (result.suggestion.verdict, result.confirmation) == ("never_descended", None)
    assert listener.notes[-1] == "nothing to confirm: never_descended"
    assert not (tmp_path / "small/find-lr/001/trials.csv").exists()
    assert json.loads((result.folder / "result.json").read_text())["confirmation"] is None


@pytest.mark.harness
def test_repeats_that_disagree_are_confirmed(small, monkeypatch):
    disagreeing = suggest.LRFindings(
        suggest.Suggestion(0.01, (0.01, 0.5), "undecided", "the repeats disagree"),
        0.001,
        [],
    )
    monkeypatch.setattr(suggest, "suggest_lr", lambda sweeps, **_: disagreeing)

    result = find_lr(small(find_lr={"confirm": True}), out=None)

    assert result.confirmation.provisional.verdict == "undecided"
    assert {0.00333, 0.01, 0.03} <= set(result.confirmation.rates)
    assert result.suggestion == result.confirmation.suggestion
    assert result.suggestion.accepted


def test_an_interrupt_keeps_the_trials_that_were_finished(
    small, tmp_path, listener, table, results_in
):
    def interrupt(step):
        if step > 40 and listener.stretches[-1][0].startswith("trial 3 "):
            raise KeyboardInterrupt

    listener.each_step = interrupt
    with pytest.raises(KeyboardInterrupt):
        config = small(find_lr={"steps": 40, "confirm": True})
        find_lr(config, out=tmp_path, observer=listener)

    folder = tmp_path / "small/find-lr/001"
    kept = {"config.yaml", "curve.csv", "manifest.json"} | TABLES
    assert results_in(tmp_path) == {f"small/find-lr/001/{name}" for name in kept}
    assert table(folder / "trials.csv")["trial"].tolist() == [0, 1]
    assert json.loads((folder / "manifest.json").read_text())["status"] == "interrupted"


# --- as a function ------------------------------------------------------------------------------


@pytest.mark.harness
def test_rates_of_ones_own(small, tmp_path, monkeypatch, listener):
    monkeypatch.chdir(tmp_path)

    found = confirm(small(), [1e4, 0.05, 0.2, 0.05], observer=listener)

    assert {0.05, 0.2, 1e4} <= set(found.rates)
    assert [t.candidate.value for t in found.trials[:3]] == [0.05, 0.2, 1e4]
    assert found.suggestion.accepted
    assert found.suggestion.value < 1
    assert found.scored_on == {"first": ON_VALIDATION, "final": ON_VALIDATION}
    assert list(tmp_path.iterdir()) == []
    assert listener.stretches[0] == ("trial 1 of at most 13, max_lr 0.05", 30)


def test_rates_that_all_diverge(small):
    found = confirm(small(), [1e30])
    assert (found.suggestion.verdict, len(found.trials)) == ("non_finite", 5)
    assert found.as_dict()["best"] is None


@pytest.mark.parametrize("rates", [[], [0.1, 0], [-1], [float("nan")]])
def test_rates_that_are_none(small, rates):
    with pytest.raises(ValueError, match="`rates` must be learning rates > 0"):
        confirm(small(), rates)


@pytest.mark.parametrize(
    ("epochs", "batch_size", "steps"),
    [(2, 64, 30), (80, 64, 60), (200, 64, 100), (8, 2, 180), (40, 1, 300)],
)
def test_the_length_of_the_first_round(small, epochs, batch_size, steps):
    """An eighth of the training, from 30 steps to an epoch of 100 to 300: 6, 180 or 360 here."""
    bench = Workbench.__new__(Workbench)
    bench.config = small_config(small, epochs, batch_size)
    bench.steps_per_epoch = -(-360 // batch_size)
    assert first_steps(bench) == steps


def small_config(small, epochs, batch_size):
    from onecycle_cli.config import load_config

    return load_config(small(batch_size=batch_size, train={"cycles": [{"epochs": epochs}]}))


def test_normalisation_is_found_at_any_depth():
    import keras

    inner = keras.Sequential([keras.layers.Dense(2), keras.layers.LayerNormalization()])
    plain = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    nested = keras.Sequential([keras.Input((3,)), inner])
    assert not has_normalisation(plain)
    assert has_normalisation(nested)
