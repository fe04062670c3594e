import numpy as np
import pytest

from onecycle_cli import plotting


def test_the_jump_from_one_cycle_to_the_next_is_a_gap(train, line):
    rate = line(plotting.draw(train()).axes[2], "learning rate")
    (gap,) = np.flatnonzero(np.isnan(rate.get_ydata()))
    assert rate.get_xdata()[[gap - 1, gap + 1]].tolist() == [3.9, 4.0]
    assert np.isnan(rate.get_xdata()[gap])


def test_the_smooth_line_of_a_training_does_not_lag(train, line):
    record = train(cycles=((20, 0.1),))
    falling = np.linspace(3, 1, 200)
    record.tables["steps"]["loss"] = falling.tolist()
    smooth = line(plotting.draw(record).axes[0], "smoothed").get_ydata()
    np.testing.assert_allclose(smooth[70:130], falling[70:130], atol=2e-3)


def test_cycles_are_found_in_the_history_too(train):
    record = train()
    del record.tables["steps"]["cycle"]
    assert plotting.draw(record).axes[0].texts[0].xy[0] == 4


@pytest.mark.parametrize("end", [0, -1], ids=["first", "last"])
def test_the_smooth_line_follows_the_slope_at_its_ends_and_not_their_last_loss(train, line, end):
    def smooth(losses):
        record = train()
        steps = {"step": list(range(200)), "lr": [0.1] * 200, "loss": losses.tolist()}
        record.tables["steps"] = steps
        return line(plotting.draw(record).axes[0], "smoothed").get_ydata()

    falling = np.geomspace(3, 0.1, 200)
    np.testing.assert_allclose(smooth(falling), falling, atol=1e-9)
    straight = np.linspace(3, -1, 200)  # of which there is no logarithm
    np.testing.assert_allclose(smooth(straight), straight, atol=1e-9)
    bent = falling.copy()
    bent[end] += 1.0
    assert abs(smooth(bent)[end] - falling[end]) < 0.3


def test_the_smooth_line_is_a_mean_and_not_that_of_logarithms(train, line):
    record = train(cycles=((40, 0.1),))
    losses = np.tile([0.02, 0.08], 200)
    record.tables["steps"]["loss"] = losses.tolist()
    smooth = line(plotting.draw(record).axes[0], "smoothed").get_ydata()
    assert smooth[100:300].mean() == pytest.approx(0.05, rel=0.02)
