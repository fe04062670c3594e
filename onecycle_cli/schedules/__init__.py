"""Schedules: from a position in training to a value, as tables computed once."""

from onecycle_cli.schedules.drawing import FINAL_DIVISOR
from onecycle_cli.schedules.own_shape import OwnShape
from onecycle_cli.schedules.shape_options import ShapeOptions
from onecycle_cli.schedules.shapes import OPTIONS, SHAPES, AnyShape, title
from onecycle_cli.schedules.tables import (
    END_PERCENTAGE,
    POLICIES,
    Scale,
    Values,
    at,
    check_options,
    check_share,
    cooled_down,
    cycle_factors,
    extended,
    final_rate,
    learning_rates,
    momenta,
    scaled,
    stretched,
    sweep,
    table_of,
)

__all__ = [
    "END_PERCENTAGE",
    "FINAL_DIVISOR",
    "OPTIONS",
    "POLICIES",
    "SHAPES",
    "AnyShape",
    "OwnShape",
    "Scale",
    "ShapeOptions",
    "Values",
    "at",
    "check_options",
    "check_share",
    "cooled_down",
    "cycle_factors",
    "extended",
    "final_rate",
    "learning_rates",
    "momenta",
    "scaled",
    "stretched",
    "sweep",
    "table_of",
    "title",
]
