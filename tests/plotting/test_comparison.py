import numpy as np
import pytest

from onecycle_cli import plotting


def test_a_diverged_candidate_leaves_the_picture(find_wd, line):
    left = plotting.draw(find_wd()).axes[0]
    assert max(line(left, "1e-2").get_ydata()) > 100
    assert left.get_ylim()[1] < 3


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


def test_momentum_and_what_it_was_scored_on_are_named(find_momentum, heading):
    figure = plotting.draw(find_momentum(momentum_name="beta_1", scored_on="validation split"))
    right = figure.axes[1]
    assert right.get_ylabel() == "beta_1"
    assert right.get_xlabel().endswith("(scored on validation split)")
    assert "suggested momentum 0.95 to 0.85" in heading(figure)


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
