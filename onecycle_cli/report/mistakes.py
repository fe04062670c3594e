"""Test images that the model took for another class."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from onecycle_cli.report.charts.confusion import Counts
from onecycle_cli.report.document import Gallery, Part, Picture
from onecycle_cli.runs.mistakes import Mistake

_SIDE = 96
"""Pixels on the page along the longer side, at most; smaller images are enlarged by whole times."""


def gallery(mistakes: Sequence[Mistake], names: Sequence[str], counts: Counts) -> list[Part]:
    """Return images of the pairs that are confused most often; nothing where there are none.

    Args:
        mistakes: the images, pair by pair.
        names: of the classes.
        counts: the confusion matrix, with a row a true class.
    """
    known = [m for m in mistakes if max(m.true, m.answer) < len(names)]
    if not known:
        return []
    groups = []
    for (true, answer), group in groupby(known, lambda mistake: (mistake.true, mistake.answer)):
        pictures = [_picture(mistake, names) for mistake in group]
        shown = f"{len(pictures)} of {int(counts[true, answer]):,}"
        groups.append((f"{names[true]}, taken for {names[answer]} ({shown})", pictures))
    about = (
        "Of the pairs that are confused most often, the test images with the highest loss: those "
        "whose true class the model thought least likely."
    )
    return [Gallery("Images that were taken for another class", about, groups)]


def _picture(mistake: Mistake, names: Sequence[str]) -> Picture:
    times = max(1, _SIDE // max(mistake.width, mistake.height))
    return Picture(
        f"data:{mistake.type};base64,{mistake.image}",
        f"true: {names[mistake.true]}, answered: {names[mistake.answer]}; "
        f"test example {mistake.example:,}",
        times * mistake.width,
        times * mistake.height,
        times > 1,
    )
