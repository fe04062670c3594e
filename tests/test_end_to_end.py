"""The tables of docs/speed.md are those of the benchmark's file."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.usefixtures("benchmark_modules")


def test_the_tables_are_those_of_the_file():
    import end_to_end

    results = json.loads((ROOT / "benchmarks" / "end_to_end.json").read_text())["results"]
    page = (ROOT / "docs" / "speed.md").read_text()
    assert list(results) == list(end_to_end.SETTINGS)
    for table in (end_to_end.table(results), end_to_end.table_of_others(results)):
        assert table in page
