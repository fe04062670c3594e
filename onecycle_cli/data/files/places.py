"""Where each part of the user's own data lies: within `dataset.path`, or elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from onecycle_cli.config.dataset import PART_KEYS
from onecycle_cli.data.files.names import readable_name
from onecycle_cli.errors import DataError

if TYPE_CHECKING:
    from onecycle_cli.config import DatasetConfig

PARTS = ("train", *PART_KEYS)


class Place(NamedTuple):
    """Where a part lies.

    Attributes:
        path: the file or folder.
        name: what its arrays are called there, such as `val`, where there are several.
    """

    path: Path
    name: str = ""


def places_of(
    within: Mapping[str, Place], config: DatasetConfig, find: Callable[[Path, str, str], Place]
) -> dict[str, Place]:
    """Return the place of each part: of those within `dataset.path`, and of those elsewhere.

    Args:
        within: the former; `train`, and those of `val` and `test` that there are.
        config: the `dataset` section of the configuration, which names the latter.
        find: finds the part in such a path; takes it, what the part is called, and its key.

    Raises:
        DataError: a part is both within and elsewhere, or two parts are the same.
    """
    places = dict(within)
    for part, key in PART_KEYS.items():
        if key not in config.parts:
            continue
        if part in within:
            raise DataError(
                f"{readable_name(within[part].path)} has a {key} part already, and dataset.{key} "
                f"names another, {readable_name(config.parts[key])}; remove one of them."
            )
        places[part] = find(Path(config.parts[key]), part, f"dataset.{key}")
    _check_are_different(places)
    return places


def _check_are_different(places: Mapping[str, Place]) -> None:
    known: dict[tuple[Path, str], str] = {}
    for part, place in places.items():
        other = known.setdefault((place.path.resolve(), place.name), part)
        if other != part:
            raise DataError(
                f"{readable_name(place.path)} can't be both the {_in_words(other)} and the "
                f"{_in_words(part)} part; name another for one of them."
            )


def _in_words(part: str) -> str:
    return PART_KEYS.get(part, "training")
