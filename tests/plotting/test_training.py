import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from onecycle_cli import plotting
from onecycle_cli.plotting.paper.palette import LIGHT
from onecycle_cli.runs.records import Record


def test_training_is_drawn_over_epochs(train, line):
    record = train()
    loss, accuracy, rate, momentum = plotting.draw(record).axes
    batches = line(loss, "loss of each batch")
    np.testing.assert_allclose(batches.get_xdata(), np.arange(70) / 10)
    np.testing.assert_array_equal(batches.get_ydata(), record.tables["steps"]["loss"])
    validation = line(loss, "validation")
    assert validation.get_xdata().tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert validation.get_ydata().tolist() == record.tables["history"]["val_loss"]
    np.testing.assert_allclose(
        line(accuracy, "validation").get_ydata(),
        100 * np.array(record.tables["history"]["val_accuracy"]),
    )
    for axes, name, column in ((rate, "learning rate", "lr"), (momentum, "momentum", "momentum")):
        drawn, values = line(axes, name).get_ydata(), record.tables["steps"][column]
        assert drawn[np.isfinite(drawn)].tolist() == values


def test_the_test_result_is_written_out(train, heading, line):
    figure = plotting.draw(train())
    expected = "test accuracy 91.23 %, test loss 0.52, validation accuracy 90.00 % (best 91.00 %)"
    assert expected in heading(figure)
    star = line(figure.axes[1], "test: 91.23 %")
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (7, pytest.approx(91.23))


def test_the_values_are_named(train, heading):
    record = train()
    values = {"max_lr": [0.1, 0.005], "momentum": {"max": 0.95, "min": 0.85}}
    record.result.update(values, weight_decay=0.0005, decay="l2")
    record = replace(record, config=record.config | {"train": {"shape": "smith"}})
    expected = (
        "max_lr 0.1, then 0.005, momentum 0.95 to 0.85, weight decay 0.0005 (L2), shape smith"
    )
    assert expected in heading(plotting.draw(record))


def test_a_late_loss_that_would_be_squashed_has_a_logarithmic_axis(train, line):
    record = train()
    fall = np.geomspace(2.9, 0.01, 70)
    record.tables["steps"]["loss"] = fall.tolist()
    record.tables["history"]["val_loss"] = fall[9::10].tolist()
    loss = plotting.draw(record).axes[0]
    assert loss.get_yscale() == "log"
    assert loss.get_ylabel() == "loss\n(logarithmic scale)"
    heights = loss.transLimits.transform(loss.transScale.transform([(0, 0.1), (0, 0.01)]))[:, 1]
    assert heights[0] - heights[1] > 0.3
    np.testing.assert_allclose(line(loss, "smoothed").get_ydata(), fall, rtol=1e-9)
    assert plotting.draw(train()).axes[0].get_yscale() == "linear"


def test_each_thing_has_a_colour_of_its_own(train, line):
    loss, accuracy, rate, momentum = plotting.draw(train()).axes
    drawn = {
        "training": line(loss, "smoothed"),
        "validation": line(loss, "validation"),
        "rate": line(rate, "learning rate"),
        "momentum": line(momentum, "momentum"),
    }
    assert {name: found.get_color() for name, found in drawn.items()} == {
        name: getattr(LIGHT, name) for name in drawn
    }
    assert len({found.get_color() for found in drawn.values()}) == 4
    assert line(accuracy, "validation").get_color() == LIGHT.validation


def test_the_loss_of_guessing_is_drawn_where_the_result_says_it(train, line):
    record = train()
    record.result["chance_loss"] = 2.302
    loss = plotting.draw(record).axes[0]
    assert set(line(loss, "always the same answer: 2.3").get_ydata()) == {2.302}


def test_a_loss_that_exploded_is_labelled_in_one_style(train, tick_labels):
    record = train()
    record.tables["steps"]["loss"] = np.geomspace(2.0, 1e25, 70).tolist()
    labels = [t for t in tick_labels(plotting.draw(record).axes[0].yaxis) if t]
    assert 4 <= len(labels) <= 14
    assert all(len(label) <= 5 and "e" in label for label in labels)


def test_of_a_million_steps_so_many_are_drawn_as_are_told_apart(train, line):
    record = train(cycles=((1, 0.1),), per_epoch=100_000)
    loss = plotting.draw(record).axes[0]
    points = line(loss, "loss of every 5th batch")
    assert len(points.get_xdata()) == 20_000
    assert len(line(loss, "smoothed").get_xdata()) == 100_000


def test_the_second_cycle_is_marked(train, notes):
    loss = plotting.draw(train()).axes[0]
    assert notes(loss) == ["cycle 2"]
    assert loss.texts[0].xy[0] == 4


def test_regression_has_no_accuracy_and_momentum_may_be_left_alone(train, heading):
    figure = plotting.draw(train(accuracy=False, momentum=False))
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "learning rate"]
    assert heading(figure)[-1] == "test loss 0.52"


def test_a_spike_of_the_validation_loss_leaves_the_picture(train):
    record = train()
    record.tables["history"]["val_loss"][2] = 50.0
    assert plotting.draw(record).axes[0].get_ylim()[1] < 5


@pytest.mark.parametrize("steps", [0, 1, 7])
def test_a_run_that_broke_off_in_its_first_epoch(steps, train, heading):
    record = train()
    tables = {
        "steps": {name: column[:steps] for name, column in record.tables["steps"].items()},
        "history": {name: [] for name in record.tables["history"]},
    }
    figure = plotting.draw(Record("train", "broken", {"kind": "train"}, tables))
    assert plotting.png(figure)
    assert heading(figure) == ["1cycle training: broken"]


def test_losses_that_become_nan_end_the_line(train, line):
    record = train()
    record.tables["steps"]["loss"][30:] = [np.nan] * 40
    record.tables["history"]["val_loss"][3:] = [np.nan] * 4
    loss = plotting.draw(record).axes[0]
    assert line(loss, "smoothed").get_xdata()[-1] == pytest.approx(2.9)
    assert len(line(loss, "validation").get_xdata()) == 3


def test_a_long_training_does_not_compare_each_step_with_every_other(train):
    """Whose distances alone would take 4.9 GB."""
    record = train(cycles=((40, 0.1), (30, 0.005)), per_epoch=352)
    tracemalloc.start()
    plotting.draw(record)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 100e6


def test_overlaid_trainings(train, legend_texts):
    figure = plotting.draw_overlay([train(), train("b/001", cycles=((5, 0.2),), accuracy=False)])
    loss, accuracy, rate, _momentum = figure.axes
    assert legend_texts(figure) == [
        "tiny/train/001: test accuracy 91.23 %, test loss 0.52",
        "b/001: test loss 0.52",
    ]
    assert max(accuracy.lines[0].get_ydata()) == pytest.approx(90)
    lengths = [np.isfinite(drawn.get_xdata()).sum() for drawn in rate.lines]
    assert lengths == [70, 50]
    assert loss.get_xlim()[1] > 7
