"""What lies in a folder that has a folder for each class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.files.names import readable_name
from onecycle_cli.data.files.places import PARTS
from onecycle_cli.errors import DataError

_LIKE_PARTS = frozenset({"training", "valid", "validation", "dev", "testing", "eval", "holdout"})
_SUFFIXES = frozenset(
    f".{ending}"
    for ending in (
        *("apng", "avif", "bmp", "dib", "gif", "jfif", "jif", "jp2", "jpe", "jpeg", "jpg"),
        *("pbm", "pgm", "png", "pnm", "ppm", "tif", "tiff", "webp"),
    )
)
_LITTER = frozenset({".directory", ".ds_store", "desktop.ini", "thumbs.db"})
"""Files that systems leave in folders which people look at."""


@dataclass(frozen=True)
class Files:
    """What lies in one part of the data.

    Attributes:
        paths: of the images, class by class in the order of the names.
        labels: their classes, int32.
        others: files that are no images by name or place.
        hidden: how many hidden files and folders there are, besides what systems leave behind.
    """

    paths: list[Path]
    labels: NDArray[np.int32]
    others: list[Path]
    hidden: int


@dataclass(frozen=True)
class Entries:
    """What lies in a folder: what is shown, in the order of the names; and how much is hidden."""

    shown: list[Path]
    hidden: int

    @property
    def folders(self) -> list[Path]:
        """Those of what is shown."""
        return [path for path in self.shown if path.is_dir()]

    @property
    def files(self) -> list[Path]:
        """All else that is shown, such as pipes and broken links too."""
        return [path for path in self.shown if not path.is_dir()]


def entries(folder: Path) -> Entries:
    """List a folder; of what systems leave there, nothing is told.

    Raises:
        DataError: it can't be read.
    """
    try:
        paths = [path for path in folder.iterdir() if not _is_litter(path.name)]
    except OSError as error:
        raise DataError(
            f"{readable_name(folder)} cannot be read ({error.strerror}); make it readable, or "
            "remove it."
        ) from error
    shown = [path for path in paths if not path.name.startswith(".")]
    return Entries(sorted(shown, key=lambda path: path.name), len(paths) - len(shown))


def training_folder(root: Path) -> Path:
    """Return the folder with the classes of the training: train/, or the whole where it is one.

    Raises:
        DataError: there are no such folders, or they look like something else.
    """
    if (root / "train").is_dir():
        return root / "train"
    if any((root / part).is_dir() for part in PARTS) or not root.is_dir():
        raise DataError(
            f"dataset.path must hold a folder train/ with one folder a class, or the classes' "
            f"folders themselves, got {readable_name(root)} without them."
        )
    _check_are_classes(root)
    return root


def class_names(folder: Path) -> tuple[str, ...]:
    """Return the names of the folders in a folder.

    Raises:
        DataError: there are fewer than two.
    """
    names = tuple(path.name for path in entries(folder).folders)
    if len(names) < 2:
        raise DataError(
            f"{readable_name(folder)} must hold a folder for each of two or more classes, got "
            f"{[readable_name(name) for name in names]}."
        )
    return names


def training_files(folder: Path, classes: tuple[str, ...]) -> Files:
    """List the images of each class.

    Raises:
        DataError: a class has none.
    """
    files = _files(folder, classes)
    empty = [name for label, name in enumerate(classes) if label not in files.labels]
    if empty:
        raise DataError(
            f"{readable_name(folder / empty[0])} must hold images, got none; add or remove."
        )
    return files


def files_of_part(folder: Path | None, classes: tuple[str, ...]) -> Files:
    """List the images of a part that need not have all classes; none if there is no such part.

    Raises:
        DataError: it has no images, or an unknown class.
    """
    if folder is None:
        return Files([], np.empty(0, np.int32), [], 0)
    unknown = [path.name for path in entries(folder).folders if path.name not in classes]
    if unknown:
        raise DataError(
            f"{readable_name(folder)} must hold classes of the training part only, got "
            f"{readable_name(unknown[0])}; rename it, or add it there."
        )
    files = _files(folder, classes)
    if not files.paths:
        raise DataError(f"{readable_name(folder)} must hold images, got none; fill or remove it.")
    return files


def _check_are_classes(root: Path) -> None:
    """Refuse folders that are rather parts of the data: by their names, or by classes in each."""
    folders = entries(root).folders
    named = [path.name for path in folders if path.name.lower() in {*PARTS, *_LIKE_PARTS}]
    within = [{inner.name for inner in entries(path).folders} for path in folders]
    if named or (len(folders) > 1 and len(set.intersection(*within)) > 1):
        raise DataError(
            f"{readable_name(root)} must hold a folder for each class, and "
            f"{readable_name((named or [folders[0].name])[0])} looks like a part of the data; call "
            f"the parts train, val and test."
        )


def _files(folder: Path, classes: tuple[str, ...]) -> Files:
    top = entries(folder)
    paths: list[Path] = []
    labels: list[int] = []
    others, hidden = top.files, top.hidden
    for label, name in enumerate(classes):
        if not (folder / name).is_dir():
            continue
        files, hidden_below = _files_below(folder / name, set())
        found = [path for path in files if _is_image(path)]
        paths += found
        labels += [label] * len(found)
        others += [path for path in files if not _is_image(path)]
        hidden += hidden_below
    return Files(paths, np.array(labels, np.int32), others, hidden)


def _files_below(folder: Path, seen: set[Path]) -> tuple[list[Path], int]:
    """Return the files of a folder and of those in it, and how much is hidden.

    Each real folder counts once, links included.
    """
    seen.add(folder.resolve())
    here = entries(folder)
    files, hidden = [], here.hidden
    for path in here.shown:
        if not path.is_dir():
            files.append(path)
        elif path.resolve() not in seen:
            more, hidden_below = _files_below(path, seen)
            files += more
            hidden += hidden_below
    return files, hidden


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in _SUFFIXES and path.is_file()


def _is_litter(name: str) -> bool:
    """Tell of what systems leave behind; a Mac writes ._NAME beside a file on other disks."""
    return name.lower() in _LITTER or name.startswith("._")
