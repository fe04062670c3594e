from dataclasses import replace

import pytest

from onecycle_cli import plotting

CONFIRMED = {
    "suggestion": {"value": 0.1},
    "tried": [0.03, 0.06, 0.12, 0.24, 0.48],
    "best": 0.24,
    "as_good": [0.12, 0.24],
    "rungs": [
        {"name": "first", "steps": 50, "replicates": [0],
         "losses": {"0.03": 0.9, "0.06": 0.7, "0.12": 0.5, "0.24": 0.52, "0.48": None}},
        {"name": "final", "steps": 100, "replicates": [1, 2],
         "losses": {"0.06": 0.5, "0.12": 0.3, "0.24": 0.29}},
    ],
    "differences": {"0.06": {"mean": 0.21, "error": 0.02}, "0.12": {"mean": 0.01, "error": 0.02}},
}  # fmt: skip


@pytest.fixture
def confirmed(find_lr):
    """Return the record of a range test whose suggestion short 1cycles have confirmed."""

    def make(**changes):
        record = find_lr()
        return replace(record, result=record.result | {"confirmation": CONFIRMED | changes})

    return make


def test_a_confirmation_has_a_panel_of_its_own(confirmed, tick_labels, line, notes):
    figure = plotting.draw(confirmed())
    curves, lane, panel = sorted(figure.axes, key=lambda axes: -axes.get_position().y0)
    first, final = line(panel, "50 steps, 1 run"), line(panel, "100 steps, mean of 2 runs")

    assert list(first.get_xdata()) == [0.03, 0.06, 0.12, 0.24]
    assert list(final.get_ydata()) == [0.5, 0.3, 0.29]
    assert "diverged" in notes(panel)
    assert tick_labels(panel.xaxis) == ["0.03", "0.06", "0.12", "0.24", "0.48"]
    bars = [tuple(bar.get_ydata()) for bar in panel.lines if len(set(bar.get_xdata())) == 1]
    assert pytest.approx((0.28, 0.32)) in bars
    assert panel.get_xlim() != curves.get_xlim() == lane.get_xlim()


def test_without_a_confirmation_there_is_no_panel(find_lr, confirmed):
    assert len(plotting.draw(confirmed(tried=[])).axes) == 3
    assert len(plotting.draw(find_lr()).axes) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"rungs": [{"steps": 50, "losses": {"0.03": None}}], "tried": [0.03], "as_good": []},
        {"rungs": [], "tried": [0.03]},
        {"rungs": [{"steps": 50, "losses": {"0.1": 0.5}}], "tried": [0.1], "as_good": [0.1]},
        {"rungs": [CONFIRMED["rungs"][0] | {"losses": {"0.03": 1.0, "0.06": 1.1, "0.12": 1e6}}]},
        {"suggestion": {"value": None}, "differences": {}},
    ],
)
def test_odd_confirmations_are_drawn_without_a_warning(changes, confirmed):
    plotting.png(plotting.draw(confirmed(**changes)))
