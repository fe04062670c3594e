import numpy as np
import pytest

from onecycle_cli import plotting, suggest
from onecycle_cli.plotting.sweep import fitted, width_of
from onecycle_cli.runs.curve import Curve
from onecycle_cli.runs.records import Record
from onecycle_cli.suggest.trends import Trend


def test_within_the_curve_the_smooth_line_is_the_one_that_the_suggestion_rests_on(find_lr, line):
    record = find_lr()
    judged = Trend.of(record.tables["curve"]["lr"], record.tables["curve"]["loss"])
    smooth = line(plotting.draw(record).axes[0], "smoothed")
    np.testing.assert_array_equal(smooth.get_xdata(), judged.lrs)
    inside = slice(20, 150)
    np.testing.assert_allclose(smooth.get_ydata()[inside], judged.smoothed[inside], atol=0.01)


def test_the_smooth_line_is_a_weighted_least_squares_fit_around_each_rate():
    rng = np.random.default_rng(0)
    lrs = np.exp(np.sort(rng.uniform(-6, 1, 40)))
    losses = rng.standard_normal(40)
    x = np.log(lrs)
    for i, height in enumerate(fitted(lrs, losses, 0.5)):
        weights = np.exp(-((x - x[i]) ** 2) / (2 * 0.5**2))
        line = np.polynomial.Polynomial.fit(x, losses, 1, w=np.sqrt(weights))
        assert height == pytest.approx(line(x[i]), abs=1e-8)


def test_a_steep_test_of_one_decade_begins_where_its_points_lie(line):
    """The mean over a kernel would begin at 2.6, more than halfway to the explosion."""
    lrs = np.geomspace(0.1, 1.0, 40)
    losses = 2.3 + 4 * np.log10(lrs / 0.1)
    record = Record(
        "find-lr", "weights", tables={"curve": {"lr": lrs.tolist(), "loss": losses.tolist()}}
    )
    smooth = line(plotting.draw(record).axes[0], "smoothed")
    assert smooth.get_ydata()[0] == pytest.approx(2.3, abs=0.1)
    assert smooth.get_ydata()[20] == pytest.approx(losses[20], abs=0.1)


def test_the_smooth_line_follows_the_width_of_the_range():
    assert width_of(np.geomspace(1e-5, 10, 200)) == suggest.BANDWIDTH
    assert width_of(np.geomspace(0.1, 1, 200)) == pytest.approx(np.log(10) / 20)
    assert width_of(np.geomspace(0.1, 1, 11)) == pytest.approx(1.5 * np.log(10) / 10)
    assert width_of(np.array([0.1])) == suggest.BANDWIDTH


def test_a_long_curve_is_smoothed_through_means_of_neighbours(find_lr, line):
    record = find_lr(steps=6000)
    lrs, losses = suggest.finite_part(record.tables["curve"]["lr"], record.tables["curve"]["loss"])
    drawn = line(plotting.draw(record).axes[0], "smoothed")
    assert len(drawn.get_xdata()) == 1500
    exact = suggest.smooth(lrs[::4], losses[::4])
    drawn_there = np.interp(lrs[::4], drawn.get_xdata(), drawn.get_ydata())
    usual = slice(20, 1000)
    np.testing.assert_allclose(drawn_there[usual], exact[usual], atol=0.03)


@pytest.mark.samples(1)
@pytest.mark.parametrize("last", [1e6, 1e20, 1e37])
def test_how_far_the_loss_exploded_changes_neither_the_line_nor_the_limits(last, find_lr):
    def picture_of(loss):
        record = find_lr()
        record.tables["curve"]["loss"][-2] = loss
        axes = plotting.draw(record).axes[0]
        (line,) = (line for line in axes.lines if line.get_label() == "smoothed")
        return line.get_ydata(), axes.get_ylim()

    (line, limits), (usual_line, usual_limits) = picture_of(last), picture_of(1e3)
    np.testing.assert_allclose(line, usual_line)
    assert limits == pytest.approx(usual_limits)
    assert line[:100].max() < 2.6


@pytest.mark.parametrize("end", [20, -20])
def test_clipping_takes_points_off_either_end(end, sweep, found, line):
    lrs, losses = sweep()
    figure = plotting.draw_lr_finder(
        [Curve(lrs, losses)], findings=found, title="clipped", clip_beginning=50, clip_end=end
    )
    assert line(figure.axes[0], "loss at each step").get_xdata().tolist() == lrs[50:-20]
    smooth = line(figure.axes[0], "smoothed").get_xdata()
    assert (smooth[0], smooth[-1]) == (lrs[50], lrs[-21])
