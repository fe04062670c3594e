from dataclasses import replace

import matplotlib as mpl
import pytest

from onecycle_cli import plotting
from onecycle_cli.plotting.canvas import look, number


def test_learning_rates_are_written_as_rates(find_lr, tick_labels):
    labels = tick_labels(plotting.draw(find_lr()).axes[1].xaxis)
    assert {"1e-5", "0.0001", "0.001", "0.01", "0.1", "1", "10"} <= set(labels)
    assert not any("^" in label or "$" in label for label in labels)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1e-7, 10.0, ["1e-7", "1e-6", "1e-5", "0.0001", "0.001", "0.01", "0.1", "1", "10"]),
        (0.01, 1.0, ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1"]),
        (0.1, 0.4, ["0.1", "0.2", "0.3", "0.4"]),
    ],
)
def test_ticks_suit_the_range(low, high, expected, find_lr, tick_labels):
    axes = plotting.draw(find_lr(low=low, high=high)).axes[1]
    left, right = axes.get_xlim()
    ticks = zip(axes.get_xticks(), tick_labels(axes.xaxis), strict=True)
    assert [label for tick, label in ticks if left <= tick <= right] == expected


def test_a_linear_sweep_has_a_linear_axis(find_lr, tick_labels):
    axes = plotting.draw(find_lr(low=0.1, high=1.0, scale="linear")).axes[1]
    assert axes.get_xscale() == "linear"
    assert {"0.15", "0.30", "0.45"} <= set(tick_labels(axes.xaxis))


def test_a_long_reason_is_wrapped_into_the_figure(find_lr, refused, heading):
    suggestion = replace(refused.suggestion, reason="it did not fall, " * 20)
    figure = plotting.draw(find_lr(findings=replace(refused, suggestion=suggestion)))
    figure.canvas.draw()
    assert len(heading(figure)) > 4
    assert all(text.get_window_extent().x1 < figure.bbox.x1 for text in figure.texts)


def test_nine_runs_look_different():
    looks = {tuple(look(i).values()) for i in range(9)}
    assert len(looks) == 9


def test_png_is_the_same_for_the_same_figure(find_lr):
    figure = plotting.draw(find_lr())
    first = plotting.png(figure)
    figure.canvas.draw()
    assert first == plotting.png(figure) == plotting.png(plotting.draw(find_lr()))
    assert b"Software" not in first
    assert b"Matplotlib" not in first


def test_the_style_of_the_caller_is_left_alone_and_does_not_show(find_lr):
    plain = plotting.png(plotting.draw(find_lr()))
    with mpl.rc_context({"axes.facecolor": "black", "lines.linewidth": 9}):
        assert plotting.png(plotting.draw(find_lr())) == plain
        assert mpl.rcParams["lines.linewidth"] == 9


def test_names_in_any_script_and_with_dollars_are_welcome(find_lr, config, heading):
    names = {"dataset": {"name": "数据_$x^2$"}, "model": {"name": "m" * 200}}
    figure = plotting.draw(find_lr("$a$" * 40, config=config | names))
    assert plotting.png(figure)
    assert any("数据_$x^2$" in text for text in heading(figure))
    assert all(text.get_window_extent().x1 < figure.bbox.x1 for text in figure.texts)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1e-5, "1e-5"),
        (3e-7, "3e-7"),
        (0.0001, "0.0001"),
        (0.12345, "0.123"),
        (10, "10"),
        (0.30000000000000004, "0.3"),
        (-0.25, "-0.25"),
        (1.5e7, "1.5e7"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text
