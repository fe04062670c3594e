import math

import pytest

from onecycle_cli import plotting
from onecycle_cli.errors import ResultError
from onecycle_cli.runs.records import Record

LOSSES = {"ladder": {0.01: 2.0, 0.1: 1.0, 1.0: 1.6}, "final": {0.04: 0.6, 0.1: 0.5, 0.24: math.inf}}
PLAN = {"budget": 960, "first": 0.1, "lowest": 1e-5, "highest": 10.0, "given": [], "shift": 0.1}
SUGGESTION = {"value": 0.09, "interval": [0.06, 0.13], "verdict": "ok", "reason": "because."}


def record(config, losses=LOSSES, **changes):
    trials = {name: [] for name in ("trial", "max_lr", "stage", "steps", "held_out",
                                    "held_out_error")}  # fmt: skip
    curves = {"trial": [], "step": [], "loss": []}
    for stage, ends in losses.items():
        for lr, end in ends.items():
            steps, number = 10 if stage == "ladder" else 20, float(len(trials["trial"]))
            taken = 5 if math.isinf(end) else steps
            row = (number, lr, stage, float(steps), "", "")
            for name, value in zip(trials, row, strict=True):
                trials[name].append(value)
            tail = steps // 5
            falling = [2.3] * (taken - tail) + [20.0 if math.isinf(end) else end] * tail
            curves["trial"] += [number] * taken
            curves["step"] += list(range(taken))
            curves["loss"] += falling[:taken]
    result = {"method": "probes", "suggestion": SUGGESTION, "min_lr": 0.009, "plan": PLAN,
              "chance_loss": 2.3, "floor": 0.0} | changes  # fmt: skip
    tables = {"trials": trials, "curves": curves}
    return Record("find-lr", "small/find-lr/001", result, tables, config)


def test_each_probe_is_a_point(config, line):
    (axes,) = plotting.draw(record(config)).axes
    ladder, final = line(axes, "first tries, of 10 steps"), line(axes, "closer tries, of 20 steps")
    assert list(ladder.get_xdata()) == [0.01, 0.1, 1.0]
    assert list(ladder.get_ydata()) == [2.0, 1.0, 1.6]
    assert list(final.get_xdata()) == [0.04, 0.1]
    assert line(axes, "suggested max_lr 0.09").get_xdata()[0] == 0.09
    assert line(axes, "always the same answer: 2.3").get_ydata()[0] == 2.3


def test_the_smoothed_curve_is_in_the_unit_of_the_loss(config, line):
    (axes,) = plotting.draw(record(config)).axes
    losses = line(axes, "smoothed, as the best rate varies with the seed").get_ydata()
    assert 0.4 < min(losses) < 0.7
    assert max(losses) <= 2.3


def test_the_suggestion_lies_within_its_interval_on_the_one_axis(config, line, legend_texts):
    figure = plotting.draw(record(config))
    (axes,) = figure.axes
    (band,) = axes.patches
    value = line(axes, "suggested max_lr 0.09").get_xdata()[0]
    assert band.get_x() <= value <= band.get_x() + band.get_width()
    assert not axes.child_axes
    assert "0.06 to 0.13: about as good" in legend_texts(figure)


def test_a_search_that_found_nothing_says_so_in_the_picture(config, notes):
    nothing = {"value": None, "interval": None, "verdict": "never_descended", "reason": "no."}
    (axes,) = plotting.draw(record(config, suggestion=nothing)).axes
    assert "refused: nothing was learned" in notes(axes)
    assert not axes.patches


def test_a_probe_that_broke_off_is_said_to_have(config, notes):
    (axes,) = plotting.draw(record(config)).axes
    assert notes(axes).count("broke off") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"suggestion": {"value": None, "verdict": "never_descended", "reason": "nothing."}},
        {"chance_loss": None},
        {"losses": {"ladder": {0.1: math.inf}}, "suggestion": {"value": None}},
        {"losses": {"final": {0.1: 0.5, 0.2: 0.4}}},
        {"losses": {"ladder": {0.1: -3.0, 0.4: -2.0, 1.6: -1.0}}, "chance_loss": None},
    ],
)
def test_odd_searches_are_drawn_without_a_warning(config, changes):
    plotting.png(plotting.draw(record(config, **changes)))


def test_several_searches_in_one_picture(config, line):
    figure = plotting.draw_overlay([record(config), record(config)])
    labels = figure.axes[0].get_legend_handles_labels()[1]
    assert len(labels) == 2
    assert labels[0].endswith("suggested max_lr 0.09 (0.06 to 0.13)")


def test_probes_and_range_tests_are_not_drawn_into_one_picture(config, find_lr):
    with pytest.raises(ResultError, match="can't be drawn into one picture"):
        plotting.draw_overlay([record(config), find_lr()])
