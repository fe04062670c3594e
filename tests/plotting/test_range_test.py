from dataclasses import replace

import numpy as np
import pytest

from onecycle_cli import plotting, suggest
from onecycle_cli.plotting.paper.palette import LIGHT, look
from onecycle_cli.runs.curve import Curve
from onecycle_cli.runs.records import Record


def test_raw_points_of_a_range_test_are_the_record(find_lr, line):
    record = find_lr()
    raw = line(plotting.draw(record).axes[0], "loss at each step")
    np.testing.assert_array_equal(raw.get_xdata(), record.tables["curve"]["lr"])
    np.testing.assert_array_equal(raw.get_ydata(), record.tables["curve"]["loss"])


def test_suggestion_is_marked_and_written_out(find_lr, heading, line, legend_texts):
    figure = plotting.draw(find_lr())
    assert heading(figure) == [
        "Learning-rate range test: tiny/find-lr/001",
        "cifar10, nets.py:tiny, batch size 128, sgd",
        "suggested max_lr 0.12 (0.08 to 0.2); min_lr 0.012",
        "Half the learning rate at which the loss rebounds.",
    ]
    axes = figure.axes[0]
    mark = line(axes, "suggested max_lr 0.12")
    assert list(mark.get_xdata()) == [0.12, 0.12]
    assert mark.get_linestyle() == "-"
    assert line(axes, "_top").get_markerfacecolor() == LIGHT.rate
    (shade,) = axes.patches
    assert (shade.get_x(), shade.get_x() + shade.get_width()) == pytest.approx((0.08, 0.2))
    assert legend_texts(figure) == [
        "loss at each step",
        "smoothed",
        "the loss rebounds",
        "suggested max_lr 0.12",
        "0.08 to 0.2: where a repeat may put it",
    ]


def test_the_rebound_is_ringed_on_the_smooth_line(find_lr, line):
    axes = plotting.draw(find_lr(repeats=3)).axes[0]
    ring = line(axes, "the loss rebounds")
    assert list(ring.get_xdata()) == [0.24] * 3
    smooth = line(axes, "smoothed (3 repeats)")
    assert ring.get_ydata()[0] == pytest.approx(
        np.interp(0.24, smooth.get_xdata(), smooth.get_ydata())
    )


def test_the_explosion_leaves_the_picture(find_lr):
    record = find_lr()
    low, high = plotting.draw(record).axes[0].get_ylim()
    assert np.nanmax(record.tables["curve"]["loss"]) > 20
    assert 1.0 < low < 1.5
    assert 2.3 < high < 3.2


def test_other_rules_have_a_row_each_below_the_curves(find_lr, notes, tick_labels):
    lane = plotting.draw(find_lr()).axes[1]
    assert tick_labels(lane.yaxis) == ["rebound/2: 0.12", "steep: 0.01", "valley: 0.02"]
    assert notes(lane) == []  # no text that a line could cross
    marks = [drawn.get_xdata()[0] for drawn in lane.lines if drawn.get_marker() == "|"]
    assert marks == [0.12, 0.01, 0.02]


def test_a_refusal_says_why_and_marks_nothing(find_lr, refused, heading, legend_texts, notes):
    figure = plotting.draw(find_lr(findings=refused))
    assert heading(figure)[2:] == [
        "no max_lr suggested: the loss never rose again",
        "The loss was still falling; raise max_lr to 100.",
    ]
    assert legend_texts(figure) == ["loss at each step", "smoothed"]
    assert not figure.axes[0].patches
    assert notes(figure.axes[0]) == ["refused: the loss never rose again"]


def test_an_undecided_suggestion_looks_undecided(find_lr, found, line, legend_texts):
    doubtful = replace(found.suggestion, verdict="undecided")
    figure = plotting.draw(find_lr(findings=replace(found, suggestion=doubtful)))
    axes = figure.axes[0]
    mark = line(axes, "suggested max_lr 0.12, undecided")
    assert mark.get_linestyle() == "--"
    assert line(axes, "_top").get_markerfacecolor() == LIGHT.paper
    assert axes.patches[0].get_hatch() == "//"
    assert "suggested max_lr 0.12, undecided" in legend_texts(figure)


