"""The tables of docs/backends.md are those of the benchmark's file."""

import importlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.usefixtures("benchmark_modules")


def test_the_tables_are_those_of_the_file():
    import backends

    results = json.loads((ROOT / "benchmarks" / "backends.json").read_text())["results"]
    page = (ROOT / "docs" / "backends.md").read_text()
    assert results
    assert set(results) <= set(backends.NETWORKS)
    for table in (backends.table_of_suggestions(results), backends.table_of_costs(results)):
        assert table in page


@pytest.mark.parametrize("name", ["channels_last", "several_steps"])
def test_the_other_tables_are_those_of_their_files(name):
    results = json.loads((ROOT / "benchmarks" / f"{name}.json").read_text())["results"]
    page = (ROOT / "docs" / "backends.md").read_text()
    assert results
    assert importlib.import_module(name).table(results) in page


def found(value, low, high):
    return {"value": value, "interval": [low, high], "verdict": "ok"}


@pytest.mark.parametrize(
    ("others", "agrees"),
    [
        ([found(0.12, 0.08, 0.15)], True),
        ([found(0.16, 0.08, 0.2)], False),  # it is above the first one's interval
        ([found(0.12, 0.11, 0.15)], False),  # the first one is below its interval
        ([{"value": None, "interval": None, "verdict": "refused"}], False),
        ([found(0.12, 0.08, 0.15), found(0.09, 0.08, 0.11)], False),
    ],
)
def test_suggestions_agree_where_each_lies_within_the_others_intervals(others, agrees):
    import backends

    first = found(0.1, 0.07, 0.14)
    by_backend = dict(zip(("tensorflow", "jax", "torch"), [first, *others], strict=False))
    assert backends.agree(by_backend) is agrees
