"""The published comparison: other tools as they answered, and the docs as in the file."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

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


def test_always_the_same_answer_scores_chance(scoring):
    """Of labels, the more frequent answer to each; of columns, each column's mean."""
    import oracle

    labels = np.array([[1, 0], [1, 0], [1, 1], [0, 0]])
    assert oracle.chance(SimpleNamespace(task="multilabel", y=labels)) == 75.0
    columns = np.array([[1.0, 30.0], [3.0, 30.0]])
    assert oracle.chance(SimpleNamespace(task="regression", y=columns)) == 0.0
    for loss, score in ((np.mean([1.0, 0.0]), 0.0), (0.0, 100.0)):
        assert oracle.points(SimpleNamespace(accuracy=None, loss=loss), columns) == score


def test_words_are_tested_on_that_were_not_trained_on_but_for_what_the_texts_repeat(scoring):
    import datasets

    (training, _), _, (test, topics) = datasets.topics()
    assert np.bincount(topics).tolist() == [len(topics) // datasets.TOPICS] * datasets.TOPICS
    trained_on, tested_on = (
        [words.tobytes() for words in sliding_window_view(x, 16, axis=1).reshape(-1, 16)]
        for x in (training, test)
    )
    known = set(trained_on)
    assert 0.0 < np.mean([words in known for words in tested_on]) < 0.15


@pytest.mark.samples(2)
@pytest.mark.parametrize("name", ["onecycle", "onecycle, range tests", *SWEPT])
def test_the_scores_are_those_of_the_answers(scoring, saved, name):
    oracles = scoring.regret.read()
    both = [*scoring.SCORED, *scoring.NEW]
    for group, problems in (("scored", scoring.SCORED), ("new", scoring.NEW), ("all", both)):
        made = scoring.Table(problems, oracles, lambda p: scoring.answers(name, p)).summary()
        entry = saved[group][name]
        assert {key: entry[key] for key in made} == pytest.approx(made, nan_ok=True)


def test_the_new_problems_are_of_other_tasks_than_those_before(scoring):
    before = {problem.task for problem in [*scoring.TUNING, *scoring.SCORED]}
    assert before.isdisjoint(problem.task for problem in scoring.NEW)


def test_the_tables_in_the_docs_are_those_of_the_file(scoring, saved):
    assert in_docs("scores") == scoring.as_table(saved["scored"], saved["refusals"]).strip()
    spaced = saved["mean_at_own_rates"]
    assert in_docs("own rates") == scoring.own_rates.table(saved["scored"], spaced).strip()
    groups = scoring.grouped(saved["scored"], saved["new"], saved["all"])
    assert in_docs("groups") == scoring.groups.figures(groups).strip()
    assert in_docs("regrets") == scoring.groups.regrets(groups).strip()
    new = scoring.groups.problems(saved["new"], saved["best_and_plateau"])
    assert in_docs("new problems") == new.strip()


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


def test_the_sentences_in_the_docs_are_those_of_the_file(scoring, saved):
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
    for name, aim, key, form, factor in scoring.groups.FIGURES:
        row = " | ".join(form.format(factor * entry[key]) for entry in (ours, swept))
        assert f"| {name} | {aim} | {row} |" in text
    assert all(share == 1 for name in ("onecycle", "onecycle, range tests") for share in refused[name].values())  # fmt: skip # noqa: E501
    lost = sorted((by[0] for by in ours["by_problem"].values()), reverse=True)
    assert 0.4 < sum(lost[:2]) / sum(lost) < 0.6
    held, mean = saved["keras_one_cycle_held"], scored["keras-one-cycle"]["mean"]
    assert f"In {held['lower']} of {held['of']} sweeps the lowest loss came after" in text
    assert f"its mean regret is {held['mean']:.2f} instead of {mean:.2f}" in text
    first = [problem.name for problem in [*scoring.TUNING, *scoring.SCORED]]
    best = [saved["best_and_plateau"][name][0] for name in first]
    assert f"between {min(best):.3f} and {max(best):.1f}" in text


def test_the_sentences_on_the_new_problems_are_those_of_the_file(scoring, saved):
    text = " ".join((ROOT / "docs" / "suggestions.md").read_text().split())
    scored, new, both = (saved[group]["onecycle"] for group in ("scored", "new", "all"))
    assert 3.5 < new["mean"] / scored["mean"] < 4.5
    assert f"loses {new['mean']:.2f} points, four times as much, on all 41 together {both['mean']:.2f}" in text  # fmt: skip # noqa: E501
    assert len(new["by_problem"]) + len(scored["by_problem"]) == 41
    ends = {"above": 0, "below": 0, "refused": 0}
    for name, given in new["suggestions"].items():
        _, low, high = saved["best_and_plateau"][name]
        ends["above"] += sum(lr is not None and lr > high for lr in given)
        ends["below"] += sum(lr is not None and lr < low for lr in given)
        ends["refused"] += given.count(None)
    assert "of 90 searches {above} end above the plateau, {below} below it, and {refused} refuse wrongly".format(**ends) in text  # fmt: skip # noqa: E501
    lost = {name: by[0] for name, by in new["by_problem"].items()}
    late = "glyphs-lenet/dropout and noise"
    assert new["suggestions"][late].count(None) == 4
    assert 0.4 < lost[late] / sum(lost.values()) < 0.5
    assert new["suggestions"]["topics-words/convolutions, rmsprop"].count(None) == 0
    assert 0.895 < new["coverage"] < 0.9 < scored["coverage"]
    glyphs = [lost[f"glyphs-lenet/{variant}"] for variant in ("base", "decay 0.003", "lion")]
    assert "cost {:.1f} and {:.1f} points, with Lion {:.1f}".format(*glyphs) in text
    sphere = [lost[f"sphere-mlp/{variant}"] for variant in ("base", "nadam")]
    assert "four times the best rate, for {:.1f} and {:.1f} points".format(*sphere) in text
    topics = "topics-words/base"
    times = np.median(new["suggestions"][topics]) / saved["best_and_plateau"][topics][0]
    assert f"the suggestion is {times:.0f} times the best rate, and {lost[topics]:.1f} points are lost" in text  # fmt: skip # noqa: E501
    given = [lr for lr in new["suggestions"][late] if lr is not None]
    assert round(max(given) / saved["best_and_plateau"][late][0]) == 6
    best = max(np.mean(list(runs.values())) for runs in scoring.floor.oracle.read()[late].values())
    assert f"gets to {best:.0f} % accuracy" in text
    for group, words in (("new", "comes next, {:.1f} points behind ({:.1f} to {:.1f})"), ("all", "problems {:.1f} ({:.1f} to {:.1f})")):  # fmt: skip # noqa: E501
        others = {name: saved[group][name] for name in SWEPT}
        nearest = min(others, key=lambda name: others[name]["mean"])
        assert nearest == "keras-one-cycle"
        assert words.format(*others[nearest]["behind onecycle"]) in text
    readme = " ".join((ROOT / "README.md").read_text().split())
    tools = min(saved["all"][name]["mean"] for name in SWEPT)
    assert f"loses {both['mean']:.1f} points against the best rate on average: {scored['mean']:.1f} on the first 26 problems, and {new['mean']:.1f} on 15 of other kinds. The search costs {both['cost_in_runs']:.1f} such trainings. With the best rule of another tool, a training loses {tools:.1f}." in readme  # fmt: skip # noqa: E501
    drawn = saved["new"]["best of 8 complete runs at random"]["behind onecycle"]
    assert "loses {:.1f} points more than `find-lr` on the new ones, an interval of {:.1f} to {:.1f}".format(*drawn) in text  # fmt: skip # noqa: E501
    assert f"for 8 training runs instead of {new['cost_in_runs']:.2f}" in text
    oracles = scoring.regret.read()
    lowest = {name: scoring.floor.of_training_loss(name) for name in lost}
    assert lowest == pytest.approx({name: saved["lowest_training_loss"][name] for name in lost})
    judged = np.mean([oracles[name].regret(lr) for name, lr in lowest.items()])
    assert f"judged by their training loss alone, would lose {judged:.2f} points on the new problems, though {oracles[topics].regret(lowest[topics]):.1f} on the topics" in text  # fmt: skip # noqa: E501


def test_the_recorded_searches_are_those_that_the_tool_of_today_would_make(scoring):
    """Of each problem, the first: every probe is the one that the plan asks for."""
    from problems import PROBLEMS

    from onecycle_cli.suggest import Bounds

    for problem in PROBLEMS:
        search = scoring.probes.read(problem)[0]
        done = []
        while (wave := search.plan.next_round(done, Bounds(0.0, search.chance))) is not None:
            run = search.probes[len(done) : len(done) + len(wave.values)]
            assert [(p.value, p.stage, p.steps) for p in run] == [
                (rate, wave.stage, wave.steps) for rate in wave.values
            ]
            done += run
        assert len(done) == len(search.probes)


def test_intervals_hold_the_best_rate_in_four_of_five_searches_for_tuning(scoring):
    from problems import TUNING

    oracles, held = scoring.regret.read(), []
    for problem in TUNING:
        found = [search.suggestion() for search in scoring.probes.read(problem.name)]
        ends = [it.interval for it in found if it.verdict == "ok"]
        held += [low <= oracles[problem.name].best <= high for low, high in ends]
    assert len(held) > 50
    assert 0.75 < np.mean(held) < 0.85
