"""Other searchers: their trials go on where they were stopped, and the docs are as in the files."""

from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.usefixtures("benchmark_modules")


@pytest.fixture
def trainings(tmp_path, monkeypatch):
    """Trainings of a small network, of 36 steps: a whole number of ninths."""
    import datasets
    from problems import Problem
    from searchers.trainings import ByKeras

    monkeypatch.setattr(datasets, "FOLDER", tmp_path)
    options = {"hidden": 8, "norm": "batch"}
    found = ByKeras(Problem("a", "x", "digits", "mlp", options, epochs=2))
    yield found
    found.close()


def a_trial(lr=0.1, seed=3):
    from searchers import space
    from searchers.trainings import Trial

    return Trial(space.choice(lr, 0.9, 1e-3), seed)


@pytest.mark.harness
def test_a_trial_that_another_interrupts_ends_as_one_that_nothing_does(trainings):
    import recipe

    trial, other = a_trial(), a_trial(lr=0.3, seed=4)
    first = trainings.train(trial, 1)
    assert (trial.steps, trainings.spent) == (4, 4)
    trainings.train(other, 3)
    last = trainings.train(trial)
    assert (trial.steps, trainings.spent) == (36, 36 + 12)
    assert last == recipe.trained(trainings, trial.choice, seed=3)["validation"] > first + 10


@pytest.mark.harness
def test_a_trial_that_broke_off_takes_no_more_steps(trainings):
    trial = a_trial(lr=1e30)
    assert trainings.train(trial, 3) == trainings.floor
    assert trial.broke
    assert trial.steps == trainings.spent < 12
    assert trainings.train(trial) == trainings.floor
    assert trial.steps == trainings.spent < 12


def test_the_table_in_the_docs_is_that_of_the_files():
    from searchers import table

    text = (ROOT / "docs" / "suggestions.md").read_text()
    shown = text.partition("<!-- searchers -->")[2].partition("<!-- end of searchers -->")[0]
    assert shown.strip() == table.summary().strip()


def test_every_search_is_whole_and_within_its_budget():
    import recipe
    from searchers import searches, tuning_free

    there = searches.read()
    for problem in recipe.first_variants():
        for searcher in tuning_free.NAMES:
            assert all((problem.name, searcher, 0, seed) in there for seed in recipe.SEEDS)
        for searcher, (_, _, runs) in searches.SEARCHERS.items():
            for search in range(searches.SEARCHES):
                rows = [there[problem.name, searcher, search, seed] for seed in recipe.SEEDS]
                assert len({row["lr"] for row in rows}) == 1
                whole = max(float(row["run_steps"]) for row in rows)
                steps = float(rows[0]["search_steps"])
                assert 0.9 * whole < steps <= runs * whole + 9  # a ninth is rounded


def test_the_sentences_in_the_docs_are_those_of_the_files():
    from searchers import searches, table

    text = " ".join((ROOT / "docs" / "suggestions.md").read_text().split())
    tasks = [problem.task for problem in table.tasks()]
    images = [tasks.index("cifar16-resnet8"), tasks.index("cifar32-cnn")]
    twelve = "Optuna TPE, 12 runs"

    def ahead(searcher):
        """Return the points ahead on the two networks for CIFAR-10, and on the others."""
        means = table.ahead(searcher).mean(axis=1)
        return means[images], np.delete(means, images)

    def mean(searcher):
        return table.ahead(searcher).mean()

    number = {3: "three", 5: "five"}[searches.SEARCHES]
    assert f"There are {number} searches by each" in text
    tuner = "KerasTuner Hyperband"
    means = np.sort(table.ahead(tuner).mean(axis=1))
    assert f"budget: {-mean(tuner):.1f} points behind on average, and its interval" in text
    assert f"It is {means[-1]:.1f} points ahead on the residual network, and {-means[-2]:.1f} to {-means[0]:.1f} behind on the six others" in text  # fmt: skip # noqa: E501
    worst = [min(table.scores(tuner, table.tasks()[i])) for i in (tasks.index("digits-gru"), -1)]
    assert "single ones end at {:.1f} on the recurrent net and {:.1f} on the last".format(*worst) in text  # fmt: skip # noqa: E501
    few = [-mean(f"Optuna TPE{pruner}") for pruner in ("", ", ASHA", ", Hyperband")]
    assert f"Optuna is {min(few):.1f} to {max(few):.1f} points behind at this budget" in text
    begun = [table.trials(f"Optuna TPE, {pruner}") for pruner in ("Hyperband", "ASHA")]
    assert f"Hyperband begins {begun[0]:.1f} trials" in text
    assert f"ASHA begins {begun[1]:.1f}" in text
    assert f"are {-mean(twelve):.1f} behind, with zero in the interval, and {ahead(twelve)[0][0]:.1f} ahead" in text  # fmt: skip # noqa: E501
    assert f"scores {min(table.scores(twelve, table.tasks()[1])):.1f} when it is trained" in text
    on, off = ahead("Prodigy")
    lost = np.sort(-off)
    assert abs(lost[0]) <= table.CLOSE
    assert f"by {on[0]:.1f} and {on[1]:.1f} points, and level on the images of digits. On the other four it is {lost[1]:.1f} to {lost[-1]:.1f} behind" in text  # fmt: skip # noqa: E501
    assert abs(mean("Prodigy") - mean("Prodigy, annealed")) < 0.1
    lost = -table.ahead("schedule-free AdamW")
    assert f"at its defaults is {lost.min():.1f} to {lost.max():.1f} behind" in text
    assert f"50 runs are {mean('random search'):.1f} points ahead on average" in text


def test_the_intervals_are_those_that_the_docs_speak_of():
    from searchers import table

    def interval(searcher):
        return table.score.bootstrap(table.tasks(), table.ahead(searcher))

    for searcher in ("KerasTuner Hyperband", "Optuna TPE, 12 runs"):
        low, high = interval(searcher)
        assert low < 0 < high
