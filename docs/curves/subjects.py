"""Data with a mistake in them, as it happens: labels that were shuffled, inputs that are empty."""

from pathlib import Path

import numpy as np

import onecycle_cli

_DIGITS = Path(onecycle_cli.__file__).parent / "data" / "sources" / "digits.npz"


def shuffled_labels():
    """Digits whose labels went through another shuffle than the images."""
    images, labels = _digits()
    return {"train": (images, np.random.default_rng(0).permutation(labels))}


def empty_inputs():
    """Digits whose images were never filled in."""
    images, labels = _digits()
    return {"train": (np.zeros_like(images), labels)}


def _digits():
    with np.load(_DIGITS) as table:
        return table["images"][..., None].astype("float32") / 16, table["labels"].astype("int32")
