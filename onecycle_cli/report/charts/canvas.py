"""What all charts have in common: colours, axes, numbers, zooming, and names that never change."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt

from onecycle_cli.plotting.paper.palette import LIGHT
from onecycle_cli.report.document import Chart, Swatch, Zoom

INK, MUTED, GRID, PAPER = "var(--ink)", "var(--muted)", "var(--grid)", "var(--paper)"
TRAINING, VALIDATION, TEST = "var(--training)", "var(--validation)", "var(--test)"
RATE, MOMENTUM, DECAY = "var(--rate)", "var(--momentum)", "var(--decay)"
SERIES = tuple(f"var(--series-{i})" for i in range(1, len(LIGHT.series) + 1))
"""The names of the colours of `plotting.paper.palette`. Which colours they are is the style sheet's
business, so that charts turn dark with the page, and light again on paper."""

BLUE, VERMILLION = SERIES[:2]

DASHES: tuple[list[int], ...] = ([1, 0], [6, 3], [2, 2])

HEIGHT = 320

LEFT, RIGHT = 74, 16
"""Pixels beside the panels of a chart: on the left for the numbers, on the right for air."""

ZOOM, NEAREST = "zoom", "nearest"

_ZOOMED, _POINTER = "zoomed", "pointer"
"""Ends of the names of layers: of that which zooms its panel, and of that which is pointed at."""

NUMBER = ".4~g"
"""A number as it is shown under the pointer."""

TICKS = ".6~g"
"""A number on an axis; without a precision, Vega would write the 100 above 80 as 1e+2."""

_DIGITS = 6
_WIDE = 8.0


def look(index: int) -> tuple[str, list[int]]:
    """Return colour and dashes of series number `index`."""
    return SERIES[index % len(SERIES)], DASHES[index // len(SERIES) % len(DASHES)]


def shape_of(index: int) -> str:
    """Return how a legend shows the line of series number `index`."""
    return ("line", "dashed", "dotted")[index // len(SERIES) % len(DASHES)]


def rows(**columns: Iterable[Any]) -> alt.InlineData:
    """Return the data of a chart by column, numbers with as many digits as can be seen.

    As text, because Altair copies and checks every value of a list again and again, which takes
    seconds. `drawn` unfolds it; the page makes rows of the columns.
    """
    text = json.dumps({name: list(map(shortened, values)) for name, values in columns.items()})
    return alt.InlineData(values=text, format=alt.JsonDataFormat(type="json"))


def shortened(value: Any) -> Any:
    """Return a number with six digits, `None` for one that is not finite; text as it is."""
    if isinstance(value, str) or value is None:
        return value
    number = float(value)
    if not math.isfinite(number):
        return None
    short = float(f"{number:.{_DIGITS}g}")
    return int(short) if short.is_integer() else short


def rate_axis(column: str, title: str, limits: Sequence[float], scale: str = "exp") -> alt.X:
    """Return the axis of learning rates between two limits, logarithmic unless it is `linear`."""
    kind = "linear" if scale == "linear" else "log"
    return alt.X(
        f"{column}:Q",
        scale=alt.Scale(type=kind, domain=list(limits), nice=False),
        axis=alt.Axis(
            title=title, format=TICKS, labelOverlap="greedy", labelSeparation=6, tickCount=8
        ),
    )


def loss_axis(
    column: str, title: str, limits: Sequence[float], *, is_logarithmic: bool = False
) -> alt.Y:
    """Return the axis of losses, or of what else there is, between two limits."""
    scale = alt.Scale(
        type="log" if is_logarithmic else "linear",
        domain=list(limits),
        nice=False,
        **({} if is_logarithmic else {"zero": False}),
    )
    return alt.Y(
        f"{column}:Q",
        scale=scale,
        axis=alt.Axis(
            title=title,
            format=TICKS,
            labelOverlap="greedy",
            tickCount=6,
            minExtent=LEFT - 20,
            maxExtent=LEFT - 20,
        ),
    )


def panel(
    layers: Sequence[alt.Chart], height: int, column: str, name: str = "panel"
) -> alt.LayerChart:
    """Return layers as one chart that can be dragged, and zoomed by the wheel with Ctrl or Alt.

    Args:
        layers: what it shows, from back to front.
        height: in pixels.
        column: along x; one layer at least has it.
        name: different from that of other panels of the same chart.
    """
    zooming = alt.selection_interval(
        name=ZOOM,
        bind="scales",
        encodings=["x"],
        zoom="wheel![event.ctrlKey || event.altKey]",
    )
    zoomed = next(i for i, layer in enumerate(layers) if _column_of(layer) == column)
    together = [
        layer.properties(name=f"{name}{_ZOOMED}") if i == zoomed else layer
        for i, layer in enumerate(layers)
    ]
    return alt.layer(*together).properties(width="container", height=height).add_params(zooming)


def _column_of(layer: alt.Chart) -> str:
    """Return what a layer shows along x."""
    x = layer.encoding.x
    return "" if x is alt.Undefined else str(x["shorthand"]).partition(":")[0]


def stacked(*panels: alt.LayerChart, spacing: int) -> alt.VConcatChart:
    """Return panels one below the other, which are zoomed together."""
    with warnings.catch_warnings():  # that they share a parameter is meant
        warnings.filterwarnings("ignore", "Automatically deduplicated")
        return alt.vconcat(*panels, spacing=spacing)


def under_the_pointer(
    data: alt.Chart, x: alt.X, y: alt.Y | None, tooltip: Sequence[alt.Tooltip], name: str = "panel"
) -> list[alt.Chart]:
    """Return layers that show the numbers of the point that is nearest along x, and mark it.

    Args:
        data: the points, not encoded yet.
        x: the axis along which the nearest is looked for.
        y: where the points are; `None`: anywhere.
        tooltip: the numbers.
        name: of the panel.
    """
    nearest = alt.selection_point(
        name=NEAREST,
        nearest=True,
        on="pointerover",
        clear="pointerout",
        encodings=["x"],
        empty=False,
    )
    points = data.mark_point(opacity=0, size=120, clip=True).properties(name=f"{name}{_POINTER}")
    place = {"x": x} if y is None else {"x": x, "y": y}
    return [
        data.mark_rule(color=MUTED, strokeWidth=1).encode(x=x).transform_filter(nearest),
        points.encode(tooltip=tooltip, **place).add_params(nearest),
    ]


def tip(column: str, title: str, number: str = NUMBER) -> alt.Tooltip:
    """Return a number under the pointer, with what it is."""
    return alt.Tooltip(f"{column}:Q", title=title, format=number)


def named(column: str, title: str) -> alt.Tooltip:
    """Return a name under the pointer."""
    return alt.Tooltip(f"{column}:N", title=title)


def is_wide(low: float, high: float) -> bool:
    """Tell whether limits had better be those of a logarithmic axis, or the lows all look alike."""
    return low > 0 and high / low > _WIDE


def level(y: float, axis: alt.Y, colour: str = MUTED) -> alt.Chart:
    """Return a dotted line across the chart."""
    return (
        alt.Chart(rows(level=[y]))
        .mark_rule(color=colour, strokeDash=[2, 3], strokeWidth=1.5, clip=True)
        .encode(y=_like(axis, "level"))
    )


def suggestion_layers(
    axis: alt.X, value: float | None, interval: Sequence[float] | None
) -> list[alt.Chart]:
    """Return the line of a suggested value, and the band of its interval."""
    if value is None:
        return []
    layers = []
    if interval and interval[0] < interval[1]:
        band = alt.Chart(rows(low=[interval[0]], high=[interval[1]]))
        layers.append(
            band.mark_rect(color=VERMILLION, opacity=0.15, clip=True).encode(
                x=_like(axis, "low"), x2="high:Q"
            )
        )
    line = alt.Chart(rows(value=[value])).mark_rule(color=VERMILLION, strokeWidth=2, clip=True)
    return [*layers, line.encode(x=_like(axis, "value"))]


def suggestion_swatches(
    name: str, value: float | None, interval: Sequence[float] | None
) -> list[Swatch]:
    """Return the legend of these layers."""
    if value is None:
        return []
    found = [Swatch(f"suggested {name}", VERMILLION)]
    if interval and interval[0] < interval[1]:
        found.append(Swatch("its interval", VERMILLION, "band"))
    return found


def drawn(
    name: str,
    title: str,
    description: str,
    chart: alt.LayerChart | alt.VConcatChart | alt.Chart,
    legend: Sequence[Swatch] = (),
    zoom: Zoom | None = None,
) -> Chart:
    """Return a chart that is ready for the page.

    Args:
        name: of its element.
        title: its caption.
        description: for those who can't see it.
        chart: a layered chart, or panels one below the other.
        legend: what its colours and lines mean.
        zoom: along which axis it can be zoomed.
    """
    whole = chart.configure(
        aria=False,  # a mark's numbers are no help to listeners: a chart has a description
        background="transparent",
        font="system-ui, sans-serif",
        axis=alt.AxisConfig(
            domainColor=MUTED,
            tickColor=MUTED,
            labelColor=INK,
            titleColor=INK,
            gridColor=GRID,
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
        ),
        view=alt.ViewConfig(stroke=None),
        text=alt.MarkConfig(color=INK, fontSize=12),
    )
    spec = whole.to_dict()
    spec["datasets"] = {name: json.loads(text) for name, text in spec["datasets"].items()}
    _settle_views(spec)
    margin = LEFT + RIGHT if "vconcat" in spec else 0
    return Chart(name, title, description, spec, legend, zoom, margin)


def _settle_views(spec: dict[str, Any]) -> None:
    """Say in which layers the parameters are at work.

    Altair, putting panels together, gives every parameter of a layer to all named layers. Its
    version 6.0 names layers by itself, and those that are alike by the same name.
    """
    layers = [layer for panel in spec.get("vconcat", [spec]) for layer in panel.get("layer", [])]
    for layer in layers:
        if layer.get("name", "").startswith("view_"):
            del layer["name"]
    names = [layer["name"] for layer in layers if "name" in layer]
    for parameter in spec.get("params", []):
        place = _POINTER if parameter["name"] == NEAREST else _ZOOMED
        parameter["views"] = [name for name in names if place in name]


def _like(axis: Any, column: str) -> Any:
    """Return the same axis for another column."""
    copy = axis.copy(deep=False)
    copy["shorthand"] = f"{column}:Q"
    return copy
