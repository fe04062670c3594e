"""`onecycle list`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from onecycle_cli.commands.presenter import presented, table


class Listed(StrEnum):
    """What can be listed."""

    models = "models"
    datasets = "datasets"
    optimizers = "optimizers"
    shapes = "shapes"


def list_command(
    what: Annotated[Listed, typer.Argument(help="models, datasets, optimizers or shapes")],
) -> None:
    """List what a config can name.

    Docs: docs/config.md
    """
    with presented():
        table(_entries(what))


def _entries(what: Listed) -> list[tuple[str, str]]:
    if what is Listed.models:
        return _models()
    if what is Listed.shapes:
        from onecycle_cli.schedules import SHAPES

        return list(SHAPES.items())
    from onecycle_cli.config import DATASETS, OPTIMIZERS

    return list((DATASETS if what is Listed.datasets else OPTIMIZERS).items())


def _models() -> list[tuple[str, str]]:
    from onecycle_cli import registry

    rows = []
    for name, about in registry.model_names().items():
        rows.append((name, about))
        options = registry.options(name).values()
        rows.append(("", "options: " + ", ".join(f"{o.name}={o.default}" for o in options)))
    rows.append(("path/to/file.py:function", "your own, from input_shape and num_classes"))
    return rows
