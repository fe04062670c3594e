from dataclasses import replace
from xml.etree import ElementTree

import matplotlib as mpl
import pytest

from onecycle_cli import plotting


def test_learning_rates_are_written_as_rates(find_lr, tick_labels):
    labels = tick_labels(plotting.draw(find_lr()).axes[1].xaxis)
    assert {"0.00001", "0.0001", "0.001", "0.01", "0.1", "1", "10"} <= set(labels)
    assert not any("^" in label or "$" in label for label in labels)


def test_a_long_reason_is_wrapped_into_the_figure(find_lr, refused, heading):
    suggestion = replace(refused.suggestion, reason="it did not fall, " * 20)
    figure = plotting.draw(find_lr(findings=replace(refused, suggestion=suggestion)))
    figure.canvas.draw()
    assert len(heading(figure)) > 4
    assert all(text.get_window_extent().x1 < figure.bbox.x1 for text in figure.texts)


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


@pytest.mark.parametrize("write", [plotting.png, plotting.svg])
def test_a_dark_figure_is_written_alike_every_time(write):
    def drawn():
        with plotting.drawn_in(plotting.DARK):
            return plotting.draw_schedule([0.1, 0.2, 0.1], None, title="x")

    assert write(drawn()) == write(drawn())


def test_an_svg_holds_the_lines_and_no_date(find_lr):
    content = plotting.svg(plotting.draw(find_lr())).decode()
    assert ElementTree.fromstring(content).tag == "{http://www.w3.org/2000/svg}svg"
    assert "fill: #ffffff" in content
    assert "<dc:date>" not in content
    assert "Matplotlib v" not in content


def test_an_svg_of_a_long_training_is_small(train):
    record = train(cycles=((20, 0.1),), per_epoch=500)
    assert len(plotting.svg(plotting.draw(record))) < 800_000
