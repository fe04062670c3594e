import numpy as np
import pytest
from matplotlib.colors import to_hex

from onecycle_cli import plotting
from onecycle_cli.plotting.canvas import VERMILLION
from onecycle_cli.suggest import Suggestion


def test_a_diverged_candidate_leaves_the_picture(find_wd, line):
    left = plotting.draw(find_wd()).axes[0]
    assert max(line(left, "0.01").get_ydata()) > 100
    assert left.get_ylim()[1] < 3


def test_scores_have_their_intervals(find_wd, tick_labels, notes):
    right = plotting.draw(find_wd()).axes[1]
    assert tick_labels(right.yaxis) == ["0", "1e-6", "1e-5", "0.0001", "0.001", "0.01"]
    whiskers = [drawn.get_xdata() for drawn in right.lines if len(drawn.get_xdata()) == 2]
    expected = [(0.02, 0.04), (0.01, 0.03), (-0.005, 0.015), (0, 0)]
    np.testing.assert_allclose(whiskers, expected, atol=1e-12)
    assert notes(right) == [
        "+0.030 ± 0.010",
        "+5.000 ± 0.010",
        "+0.020 ± 0.010",
        "best: 1.102",
        "+0.005 ± 0.010",
        "diverged",
    ]


def test_a_suggestion_between_those_tried_is_a_line_between_their_rows(find_wd):
    record = find_wd()
    record.result["suggestion"]["value"] = 3e-4
    right = plotting.draw(record).axes[1]
    (marked,) = [d for d in right.lines if d.get_linestyle() == "--"]
    assert 3 < marked.get_ydata()[0] < 4  # of 1e-4 and 1e-3
    assert any("suggested: 0.0003" in note.get_text() for note in right.texts)
    assert not right.patches


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


def test_what_lies_far_off_is_an_arrow_at_the_edge(find_wd):
    right = plotting.draw(find_wd()).axes[1]
    edge = right.get_xlim()[1]
    assert edge < 0.1
    arrows = [drawn for drawn in right.lines if drawn.get_marker() == ">"]
    assert [(a.get_xdata()[0], a.get_ydata()[0]) for a in arrows] == [(edge, 1), (edge, 5)]


def test_the_suggested_weight_decay_stands_out(find_wd, heading, line):
    figure = plotting.draw(find_wd())
    assert "suggested weight_decay 0.001 (0.0001 to 0.001), undecided" in heading(figure)
    (band,) = figure.axes[1].patches
    assert (band.get_y(), band.get_height()) == (3.5, 1)
    assert to_hex(figure.axes[1].get_yticklabels()[4].get_color()).upper() == VERMILLION
    assert line(figure.axes[0], "0.001").get_linewidth() > 2


@pytest.mark.parametrize(
    ("decay", "label"),
    [
        ("l2", "weight decay (L2: loss + λ·Σw²)"),
        ("decoupled", "weight decay (decoupled: w −= lr·λ·w)"),
    ],
)
def test_the_kind_of_decay_is_named(decay, label, find_wd):
    figure = plotting.draw(find_wd(decay=decay))
    assert figure.axes[1].get_ylabel() == label
    assert figure.legends[0].get_title().get_text() == label


def test_momentum_and_what_it_was_scored_on_are_named(find_momentum, heading):
    figure = plotting.draw(find_momentum(momentum_name="beta_1", scored_on="validation split"))
    right = figure.axes[1]
    assert right.get_ylabel() == "beta_1"
    assert right.get_xlabel().endswith("(scored on validation split)")
    assert "suggested momentum 0.95 to 0.85" in heading(figure)


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


def test_a_comparison_that_only_diverged_says_so(compared, refused, notes):
    record = compared("find-wd", {1e-3: None, 1e-4: 0.0}, refused.suggestion)
    record.tables["curves"]["loss"] = [np.nan] * len(record.tables["curves"]["loss"])
    record.tables["trials"]["score"] = [np.inf] * 4
    record.result.update(best=None, differences={})
    figure = plotting.draw(record)
    assert notes(figure.axes[0]) == ["no finite loss to draw"]
    assert notes(figure.axes[1]) == ["diverged", "diverged"]
    assert plotting.png(figure)


@pytest.mark.parametrize("make", ["find_wd", "find_momentum"])
def test_overlaid_comparisons_share_their_rows(make, request, tick_labels, legend_texts, notes):
    make = request.getfixturevalue(make)
    other = make(label="other/002")
    for column in other.tables["trials"].values():
        del column[:2]
    figure = plotting.draw_overlay([make(), other])
    (axes,) = figure.axes
    assert len(tick_labels(axes.yaxis)) == 6
    assert [text.split(":")[0] for text in legend_texts(figure)] == [make().label, "other/002"]
    assert "diverged" in notes(axes)
