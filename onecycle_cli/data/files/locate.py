"""Finds a data set that is already on this machine; never changes a file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from onecycle_cli.errors import DataError

DATA_VARIABLE = "ONECYCLE_DATA"


@dataclass(frozen=True)
class Layout:
    """How a data set lies on disk.

    Attributes:
        title: its name in sentences.
        files: names that one file with the whole data set may have.
        folders: folders, seen from the place that is searched, that may hold the members.
        members: files that such a folder holds, all of them.
    """

    title: str
    files: tuple[str, ...]
    folders: tuple[str, ...] = ()
    members: tuple[str, ...] = ()


def locate(layout: Layout, path: str | None) -> Path | None:
    """Return the folder or file that holds a data set, or None when it has to be downloaded.

    Looks at `path` and nowhere else when it is given; else in $ONECYCLE_DATA, the Keras cache and
    our own cache, in this order. Incomplete folders in a cache are passed over.

    Raises:
        DataError: `path` or $ONECYCLE_DATA does not exist, `path` holds no such data set, or
            either of them holds part of it.
    """
    if path is not None:
        return _given(layout, Path(path))
    place = data_folder()
    if place is not None:
        found = _find(layout, place)
        if found is not None:
            return found
        _refuse_part(layout, place, DATA_VARIABLE)
    return next((found for place in _caches() if (found := _find(layout, place))), None)


def data_folder() -> Path | None:
    """Return the place that $ONECYCLE_DATA names, or None when it is unset or empty.

    Raises:
        DataError: it names something that does not exist.
    """
    value = os.environ.get(DATA_VARIABLE)
    if not value:
        return None
    place = Path(value).expanduser()
    if not place.exists():
        raise DataError(
            f"{DATA_VARIABLE} must name a folder or file that exists, got {value}; "
            "correct or unset it, or set dataset.path."
        )
    return place


def download_folder() -> Path:
    """Return our own cache, $XDG_CACHE_HOME/onecycle or else ~/.cache/onecycle.

    It is not the Keras cache, because Keras writes there in place: what lies there may be half a
    file, and Keras deletes what it did not download itself.
    """
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else _home() / ".cache") / "onecycle"


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError as error:
        raise DataError(
            f"There is no home folder to keep data in; set dataset.path or {DATA_VARIABLE}."
        ) from error


def keras_folder() -> Path:
    """Return the folder that Keras downloads data sets to."""
    keras_home = os.environ.get("KERAS_HOME")
    return (Path(keras_home) if keras_home else _home() / ".keras") / "datasets"


def _caches() -> tuple[Path, Path]:
    return keras_folder(), download_folder()


def _given(layout: Layout, place: Path) -> Path:
    if not place.exists():
        raise DataError(f"dataset.path must exist, got {place}; correct it or set it to null.")
    found = place if place.is_file() else _find(layout, place, anything=True)
    if found is not None:
        return found
    _refuse_part(layout, place, "dataset.path", anything=True)
    forms = " or ".join([*layout.folders[:1], *layout.files[:1]])
    raise DataError(
        f"dataset.path must hold {layout.title} as {forms}, got {place} without it; "
        "correct it, or set it to null to look elsewhere."
    )


def _find(layout: Layout, place: Path, *, anything: bool = False) -> Path | None:
    """Return what `place` holds of this layout; members lying open count under any folder name
    only where the user said that they are this data set (`anything`)."""
    if place.is_file():
        return place if place.name in layout.files else None
    for folder in _candidates(layout, place, anything=anything):
        if not _missing(layout, folder):
            return folder
    return next((place / name for name in layout.files if (place / name).is_file()), None)


def _candidates(layout: Layout, place: Path, *, anything: bool) -> list[Path]:
    if not layout.members:
        return []
    itself = [place] if anything or place.name in layout.folders else []
    return itself + [place / name for name in layout.folders]


def _missing(layout: Layout, folder: Path) -> list[str]:
    return [name for name in layout.members if not (folder / name).is_file()]


def _refuse_part(layout: Layout, place: Path, what: str, *, anything: bool = False) -> None:
    for folder in _candidates(layout, place, anything=anything):
        missing = _missing(layout, folder)
        if len(missing) < len(layout.members):
            raise DataError(
                f"{what} must hold all of {layout.title}, but {folder} lacks "
                f"{', '.join(missing)}; complete it, or name another copy."
            )
