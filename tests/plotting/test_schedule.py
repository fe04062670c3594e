import numpy as np
import pytest

from onecycle_cli import plotting, schedules
from onecycle_cli.plotting.schedule import turning_points


def test_a_schedule_is_drawn_with_its_values(heading, tick_labels, notes):
    lrs, momenta = schedules.learning_rates(100, 0.12), schedules.momenta(100, 0.95, 0.85)
    figure = plotting.draw_schedule(lrs, momenta, title="smith\n5 epochs", steps_per_epoch=20)
    rate, momentum = figure.axes
    assert rate.get_yscale() == "linear"
    assert rate.lines[0].get_ydata().tolist() == lrs
    assert momentum.lines[0].get_ydata().tolist() == momenta
    assert notes(rate) == ["peak 0.12 at step 45", "start 0.012", "end 0.00131"]
    assert notes(momentum) == ["lowest 0.85", "start 0.95", "end 0.95"]
    assert heading(figure) == ["smith", "5 epochs"]
    (top,) = rate.child_axes
    assert tick_labels(top.xaxis) == ["0", "1", "2", "3", "4", "5"]
    grey = [drawn.get_xdata()[0] for drawn in rate.lines if len(drawn.get_xdata()) == 2]
    assert grey == [0, 20, 40, 60, 80, 100]


def test_shares_are_called_shares(line):
    figure = plotting.draw_schedule([0.1, 1.0, 0.1], None, title="x", rates="share of max_lr")
    assert figure.axes[0].get_ylabel() == "share of max_lr"
    usual = plotting.draw_schedule([0.1, 1.0, 0.1], None, title="x")
    assert usual.axes[0].get_ylabel() == "learning rate"


def test_each_cycle_has_its_peak_written_out(notes):
    lrs = schedules.learning_rates(100, 0.1) + schedules.learning_rates(50, 0.005)
    axes = plotting.draw_schedule(lrs, None, title="two cycles", steps_per_epoch=None).axes[0]
    assert notes(axes)[:2] == ["peak 0.1 at step 45", "peak 0.005 at step 122"]


def test_peaks_that_lie_close_together_do_not_write_over_each_other(notes):
    lrs = schedules.learning_rates(140, 0.1, shape="sgdr", num_cycles=3, cycle_mult=2)
    axes = plotting.draw_schedule(lrs, None, title="restarts", steps_per_epoch=None).axes[0]
    assert notes(axes)[:2] == ["peak 0.1 at step 0", "peak 0.1 at step 60"]


@pytest.mark.parametrize("lrs", [[], [0.1], [0.1, 0.1], [0.1, 0.2] * 10])
def test_odd_schedules_are_drawn_without_a_warning(lrs):
    assert plotting.png(plotting.draw_schedule(lrs, lrs, title="odd", steps_per_epoch=1))


def test_turning_points():
    assert turning_points(np.array([1.0, 2, 3, 3, 2, 1, 5, 4])) == [2, 6]
    assert turning_points(np.array([3.0, 3, 1])) == [0]
    assert turning_points(np.array([1.0, 1, 2])) == [2]
    assert turning_points(np.array([1.0])) == [0]
