"""Test images that a model took for another class, kept with the run for its report."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from onecycle_cli.errors import ResultError
from onecycle_cli.runs.files import read_json, write_json

FILE = "mistakes.json"

_VERSION = 1
_TYPES = ("image/png", "image/jpeg")


@dataclass(frozen=True)
class Mistake:
    """An image whose class the model got wrong.

    Attributes:
        true: its class, as a row of the confusion matrix.
        answer: what the model took it for, as a column of it.
        example: its place in the test set, counted from 0.
        type: of the picture: `image/png` or `image/jpeg`.
        width: of the picture, in pixels.
        height: of the picture, in pixels.
        image: the picture's bytes, in Base64.
    """

    true: int
    answer: int
    example: int
    type: str
    width: int
    height: int
    image: str


def write_mistakes(folder: Path, mistakes: Sequence[Mistake]) -> None:
    """Write `mistakes.json` whole or not at all; without any mistakes, remove one of before.

    Raises:
        ResultError: when it can't be written.
    """
    if not mistakes:
        (folder / FILE).unlink(missing_ok=True)
        return
    rows = [asdict(mistake) for mistake in mistakes]
    write_json(folder / FILE, {"schema_version": _VERSION, "mistakes": rows})


def read_mistakes(folder: Path) -> list[Mistake]:
    """Return what `mistakes.json` says; nothing if there is none.

    Raises:
        ResultError: when it is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        return []
    try:
        return [_checked(Mistake(**entry)) for entry in read_json(path)["mistakes"]]
    except (LookupError, TypeError, ValueError):
        raise ResultError(
            f"{path}: does not hold images as onecycle writes them; restore it, or remove it."
        ) from None


def _checked(mistake: Mistake) -> Mistake:
    """Return a mistake if its picture is one that a browser only shows.

    Raises:
        ValueError: when it is none.
    """
    places, sizes = (mistake.true, mistake.answer, mistake.example), (mistake.width, mistake.height)
    if not all(type(number) is int for number in (*places, *sizes)):
        raise ValueError("classes, places and sizes must be whole numbers.")
    if min(places) < 0 or min(sizes) < 1:
        raise ValueError("classes and places must not be negative, and sizes be 1 or more.")
    if mistake.type not in _TYPES:
        raise ValueError(f"the type of a picture must be one of {_TYPES}.")
    base64.b64decode(mistake.image, validate=True)
    return mistake
