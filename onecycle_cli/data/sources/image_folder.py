"""The user's own images, one folder a class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.files.images import Form, common_form, decoded
from onecycle_cli.data.files.names import readable_name
from onecycle_cli.data.sources.source import Examples, Progress, Source
from onecycle_cli.errors import ConfigError, DataError

if TYPE_CHECKING:
    from onecycle_cli.config import DatasetConfig

_SUFFIXES = frozenset(
    f".{ending}"
    for ending in (
        *("apng", "avif", "bmp", "dib", "gif", "jfif", "jif", "jp2", "jpe", "jpeg", "jpg"),
        *("pbm", "pgm", "png", "pnm", "ppm", "tif", "tiff", "webp"),
    )
)
_LITTER = frozenset({"desktop.ini", "thumbs.db"})
_PARTS = ("train", "val", "test")
_LIKE_PARTS = frozenset({"training", "valid", "validation", "dev", "testing", "eval", "holdout"})
_NAMED = 3


@dataclass(frozen=True)
class _Files:
    """The images of one split, class by class in the order of the names, and all other files."""

    paths: list[Path]
    labels: NDArray[np.int32]
    others: list[Path]


def read(config: DatasetConfig, progress: Progress | None) -> Source:
    """Read the images below train/<class> and, where there is one, val/<class>; or below <class>.

    They become uint8 with channels last. Classes are the folders of train/, or of the folder itself
    if it has no parts, in the order of their names. Hidden files are passed over, and those whose
    suffixes are not those of images, which a note says. Images are grey when all of train/ and val/
    are, else RGB (transparency is dropped), are turned as their EXIF data say, and are brought to
    `dataset.size`; without it they must share one size.

    Raises:
        ConfigError: there is no dataset.path.
        DataError: the folder or an image breaks one of these rules.
    """
    root = _root(config.path)
    training = _training_folder(root)
    folders = _class_folders(training)
    train = _list_files(training, folders)
    empty = [name for label, name in enumerate(folders) if label not in train.labels]
    if empty:
        raise DataError(
            f"{readable_name(training / empty[0])} must hold images, got none; add or remove."
        )
    val = _optional_files(root / "val", folders)
    test = _optional_files(root / "test", folders)
    pool = train.paths + val.paths
    size = None if config.size is None else (config.size[1], config.size[0])
    form, with_frames = common_form(pool, size, config.fit)
    x = decoded(pool, form)
    return Source(
        x,
        np.concatenate([train.labels, val.labels]),
        tuple(map(readable_name, folders)),
        origin=str(root),
        validation=len(val.paths),
        test=partial(_examples, test, form) if test.paths else None,
        notes=_notes(
            root,
            [*train.others, *val.others, *test.others],
            [] if training == root else _entries(root),
            with_frames,
        ),
    )


def _root(path: str | None) -> Path:
    if path is None:
        raise ConfigError(
            "dataset.path must name the folder with a folder for each class for 'image_folder', "
            "got null; set it."
        )
    return Path(path)


def _training_folder(root: Path) -> Path:
    """Return the folder with the classes of the training: train/, or the whole where it is one."""
    if (root / "train").is_dir():
        return root / "train"
    if any((root / part).is_dir() for part in _PARTS) or not root.is_dir():
        raise DataError(
            f"dataset.path must hold a folder train/ with one folder a class, or the classes' "
            f"folders themselves, got {readable_name(root)} without them."
        )
    _check_are_classes(root)
    return root


def _check_are_classes(root: Path) -> None:
    """Refuse folders that are rather parts of the data: by their names, or by classes in each."""
    folders = [path for path in _entries(root) if path.is_dir()]
    named = [path.name for path in folders if path.name.lower() in {*_PARTS, *_LIKE_PARTS}]
    within = [{inner.name for inner in _entries(path) if inner.is_dir()} for path in folders]
    if named or (len(folders) > 1 and len(set.intersection(*within)) > 1):
        raise DataError(
            f"{readable_name(root)} must hold a folder for each class, and "
            f"{readable_name((named or [folders[0].name])[0])} looks like a part of the data; call "
            f"the parts train, val and test."
        )


def _class_folders(folder: Path) -> tuple[str, ...]:
    names = tuple(p.name for p in _entries(folder) if p.is_dir())
    if len(names) < 2:
        raise DataError(
            f"{readable_name(folder)} must hold a folder for each of two or more classes, got "
            f"{[readable_name(name) for name in names]}."
        )
    return names


def _optional_files(folder: Path, classes: tuple[str, ...]) -> _Files:
    if not folder.is_dir():
        return _Files([], np.empty(0, np.int32), [])
    unknown = [p.name for p in _entries(folder) if p.is_dir() and p.name not in classes]
    if unknown:
        raise DataError(
            f"{readable_name(folder)} must hold classes of train/ only, got "
            f"{readable_name(unknown[0])}; rename it, or add it to train/."
        )
    files = _list_files(folder, classes)
    if not files.paths:
        raise DataError(f"{readable_name(folder)} must hold images, got none; fill or remove it.")
    return files


def _list_files(folder: Path, classes: tuple[str, ...]) -> _Files:
    paths: list[Path] = []
    labels: list[int] = []
    others = [p for p in _entries(folder) if not p.is_dir()]
    for label, name in enumerate(classes):
        if not (folder / name).is_dir():
            continue
        files = list(_files_below(folder / name, set()))
        found = [p for p in files if _is_image(p)]
        paths += found
        labels += [label] * len(found)
        others += [p for p in files if not _is_image(p)]
    return _Files(paths, np.array(labels, np.int32), others)


def _files_below(folder: Path, seen: set[Path]) -> Iterator[Path]:
    """Yield the files of a folder and of those in it, each real folder once, links included."""
    seen.add(folder.resolve())
    for path in _entries(folder):
        if not path.is_dir():
            yield path
        elif path.resolve() not in seen:
            yield from _files_below(path, seen)


def _entries(folder: Path) -> list[Path]:
    """Return what lies in a folder, in the order of the names; nothing hidden."""
    try:
        shown = (path for path in folder.iterdir() if not path.name.startswith("."))
        return sorted(shown, key=lambda path: path.name)
    except OSError as error:
        raise DataError(
            f"{readable_name(folder)} cannot be read ({error.strerror}); get the right to, or "
            "remove it."
        ) from error


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in _SUFFIXES and path.is_file()


def _notes(
    root: Path, others: list[Path], beside_parts: list[Path], with_frames: int
) -> tuple[str, ...]:
    """Say what was not used of all that lies there."""
    others = [path for path in others if path.name.lower() not in _LITTER]
    unused = [path for path in beside_parts if path.is_dir() and path.name not in _PARTS]
    notes = []
    if others:
        notes.append(f"{_some(root, others)}: no image by its name or place, and not used.")
    if unused:
        notes.append(f"{_some(root, unused)}: not used; the parts are called train, val and test.")
    if with_frames:
        notes.append(
            f"{readable_name(root)}: of images with several frames, {with_frames} here, the first "
            "one is used."
        )
    return tuple(notes)


def _some(root: Path, paths: list[Path]) -> str:
    """Name the first of some paths, and count the others."""
    named = ", ".join(readable_name(path.relative_to(root)) for path in paths[:_NAMED])
    more = len(paths) - _NAMED
    return f"{readable_name(root)}: {named}" + (f" and {more} more" if more > 0 else "")


def _examples(files: _Files, form: Form) -> Examples:
    return decoded(files.paths, form), files.labels
