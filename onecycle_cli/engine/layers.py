"""The layers of a model."""

from __future__ import annotations

from typing import Any


def every_layer(model: Any) -> list[Any]:
    """Return the model and its layers at any depth, also those inside of nested models."""
    return list(model._flatten_layers())
