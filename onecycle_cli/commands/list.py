"""`onecycle list`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

import typer

from onecycle_cli.commands.console.as_json import print_json
from onecycle_cli.commands.console.ending import presented, table
from onecycle_cli.commands.console.options import AsJson
from onecycle_cli.plugin_names import OWN


class Listed(StrEnum):
    """What can be listed."""

    models = "models"
    datasets = "datasets"
    optimizers = "optimizers"
    shapes = "shapes"


@dataclass(frozen=True)
class Entry:
    """What a config can name.

    Attributes:
        name: what it writes.
        about: one line on it.
        options: the defaults of its options, by name.
        between: what stands between an option and its default when it is shown.
    """

    name: str
    about: str
    options: Mapping[str, object] = field(default_factory=dict)
    between: str = "="


def list_command(
    what: Annotated[
        Listed, typer.Argument(metavar="WHAT", help="models, datasets, optimizers or shapes")
    ],
    as_json: AsJson = False,
) -> None:
    """List the names that a config can use."""
    with presented():
        entries = _entries(what)
        if as_json:
            found = [{"name": e.name, "about": e.about, "options": e.options} for e in entries]
            print_json("list", {"what": what.value, "entries": found})
        else:
            table([row for entry in entries for row in _rows(entry)])


def _entries(what: Listed) -> list[Entry]:
    if what is Listed.models:
        return _models()
    if what is Listed.shapes:
        return _shapes()
    from onecycle_cli.config import DATASETS, OPTIMIZERS

    if what is Listed.datasets:
        own = Entry(OWN, "your own function that returns {train: (x, y), ...}")
        return [*(Entry(*item) for item in DATASETS.items()), own]
    own = Entry(OWN, "your own function that returns a keras.optimizers.Optimizer")
    return [*(Entry(*item) for item in OPTIMIZERS.items()), own]


def _shapes() -> list[Entry]:
    from onecycle_cli.schedules import OPTIONS, SHAPES

    own = Entry(OWN, "your own function: progress of the cycle -> share of max_lr")
    return [*(Entry(name, about, OPTIONS[name], ": ") for name, about in SHAPES.items()), own]


def _models() -> list[Entry]:
    from onecycle_cli.registry import models

    own = Entry(OWN, "your own function that takes input_shape and num_classes")
    listed = [
        Entry(name, about, {o.name: o.default for o in models.options(name).values()})
        for name, about in models.model_names().items()
    ]
    return [*listed, own]


def _rows(entry: Entry) -> list[tuple[str, str]]:
    rows = [(entry.name, entry.about)]
    if entry.options:
        shown = [f"{n}{entry.between}{_shown(v, entry)}" for n, v in entry.options.items()]
        rows.append(("", "options: " + ", ".join(shown)))
    return rows


def _shown(value: object, entry: Entry) -> str:
    """Return a default as a config would have it; that of a model, as its function has it."""
    if entry.between == "=":
        return str(value)
    if isinstance(value, bool):
        return str(value).lower()
    if value == ():
        return "[{until: 0.3, first: 0.1, last: 1}, {until: 1, first: 1, last: 0, anneal: cosine}]"
    return "null" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
