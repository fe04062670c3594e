import numpy as np
import pytest

from onecycle_cli import plotting, suggest


def test_smoothed_losses_of_the_candidates(find_wd, line):
    record = find_wd()
    left = plotting.draw(record).axes[0]
    assert [drawn.get_label() for drawn in left.lines] == [
        "0",
        "1e-6",
        "1e-5",
        "1e-4",
        "1e-3",
        "1e-2",
    ]
    mean = 1 + np.exp(-np.arange(60) / 20) + 0.05
    np.testing.assert_allclose(
        line(left, "1e-4").get_ydata(), suggest.moving_average(mean, 0.9), rtol=1e-12
    )


def test_only_the_longest_cycles_of_a_candidate_are_drawn(find_wd, line, notes):
    record = find_wd()
    trials = record.tables["trials"]
    trials["steps"] = [24.0, 60.0] * (len(trials["trial"]) // 2)
    figure = plotting.draw(record)
    mean = 1 + np.exp(-np.arange(60) / 20) + 0.1  # of the second replicate alone
    np.testing.assert_allclose(
        line(figure.axes[0], "1e-4").get_ydata(), suggest.moving_average(mean, 0.9), rtol=1e-12
    )
    assert "best: 1.152" in notes(figure.axes[1])


def test_distances_come_from_the_scores_where_they_were_not_saved(find_wd):
    record = find_wd()
    record.result.update(best=None, differences={})
    dots = [d for d in plotting.draw(record).axes[1].lines if d.get_marker() == "o"]
    assert sorted(d.get_xdata()[0] for d in dots) == pytest.approx([0, 0.005, 0.02, 0.03])