def test_the_interval_of_repeats_is_called_what_it_is(find_lr, legend_texts):
    assert "0.08 to 0.2: answers of the 3 repeats" in legend_texts(
        plotting.draw(find_lr(repeats=3))
    )


def test_the_loss_of_guessing_is_drawn_where_it_is_known(find_lr, line, legend_texts):
    record = find_lr()
    assert not any("same answer" in text for text in legend_texts(plotting.draw(record)))
    record.result["chance_loss"] = 2.302
    figure = plotting.draw(record)
    chance = line(figure.axes[0], "always the same answer: 2.3")
    assert set(chance.get_ydata()) == {2.302}
    assert "always the same answer: 2.3" in legend_texts(figure)


def test_rules_are_not_asked_about_a_curve_that_never_fell(find_lr, refused):
    suggestion = replace(refused.suggestion, verdict="never_descended")
    assert len(plotting.draw(find_lr(findings=replace(refused, suggestion=suggestion))).axes) == 1


def test_a_seed_folder_is_judged_and_named(find_lr, heading, line):
    table = find_lr().tables["curve"]
    record = Record("find-lr", "weights", tables={"curve": {k: table[k] for k in ("lr", "loss")}})
    figure = plotting.draw(record)
    assert heading(figure)[:2] == [
        "Learning-rate range test: weights",
        "read from keras-one-cycle files",
    ]
    expected = suggest.suggest_lr([(table["lr"], table["loss"])]).suggestion
    mark = line(figure.axes[0], f"suggested max_lr {expected.value:g}")
    assert mark.get_xdata()[0] == expected.value


@pytest.mark.parametrize(
    ("lrs", "losses"),
    [
        ([], []),
        ([0.1], [2.0]),
        ([0.1, 0.2], [2.0, 1.5]),
        ([0.1, 0.2, 0.4], [2.0, np.nan, np.inf]),
        ([0.1, 0.2, 0.4], [np.nan, np.nan, np.nan]),
        ([0.0, 0.1, 0.2], [1.0, 0.9, 3.0]),
        ([0.1] * 20, [0.7] * 20),
        (list(np.geomspace(1e-5, 10, 50)), [0.0] * 50),
    ],
)
@pytest.mark.parametrize("scale", ["exp", "linear"])
def test_poor_curves_are_drawn_without_a_warning(lrs, losses, scale, refused, notes):
    figure = plotting.draw_lr_finder(
        [Curve(lrs, losses)], findings=refused, title="poor", scale=scale
    )
    assert plotting.png(figure).startswith(b"\x89PNG")
    says_so = "no finite loss to draw" in notes(figure.axes[0])
    assert says_so == (not np.isfinite(losses[:1]).any())


def test_clipping_everything_leaves_a_sentence(sweep, found, notes):
    figure = plotting.draw_lr_finder(
        [Curve(*sweep())], findings=found, title="clipped", clip_beginning=1000
    )
    assert "no finite loss to draw" in notes(figure.axes[0])


def test_overlaid_range_tests_are_named_with_their_suggestions(
    find_lr, refused, config, heading, legend_texts
):
    other = find_lr("tiny/find-lr/002", findings=refused, config=config | {"batch_size": 32})
    figure = plotting.draw_overlay([find_lr(repeats=2), other])
    assert legend_texts(figure) == [
        "tiny/find-lr/001, batch size 128: suggested max_lr 0.12 (0.08 to 0.2)",
        "tiny/find-lr/002, batch size 32: no max_lr suggested: the loss never rose again",
    ]
    assert heading(figure)[:2] == ["Learning-rate range tests", "cifar10, nets.py:tiny, sgd"]
    (axes,) = figure.axes
    dotted = [drawn for drawn in axes.lines if drawn.get_linestyle() == ":"]
    assert [(d.get_xdata()[0], d.get_color()) for d in dotted] == [(0.12, look(0)["color"])]
    assert axes.get_ylim()[1] < 3.2


def test_an_interval_of_one_point_is_not_drawn(find_lr, legend_texts):
    record = find_lr()
    record.result["suggestion"] |= {"value": 0.12, "interval": [0.12, 0.12]}
    figure = plotting.draw(record)
    assert list(figure.axes[0].patches) == []
    assert not any("repeat may" in text for text in legend_texts(figure))
