from dataclasses import replace

import numpy as np

from onecycle_cli import plotting
from onecycle_cli.suggest import Suggestion


def test_scores_have_their_intervals(find_wd, tick_labels, notes):
    right = plotting.draw(find_wd()).axes[1]
    assert tick_labels(right.yaxis) == ["0", "1e-6", "1e-5", "1e-4", "1e-3", "1e-2"]
    whiskers = [drawn.get_xdata() for drawn in right.lines if len(drawn.get_xdata()) == 2]
    expected = [(0.02, 0.04), (0.01, 0.03), (-0.005, 0.015), (0, 0)]
    np.testing.assert_allclose(whiskers, expected, atol=1e-12)
    assert notes(right) == [
        "+0.030 ± 0.010",
        "+5.000 ± 0.010",
        "+0.020 ± 0.010",
        "best: 1.102",
        "+0.005 ± 0.010\nsuggested, undecided",
        "diverged",
    ]


def test_a_suggestion_between_those_tried_has_a_row_between_theirs(find_wd, tick_labels, notes):
    record = find_wd()
    record.result["suggestion"]["value"] = 3e-4
    right = plotting.draw(record).axes[1]
    names = ["0", "1e-6", "1e-5", "1e-4", "3e-4", "1e-3", "1e-2"]
    assert tick_labels(right.yaxis) == names
    assert notes(right)[4] == "not tried itself\nsuggested, undecided"
    (band,) = right.patches
    assert (band.get_y(), band.get_height()) == (3.5, 1)
    dots = sorted(d.get_ydata()[0] for d in right.lines if d.get_marker() in {"o", ">"})
    assert dots == [0, 1, 2, 3, 5, 6]  # no score where none was measured


def test_ranges_are_called_by_their_ends(compared, tick_labels):
    found = Suggestion({"max": 0.9, "min": 0.8}, (0.8, 0.9), "ok", "it has the lowest loss.")
    record = compared("find-momentum", {0.8: 0.1, 0.85: 0.0}, found)
    trials = record.tables["trials"]
    trials["momentum_max"] = [m + 0.05 for m in trials["momentum"]]
    trials["momentum_min"] = [round(m - 0.05, 6) for m in trials["momentum"]]
    right = plotting.draw(record).axes[1]
    assert tick_labels(right.yaxis) == ["0.85 to 0.75", "0.9 to 0.8"]
    (band,) = right.patches
    assert band.get_y() == 0.5


def test_the_ranges_of_earlier_runs_are_known_by_their_width(compared, tick_labels):
    found = Suggestion({"max": 0.85, "min": 0.75}, (0.75, 0.85), "ok", "it has the lowest loss.")
    record = compared("find-momentum", {0.8: 0.0, 0.85: 0.1, 0.9: 0.2}, found)
    record = replace(record, config=record.config | {"find_momentum": {"width": 0.1}})
    right = plotting.draw(record).axes[1]
    assert tick_labels(right.yaxis) == ["0.85 to 0.75", "0.9 to 0.8", "0.95 to 0.85"]
    (band,) = right.patches
    assert band.get_y() == -0.5


def test_a_range_around_a_value_marks_that_value_alone(compared):
    found = Suggestion({"max": 0.85, "min": 0.75}, (0.75, 0.85), "ok", "it has the lowest loss.")
    record = compared("find-momentum", {0.8: 0.0, 0.85: 0.1, 0.9: 0.2}, found)
    (band,) = plotting.draw(record).axes[1].patches
    assert band.get_y() == -0.5


def test_what_lies_far_off_is_an_arrow_at_the_edge(find_wd):
    right = plotting.draw(find_wd()).axes[1]
    edge = right.get_xlim()[1]
    assert edge < 0.1
    arrows = [drawn for drawn in right.lines if drawn.get_marker() == ">"]
    assert [(a.get_xdata()[0], a.get_ydata()[0]) for a in arrows] == [(edge, 1), (edge, 5)]


def test_an_undecided_suggestion_is_hatched_and_a_sure_one_is_not(find_wd, find_momentum, heading):
    undecided, sure = plotting.draw(find_wd()), plotting.draw(find_momentum())
    assert "suggested weight_decay 0.001 (0.0001 to 0.001), undecided" in heading(undecided)
    (band,) = undecided.axes[1].patches
    assert (band.get_y(), band.get_height(), band.get_hatch()) == (3.5, 1, "//")
    assert undecided.axes[1].get_yticklabels()[4].get_fontweight() == "bold"
    assert {patch.get_hatch() for patch in sure.axes[1].patches} == {None}


def test_the_suggested_range_of_momentum_stands_out(find_momentum, tick_labels):
    right = plotting.draw(find_momentum()).axes[1]
    assert tick_labels(right.yaxis) == [
        "0.8",
        "0.85",
        "0.9",
        "0.95",
        "0.99",
        "cycled\n0.95 to 0.85",
    ]
    assert sorted(patch.get_y() for patch in right.patches) == [0.5, 1.5, 2.5, 4.5]


def test_a_huge_distance_is_written_shortly(compared, notes):
    found = Suggestion(1e-4, None, "ok", "it has the lowest loss.")
    record = compared("find-wd", {1e-4: 0.0, 1e-3: 7e25}, found)
    assert notes(plotting.draw(record).axes[1])[1] == "+7e25 ± 0"
