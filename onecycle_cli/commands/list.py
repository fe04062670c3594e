"""`onecycle list`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from onecycle_cli.commands.console.ending import presented, table
from onecycle_cli.plugin_names import OWN


class Listed(StrEnum):
    """What can be listed."""

    models = "models"
    datasets = "datasets"
    optimizers = "optimizers"
    shapes = "shapes"


def list_command(
    what: Annotated[
        Listed, typer.Argument(metavar="WHAT", help="models, datasets, optimizers or shapes")
    ],
) -> None:
    """List what a config can name."""
    with presented():
        table(_entries(what))


def _entries(what: Listed) -> list[tuple[str, str]]:
    if what is Listed.models:
        return _models()
    if what is Listed.shapes:
        return _shapes()
    from onecycle_cli.config import DATASETS, OPTIMIZERS

    if what is Listed.datasets:
        return [*DATASETS.items(), (OWN, "your own, from nothing to {train: (x, y), ...}")]
    return [*OPTIMIZERS.items(), (OWN, "your own, from nothing to a keras.optimizers.Optimizer")]


def _shapes() -> list[tuple[str, str]]:
    from onecycle_cli.schedules import OPTIONS, SHAPES

    rows = []
    for name, about in SHAPES.items():
        options = [f"{option}: {_shown(value)}" for option, value in OPTIONS[name].items()]
        rows += _with_options(name, about, options)
    rows.append((OWN, "your own, from the progress of a cycle to the rate's share of max_lr"))
    return rows


def _shown(value: object) -> str:
    """Return a default as a config would have it."""
    if isinstance(value, bool):
        return str(value).lower()
    if value == ():
        return "[{until: 0.3, first: 0.1, last: 1}, {until: 1, first: 1, last: 0, anneal: cosine}]"
    return "null" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _models() -> list[tuple[str, str]]:
    from onecycle_cli.registry import models

    rows = []
    for name, about in models.model_names().items():
        options = [f"{o.name}={o.default}" for o in models.options(name).values()]
        rows += _with_options(name, about, options)
    rows.append((OWN, "your own, from input_shape and num_classes"))
    return rows


def _with_options(name: str, about: str, options: list[str]) -> list[tuple[str, str]]:
    return [(name, about), *([("", "options: " + ", ".join(options))] if options else [])]
