import math

import pytest

from onecycle_cli.experiments.speed import measured
from onecycle_cli.experiments.speed.measured import Speeds

SPEEDS = [
    Speeds({"float32": 0.3}, 6, 1.5),
    Speeds({"float32": 0.3, "mixed_bfloat16": 0.2}, 6, 1.5),
    Speeds({"float32": 0.3, "mixed_bfloat16": math.inf}, 6, 1.5),
]


@pytest.mark.parametrize("speeds", SPEEDS)
def test_what_was_measured_is_kept(tmp_path, speeds):
    measured.write(tmp_path / "speeds/kept.json", speeds)
    assert measured.read(tmp_path / "speeds/kept.json") == speeds


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "[]",
        "null",
        '{"seconds": {"float32": 1}}',
        '{"seconds": [1], "epoch": 6, "took": 1}',
        '{"seconds": {"float32": "a"}, "epoch": 6, "took": 1}',
        '{"seconds": {"float32": 1, "mixed_bfloat16": []}, "epoch": 6, "took": 1}',
        '{"seconds": {"float32": 1, "mixed_bfloat16": -1}, "epoch": 6, "took": 1}',
        '{"float32": 0.1, "epoch": 6, "took": 1, "bfloat16": 0.2}',
    ],
)
def test_what_is_damaged_or_of_an_older_version_counts_as_nothing(tmp_path, damage):
    (tmp_path / "kept.json").write_text(damage)
    assert measured.read(tmp_path / "kept.json") is None


def test_one_more_way_adds_to_what_all_took():
    both = Speeds({"float32": 0.3}, 6, 1.5).adding("mixed_bfloat16", 0.2, epoch=6, took=2.0)
    assert both == Speeds({"float32": 0.3, "mixed_bfloat16": 0.2}, 6, 3.5)
