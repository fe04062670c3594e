import pytest
from matplotlib.figure import Figure

from onecycle_cli.plotting.paper.marks import is_sure, mark_chance, mark_refusal, mark_suggestion
from onecycle_cli.plotting.paper.palette import LIGHT


@pytest.fixture
def axes():
    axes = Figure().add_subplot()
    axes.set(xscale="log", xlim=(1e-3, 1), ylim=(0.5, 2.0))
    return axes


@pytest.mark.parametrize(
    ("verdict", "style", "filled", "hatch"),
    [("ok", "-", LIGHT.rate, None), ("undecided", "--", LIGHT.paper, "//")],
)
def test_how_sure_a_suggestion_is_can_be_seen(verdict, style, filled, hatch, axes):
    suggestion = {"value": 0.1, "interval": [0.05, 0.2], "verdict": verdict}
    mark_suggestion(axes, suggestion, "about as good")
    line, top = axes.lines
    assert (line.get_linestyle(), top.get_markerfacecolor()) == (style, filled)
    (band,) = axes.patches
    assert (band.get_x(), band.get_width()) == pytest.approx((0.05, 0.15))
    assert band.get_hatch() == hatch
    assert band.get_label() == "0.05 to 0.2: about as good"
    assert ("undecided" in line.get_label()) == (not is_sure(suggestion)) == (verdict != "ok")


def test_without_a_value_nothing_is_marked(axes):
    mark_suggestion(axes, {"value": None, "verdict": "too_short"})
    assert not axes.lines
    assert not axes.patches
    assert not is_sure({"value": None, "verdict": "too_short"})


def test_a_refusal_is_written_inside(axes):
    mark_refusal(axes, "the test is too short")
    (text,) = axes.texts
    assert text.get_text() == "refused: the test is too short"


@pytest.mark.parametrize("chance", [2.3, 0.3, 1.0])
@pytest.mark.parametrize("scale", ["linear", "log"])
def test_the_loss_of_guessing_is_drawn_in_sight(chance, scale, axes):
    axes.set_yscale(scale)
    axes.set_ylim(0.5, 2.0)
    mark_chance(axes, chance)
    (line,) = axes.lines
    low, high = axes.get_ylim()
    assert set(line.get_ydata()) == {chance}
    assert low < chance < high
    assert low <= 0.5
    assert high >= 2.0


@pytest.mark.parametrize("chance", [None, float("inf"), float("nan"), 40.0, -9.0, "high"])
def test_what_is_unknown_or_far_away_changes_nothing(chance, axes):
    mark_chance(axes, chance)
    assert not axes.lines
    assert axes.get_ylim() == (0.5, 2.0)


def test_a_negative_loss_has_no_place_on_a_logarithmic_axis(axes):
    axes.set_yscale("log")
    mark_chance(axes, -0.1)
    assert not axes.lines
