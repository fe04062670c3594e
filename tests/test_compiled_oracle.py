"""What is published of the compiled loop's runs: as in the files, and as Keras' own."""

import json
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "benchmarks" / "suggestions"

pytestmark = pytest.mark.usefixtures("benchmark_modules")


@pytest.fixture
def agreement():
    return json.loads((FOLDER / "compiled.json").read_text())["results"]


def test_the_differences_are_those_of_the_two_oracles(agreement):
    import compiled_oracle

    assert set(agreement["by_problem"]) == {p.name for p in compiled_oracle.PROBLEMS}
    for problem in compiled_oracle.PROBLEMS:
        for rates, found in compiled_oracle.differences(problem).items():
            saved = agreement["by_problem"][problem.name][rates]
            assert saved["interval"] == pytest.approx(found["interval"])
            assert (saved["rates"], saved["points"]) == (
                found["rates"],
                pytest.approx(found["points"]),
            )


def test_the_regrets_by_either_oracle_are_those_of_the_recorded_searches(agreement):
    import compiled_oracle

    for name, found in compiled_oracle.regrets().items():
        assert agreement["regret_of_find_lr"][name] == pytest.approx(found)


def test_the_compiled_loop_and_keras_agree(agreement):
    """At the best rates, within what seeds make of it."""
    best = [found["best"] for found in agreement["by_problem"].values()]
    outside = [found for found in best if not found["interval"][0] <= 0 <= found["interval"][1]]
    assert len(outside) <= 2  # one in twenty by chance
    assert abs(np.mean([found["points"] for found in best])) < 0.2


def test_the_sentences_in_the_docs_are_those_of_the_file(agreement):
    text = " ".join((ROOT / "docs" / "suggestions.md").read_text().split())
    found = list(agreement["by_problem"].values())
    times = [f["seconds_a_step"] for f in found]
    ratio = np.median([t["keras"]["median"] / t["compiled"]["median"] for t in times])
    assert 64.5 < ratio < 65.5 and "at a sixty-fifth of the time a step in the median" in text
    zero = sum(low <= 0 <= high for low, high in (f["best"]["interval"] for f in found))
    assert f"the best rates of the {len(found)} perceptrons and recurrent nets" in text
    assert f"are {agreement['mean_points']['best']:.2f} points higher on average" in text
    assert f"includes zero on all {zero} of them" in text
    assert zero == len(found)
    regrets = agreement["regret_of_find_lr"]
    mean = regrets["mean"]
    assert f"On {len(regrets) - 1} of the 26 scored problems" in text
    assert f"loses {mean['compiled']:.2f} points on these, instead of {mean['keras']:.2f}" in text


def test_bootstrapped_means_spread_as_the_seeds_do():
    import compiled_oracle

    scores = np.array([[1.0, 3.0, np.nan, np.nan], [2.0, 4.0, 2.0, 4.0]])
    drawn = compiled_oracle._drawn_means(scores, np.random.default_rng(0))
    assert drawn.shape == (compiled_oracle.DRAWS,)
    assert drawn.mean() == pytest.approx(2.5, abs=0.1)
    assert drawn.min() == 1.5 and drawn.max() == 3.5
