import json

import altair as alt
import pytest

from onecycle_cli.report.charts import canvas

pytestmark = pytest.mark.lowest


def test_numbers_have_as_many_digits_as_can_be_seen():
    data = canvas.rows(lr=[1 / 3, 1e-5], name=["a", None], loss=[float("nan"), 3.0])
    assert json.loads(data.to_dict()["values"]) == {
        "lr": [0.333333, 1e-05], "name": ["a", None], "loss": [None, 3],
    }  # fmt: skip


@pytest.fixture
def stacked():
    """Return a chart of two panels, each of which shows what is under the pointer."""
    data, x = alt.Chart(canvas.rows(x=[1])), alt.X("x:Q")
    line = alt.Chart(canvas.rows(y=[1])).mark_rule().encode(y="y:Q")
    panels = [
        canvas.panel(
            [
                line,
                data.mark_point().encode(x=x),
                *canvas.under_the_pointer(data, x, None, [], name),
            ],
            100,
            "x",
            name,
        )
        for name in ("above", "below")
    ]
    return lambda: canvas.drawn("c", "", "", canvas.stacked(*panels, spacing=1)).spec


def test_a_chart_is_the_same_whatever_was_drawn_before(stacked):
    assert stacked() == stacked()


def test_panels_are_zoomed_together_and_have_one_pointer(stacked):
    spec = stacked()
    layers = [layer for panel in spec["vconcat"] for layer in panel["layer"]]
    views = {parameter["name"]: parameter["views"] for parameter in spec["params"]}
    assert views == {
        "zoom": [layers[1]["name"], layers[5]["name"]],
        "nearest": [layers[3]["name"], layers[7]["name"]],
    }
    names = [layer["name"] for layer in layers if "name" in layer]
    assert len(set(names)) == len(names)


def test_series_differ_in_colour_or_in_dashes():
    looks = [canvas.look(i) for i in range(21)]
    assert len({(colour, tuple(dashes)) for colour, dashes in looks}) == 21


def test_a_value_that_is_not_suggested_is_not_drawn():
    axis = canvas.rate_axis("lr", "", (1e-3, 1.0))
    assert canvas.suggestion_layers(axis, None, None) == []
    assert len(canvas.suggestion_layers(axis, 0.1, (0.05, 0.2))) == 2
    assert len(canvas.suggestion_layers(axis, 0.1, (0.1, 0.1))) == 1
