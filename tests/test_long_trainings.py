"""What is published of long trainings: as in the files."""

from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.usefixtures("benchmark_modules")


@pytest.fixture
def text():
    return (ROOT / "docs" / "suggestions.md").read_text()


def test_the_tables_in_the_docs_are_those_of_the_files(text):
    from long import table

    for name, made in {"long trainings": table.answers(), "remedies": table.remedies()}.items():
        shown = text.partition(f"<!-- {name} -->")[2].partition(f"<!-- end of {name} -->")[0]
        assert shown.strip() == made.strip()


@pytest.fixture
def lost():
    """Points lost on each of the long trainings, by remedy."""
    from long import table
    from problems import LONG

    found = [table.points_lost(problem) for problem in LONG]
    return {name: [by_name[name] for by_name in found] for name in found[0]}


def test_the_sentences_in_the_docs_are_those_of_the_files(text, lost):
    from long import decays, searches, table, trainings
    from problems import LONG

    text = " ".join(text.split())
    regrets = [
        [table.oracles(file)[p.name].regret(lr) for p in LONG for lr in searches.suggested(p)]
        for file in (trainings.ORACLE, trainings.DECAYED_ORACLE)
    ]
    plain, decayed = regrets
    assert f"lose {np.mean(plain):.2f} points on average, three times as much as on short trainings, and {max(plain):.2f} at worst" in text  # fmt: skip # noqa: E501
    assert f"{np.mean(decayed):.2f} points on average, {max(decayed):.2f} at worst" in text
    assert all(searches.said()[p.name] for p in LONG)
    mild = lost["L2 0.001"]
    assert f"on all six, by {-max(mild):.2f} to {-min(mild):.2f} points; 0.003 gains up to {-min(lost['L2 0.003']):.2f}" in text  # fmt: skip # noqa: E501
    assert all(a > b for a, b in zip(lost["L2 0.01"], lost["L2 0.003"], strict=True))
    assert f"a quarter of them loses {np.mean(lost['0.25']):.2f} on average instead of {np.mean(lost['as suggested']):.2f}" in text  # fmt: skip # noqa: E501
    found = lost["find-wd"]
    assert f"{np.mean(lost['as suggested']):.2f} points lost on average become {np.mean(found):.2f}" in text  # fmt: skip # noqa: E501
    assert f"On one of the six {max(found):.2f} points are still lost" in text
    assert sum(points > 0 for points in found) == 1
    runs = [float(row["training_runs"]) for row in decays.read().values()]
    assert f"for {min(runs):.1f} to {max(runs):.1f} training runs" in text
    assert f"{np.mean(plain):.2f} becomes {np.mean(lost['longer probes']):.2f}" in text
    worst = np.argsort(lost["as suggested"])[-2:]
    assert all(lost["0.125"][i] < 0 for i in worst)
