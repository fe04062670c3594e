"""The published comparison: other tools as they answered, and the docs as in the file."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "benchmarks" / "suggestions"


@pytest.fixture(scope="module")
def scoring():
    """The benchmark's modules, which find each other by the folder they lie in."""
    before = list(sys.path)
    sys.path[:0] = [str(FOLDER), str(FOLDER.parent)]
    try:
        import score

        yield score
    finally:
        sys.path[:] = before


@pytest.fixture(scope="module")
def answers(scoring):
    return scoring.replay.read()


@pytest.fixture(scope="module")
def swept(scoring):
    """The recorded sweeps by problem and range."""
    from problems import PROBLEMS

    return {problem: scoring.sweeps.read(problem) for problem in PROBLEMS}


SWEPT = {
    "fastai valley": "fastai",
    "fastai slide": "fastai",
    "fastai steep": "fastai",
    "fastai minimum": "fastai",
    "Lightning < 2.5.3": "lightning",
    "Lightning >= 2.5.3": "lightning",
    "pytorch-lr-finder": "fastai",
    "keras-one-cycle": "onecycle",
}
TENTH = {"fastai minimum", "keras-one-cycle"}


def test_every_tool_has_answered(answers):
    assert sorted(answers) == sorted(SWEPT)


@pytest.mark.parametrize("rule", SWEPT)
def test_the_tools_were_given_the_recorded_losses(scoring, answers, swept, rule):
    from peers import ask

    for problem, sweeps in swept.items():
        recorded = [ask.digest(losses) for _, losses in sweeps[SWEPT[rule]]]
        given = [answer.losses for answer in answers[rule][problem]]
        assert given == recorded[: scoring.SUGGESTIONS]


@pytest.mark.parametrize("rule", SWEPT)
def test_the_tools_answer_a_rate_at_which_a_loss_was_recorded(answers, swept, rule):
    """Within the accuracy of float32, in which some of them count."""
    for problem, given in answers[rule].items():
        for answer, (lrs, _) in zip(given, swept[problem][SWEPT[rule]], strict=False):
            rate = answer.lr * (10 if rule in TENTH else 1)
            assert np.abs(np.log(lrs / rate)).min() < 1e-4
            assert 0 < answer.steps <= len(lrs)


def in_docs(name):
    """Return the table between the marks of that name."""
    text = (ROOT / "docs" / "suggestions.md").read_text()
    return text.partition(f"<!-- {name} -->")[2].partition(f"<!-- end of {name} -->")[0].strip()


@pytest.fixture(scope="module")
def saved():
    return json.loads((FOLDER / "scores.json").read_text())["results"]


@pytest.mark.parametrize("name", ["onecycle", "onecycle, range tests", *SWEPT])
def test_the_scores_are_those_of_the_answers(scoring, saved, name):
    oracles = scoring.regret.read()
    made = scoring.Table(scoring.SCORED, oracles, lambda p: scoring.answers(name, p)).summary()
    entry = saved["scored"][name]
    assert {key: entry[key] for key in made} == pytest.approx(made, nan_ok=True)


def test_the_tables_in_the_docs_are_those_of_the_file(scoring, saved):
    assert in_docs("scores") == scoring.as_table(saved["scored"], saved["refusals"]).strip()
    spaced = saved["mean_at_own_rates"]
    assert in_docs("own rates") == scoring.own_rates.table(saved["scored"], spaced).strip()


def test_the_regrets_at_own_rates_are_those_of_the_answers(scoring, saved):
    oracles = scoring.regret.read()
    assert saved["mean_at_own_rates"] == pytest.approx(
        scoring.own_rates.means(scoring.SCORED, oracles)
    )
    assert saved["keras_one_cycle_held"] == pytest.approx(
        scoring.own_rates.held(scoring.SCORED, oracles)
    )


def test_the_recipes_in_the_docs_are_those_of_the_file(scoring):
    import recipe

    assert in_docs("recipes") == recipe.summary().strip()


def test_the_sentences_in_the_docs_are_those_of_the_file(saved):
    text = " ".join((ROOT / "docs" / "suggestions.md").read_text().split())
    scored, refused = saved["scored"], saved["refusals"]
    ours, swept = scored["onecycle"], scored["onecycle, range tests"]
    assert f"loses {ours['mean']:.2f} points for {ours['cost_in_runs']:.2f} training runs" in text
    grid = scored["complete runs at every rate, 1 seed"]
    assert f"lose {grid['mean']:.2f} and cost {grid['cost_in_runs']:.0f}" in text
    drawn = [scored[f"best of {n} complete runs at random"]["mean"] for n in (2, 4, 8)]
    assert "loses {:.1f}, {:.1f} and {:.1f}".format(*drawn) in text
    more, *interval = swept["behind onecycle"]
    assert f"lose {swept['mean']:.1f}, which is {more:.1f} points more ({interval[0]:.1f} to {interval[1]:.1f})" in text  # fmt: skip # noqa: E501
    more, *interval = scored["fastai minimum"]["behind onecycle"]
    assert f"fastai's minimum, loses {more:.1f} points more; that interval, {interval[0]:.1f} to {interval[1]:.1f}, just includes zero" in text  # fmt: skip # noqa: E501
    others = [
        entry["behind onecycle"][1]
        for name, entry in scored.items()
        if name not in {"onecycle", "fastai minimum"} and not name.startswith("complete")
    ]
    assert min(others) > 0
    figures = [
        ("mean regret, points | 0.5", "mean", "{:.2f}", 1),
        ("90th percentile | 1.7", "p90", "{:.1f}", 1),
        ("catastrophes in 100 | 0", "catastrophes_per_100", "{:.1f}", 1),
        ("sd of log10 over seeds | 0.09", "sd_log10", "{:.2f}", 1),
        ("wrong refusals | 1 %", "false_refusals", "{:.1f} %", 100),
        ("interval meets the plateau | 90 %", "coverage", "{:.0f} %", 100),
        ("cost in training runs | 1.25", "cost_in_runs", "{:.2f}", 1),
    ]
    for name, key, form, factor in figures:
        row = " | ".join(form.format(factor * entry[key]) for entry in (ours, swept))
        assert f"| {name} | {row} |" in text
    assert all(share == 1 for name in ("onecycle", "onecycle, range tests") for share in refused[name].values())  # fmt: skip # noqa: E501
    lost = sorted((by[0] for by in ours["by_problem"].values()), reverse=True)
    assert 0.4 < sum(lost[:2]) / sum(lost) < 0.6
    held, mean = saved["keras_one_cycle_held"], scored["keras-one-cycle"]["mean"]
    assert f"In {held['lower']} of {held['of']} sweeps the lowest loss came after" in text
    assert f"its mean regret is {held['mean']:.2f} instead of {mean:.2f}" in text
    best = {name: rates[0] for name, rates in saved["best_and_plateau"].items()}
    assert f"between {min(best.values()):.3f} and {max(best.values()):.1f}" in text


def test_the_recorded_searches_are_those_that_the_tool_of_today_would_make(scoring):
    """Of each problem, the first: every probe is the one that the plan asks for."""
    from problems import PROBLEMS

    from onecycle_cli.suggest import Bounds

    for problem in PROBLEMS:
        search = scoring.probes.read(problem)[0]
        done = []
        while (wave := search.plan.next_round(done, Bounds(0.0, search.chance))) is not None:
            run = search.probes[len(done) : len(done) + len(wave.rates)]
            assert [(p.lr, p.stage, p.steps) for p in run] == [
                (rate, wave.stage, wave.steps) for rate in wave.rates
            ]
            done += run
        assert len(done) == len(search.probes)
