"""The test images that show best what a model confuses."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.images.thumbnails import can_be_shown, thumbnail
from onecycle_cli.runs.mistakes import Mistake
from onecycle_cli.workbench.scoring.examination import Examination

PAIRS, EACH = 5, 3
"""How many pairs of classes are shown, and at most how many images of each."""

_LOOKED_AT = 100
"""Images that are enough to know which values are black and white."""


def mistakes_of(examined: Examination, images: Any) -> list[Mistake]:
    """Return images of the classes that are confused most often.

    Of each pair of classes they are those with the highest loss.

    Args:
        examined: how the model does on the images.
        images: of shape (n, height, width, channels), in the same order; other inputs give nothing.
    """
    if examined.answered is None or not can_be_shown(images):
        return []
    black, white = _range_of(images)
    found = []
    for row in shown_examples(examined):
        shown = thumbnail(images[row], black, white)
        true, answer = map(int, examined.answered[row])
        image = base64.b64encode(shown.data).decode("ascii")
        found.append(Mistake(true, answer, row, shown.type, shown.width, shown.height, image))
    return found


def shown_examples(examined: Examination) -> list[int]:
    """Return which examples are shown: of the pairs confused most often those of highest loss."""
    answered, confusion = examined.answered, examined.confusion
    if answered is None or confusion is None:
        return []
    wrong = confusion * ~np.eye(len(confusion), dtype=bool)
    rows: list[int] = []
    for pair in np.argsort(-wrong, axis=None, kind="stable")[:PAIRS]:
        among = np.flatnonzero((answered == np.divmod(pair, len(confusion))).all(axis=1))
        if wrong.flat[pair]:
            rows += among[np.argsort(-examined.losses[among], kind="stable")[:EACH]].tolist()
    return rows


def _range_of(images: NDArray[Any]) -> tuple[float, float]:
    """Return the lowest and the highest value of the images, as far as a sample of them tells."""
    sample = images[:: max(1, len(images) // _LOOKED_AT)]
    finite = sample[np.isfinite(sample)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
