"""Shapes by name, their options, and shapes of one's own.

The rate is drawn as a share of `max_lr`; the momentum by a factor f, which is 0 where momentum is
high and 1 where it is low.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from onecycle_cli.errors import ArgumentError, did_you_mean, meant, nearest
from onecycle_cli.plugin_names import OWN, names_a_file, short
from onecycle_cli.schedules import drawing
from onecycle_cli.schedules.drawing import Curves
from onecycle_cli.schedules.own_shape import OwnShape
from onecycle_cli.schedules.shape_options import ShapeOptions, check_phases, check_value

AnyShape = str | Callable[[float], float]
"""A name of `SHAPES`, or a function from the progress to a share of `max_lr`, both in [0, 1]."""


def draw(
    shape: AnyShape, num_steps: int, start: float, end_percentage: float, options: ShapeOptions
) -> Curves:
    """Return the curves of a cycle; one of a single step is at its peak.

    Args:
        shape: a name of `SHAPES`, or a function.
        num_steps: number of steps, at least 1.
        start: the first rate as a share of `max_lr`, for the shapes that leave it open.
        end_percentage: share of the steps in the tail, for the shapes that have one.
        options: as `check` lets pass.

    Raises:
        PluginError: a function of one's own does not give shares of `max_lr`.
        ValueError: it is the path to a function, and not the function.
    """
    if num_steps == 1:
        return Curves([1.0], [1.0])
    if callable(shape):
        shares = OwnShape.of(shape).shares(num_steps)
        return Curves(shares, list(shares))
    if names_a_file(shape):
        raise ArgumentError(
            f"shape {shape} is a path; give its function, as onecycle_cli.registry.shapes.load "
            f"returns it."
        )
    kind = _KINDS[shape]
    length = drawing.Length(num_steps, start, end_percentage)
    return kind.draw(length, **{**kind.options, **options})


def check(shape: AnyShape, options: Mapping[str, Any]) -> None:
    """Refuse a shape that is not known, options that are not its own, and values out of range.

    Of `path/to/file.py:function` only the options are looked at.

    Raises:
        ValueError: in one sentence.
    """
    if not is_own(shape) and shape not in SHAPES:
        near = nearest(shape, list(SHAPES))
        raise ArgumentError(
            f"shape must be one of {', '.join(SHAPES)}, or {OWN}; got {shape!r}"
            f"{meant(near) if near else '.'}"
        )
    own = {} if is_own(shape) else OPTIONS[str(shape)]
    for name, value in options.items():
        if name not in own:
            known = did_you_mean(name, list(own)) if own else "; it takes none."
            raise ArgumentError(f"shape {title(shape)} has no option {name!r}{known}")
        check_value(name, value)
    if "phases" in own:
        check_phases(options.get("phases"))


def check_share(shape: AnyShape, name: str) -> None:
    """Refuse an `end_percentage` or a `scale_percentage` where it means nothing.

    Raises:
        ValueError: in one sentence.
    """
    if is_own(shape):
        raise ArgumentError(
            f"{name} means nothing to shape {title(shape)}, whose function says all."
        )
    if name not in _KINDS[str(shape)].takes:
        own = ", ".join(OPTIONS[str(shape)])
        raise ArgumentError(f"{name} means nothing to shape {shape}, which takes {own}.")


def is_own(shape: AnyShape) -> bool:
    """Tell whether a shape is a function of one's own, or the path to one."""
    return callable(shape) or names_a_file(shape)


def title(shape: AnyShape) -> str:
    """Return what a shape is called, without folders."""
    return OwnShape.of(shape).name if callable(shape) else short(shape)


@dataclass(frozen=True)
class _Kind:
    about: str
    draw: Callable[..., Curves]
    takes: tuple[str, ...] = ("end_percentage", "scale_percentage")
    options: Mapping[str, Any] = field(default_factory=dict)


_CYCLES = {"num_cycles": 3, "pct_start": 0.5}
_START = ("scale_percentage",)

_KINDS: dict[str, _Kind] = {
    "smith": _Kind(
        "up and down in straight lines, then a short fall far below the start (1cycle)",
        drawing.smith,
    ),
    "linear": _Kind("a quarter up, then down to nothing in one straight line", drawing.linear),
    "cosine": _Kind("30 % up, then down to nothing, both along half a cosine", drawing.cosine),
    "wsd": _Kind(
        "warm up for 10 %, stay at the peak until 80 %, then decay in a straight line", drawing.wsd
    ),
    "smith_caffe": _Kind(
        "as Smith ran 1cycle: down to nothing, then flat at a thousandth of the start",
        drawing.smith_caffe,
    ),
    "pytorch": _Kind(
        "PyTorch's OneCycleLR, step for step",
        drawing.pytorch,
        (),
        {
            "pct_start": 0.3,
            "div_factor": 25.0,
            "final_div_factor": 1e4,
            "three_phase": False,
            "anneal": "cosine",
        },
    ),
    "fastai": _Kind(
        "fastai's fit_one_cycle",
        drawing.fastai,
        (),
        {"pct_start": 0.25, "div": 25.0, "div_final": 1e5, "final_momentum": None},
    ),
    "flat_cos": _Kind(
        "fastai's fit_flat_cos: at the peak, then down along half a cosine",
        drawing.flat_cos,
        (),
        {"pct_start": 0.75, "div_final": 1e5},
    ),
    "sgdr": _Kind(
        "warm restarts: from the peak down along half a cosine, again and again (SGDR)",
        drawing.sgdr,
        (),
        {"num_cycles": 3, "cycle_mult": 2, "final_share": 0.0},
    ),
    "triangular": _Kind(
        "up and down in straight lines, several times (CLR)", drawing.triangular, _START, _CYCLES
    ),
    "triangular2": _Kind(
        "as triangular, each peak half as high above the start as the one before",
        drawing.triangular2,
        _START,
        _CYCLES,
    ),
    "exp_range": _Kind(
        "as triangular, lower by the factor gamma at each step",
        drawing.exp_range,
        _START,
        _CYCLES | {"gamma": 0.99994},
    ),
    "phases": _Kind("your own list of phases", drawing.phases, (), {"phases": ()}),
}

SHAPES: dict[str, str] = {name: kind.about for name, kind in _KINDS.items()}
OPTIONS: dict[str, Mapping[str, Any]] = {name: kind.options for name, kind in _KINDS.items()}
"""The options of each shape, with their defaults."""
