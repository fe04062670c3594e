"""What a function of one's own has loaded, as a source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from onecycle_cli.data.dataset import Dataset
from onecycle_cli.data.sources.memory import stream_in_hand
from onecycle_cli.data.sources.parts import Part, source_of
from onecycle_cli.data.sources.source import Source
from onecycle_cli.errors import DataError

_PARTS = ("train", "validation", "test")
_GROUPS = "groups"


def source_by_function(parts: Mapping[str, Any], name: str) -> Source:
    """Return what a function has loaded.

    Args:
        parts: `train`, and optionally `validation` and `test`: (x, y) or (x, y, sample_weight); and
            optionally `groups`, of the examples of `train`.
        name: of the function, for errors.

    Raises:
        DataError: the parts are others, or do not fit each other.
    """
    unknown = [part for part in parts if part not in (*_PARTS, _GROUPS)]
    if unknown or "train" not in parts:
        found = ", ".join(map(repr, parts)) or "nothing"
        raise DataError(
            f"{name} must give train, and may give validation and test; it gave {found}."
        )
    train, *others = (
        None if part not in parts else _part(parts[part], f"{name}: {part}") for part in _PARTS
    )
    if train is None:
        raise DataError(f"{name} must give train.")
    validation, test = others
    train = replace(train, groups=parts.get(_GROUPS))
    return source_of(
        train,
        validation,
        None if test is None else lambda: test,
        origin=name,
        names={part: part for part in _PARTS},
    )


def stream_by_function(parts: Mapping[str, Any], name: str) -> Dataset:
    """Return a pipeline that a function has made; see `batches.stream.Stream`.

    Args:
        parts: `train`, and optionally `validation`, pipelines both; and optionally
            `steps_per_epoch` and `validation_steps` for those that do not know their length.
        name: of the function, for errors.

    Raises:
        DataError: the parts are others, or a pipeline does not do.
    """
    known = ("train", "validation", "steps_per_epoch", "validation_steps")
    unknown = [part for part in parts if part not in known]
    if unknown:
        raise DataError(
            f"{name} gives a pipeline, beside which there may be {', '.join(known[1:])}; it gave "
            f"{unknown[0]!r}."
        )
    return stream_in_hand(
        parts["train"],
        name=name,
        validation_data=parts.get("validation"),
        steps=parts.get("steps_per_epoch"),
        validation_steps=parts.get("validation_steps"),
        what=(f"{name}: train", f"{name}: validation"),
    )


def _part(given: Any, where: str) -> Part:
    if not isinstance(given, tuple | list) or len(given) not in (2, 3):
        raise DataError(
            f"{where} must be (x, y) or (x, y, sample_weight), got {type(given).__name__}."
        )
    x, y, *weights = given
    return Part(_as_tuples(x), y, *weights)


def _as_tuples(x: Any) -> Any:
    """Return inputs with tuples in place of lists of arrays."""
    if isinstance(x, Mapping):
        return {name: _as_tuples(part) for name, part in x.items()}
    if isinstance(x, list | tuple) and any(getattr(part, "ndim", 0) for part in x):
        return tuple(map(_as_tuples, x))
    return x
