"""A data set by name, and its batches as a pure function of (seed, epoch, step).

Names are loaded when they are first used: only `Batches` and `EvaluationBatches` need Keras.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onecycle_cli.data.batches.augment import Augment, augmentation
    from onecycle_cli.data.batches.batching import batch, steps_per_epoch
    from onecycle_cli.data.batches.feed import Batches, EvaluationBatches
    from onecycle_cli.data.batches.pipeline import for_fit
    from onecycle_cli.data.batches.resize import Resize, check_resize, resizing
    from onecycle_cli.data.dataset import Dataset
    from onecycle_cli.data.loading import load, split_up

_HOMES = {
    "Augment": "batches.augment",
    "Batches": "batches.feed",
    "Dataset": "dataset",
    "EvaluationBatches": "batches.feed",
    "augmentation": "batches.augment",
    "batch": "batches.batching",
    "Resize": "batches.resize",
    "check_resize": "batches.resize",
    "for_fit": "batches.pipeline",
    "load": "loading",
    "split_up": "loading",
    "resizing": "batches.resize",
    "steps_per_epoch": "batches.batching",
}

__all__ = [
    "Augment",
    "Batches",
    "Dataset",
    "EvaluationBatches",
    "Resize",
    "augmentation",
    "batch",
    "check_resize",
    "for_fit",
    "load",
    "resizing",
    "split_up",
    "steps_per_epoch",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
