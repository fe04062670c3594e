"""The user's own images, one folder a class."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from onecycle_cli.data.files.names import readable_name
from onecycle_cli.data.images.class_folders import (
    PARTS,
    Entries,
    Files,
    class_names,
    entries,
    optional_files,
    training_files,
    training_folder,
)
from onecycle_cli.data.images.decoding import Reduced, common_form, decoded
from onecycle_cli.data.images.image_cache import Decoded, ImageCache
from onecycle_cli.data.images.images import Form
from onecycle_cli.data.sources.source import Examples, Progress, Source
from onecycle_cli.errors import ConfigError

if TYPE_CHECKING:
    from onecycle_cli.config import DatasetConfig

_NAMED = 3


def read(config: DatasetConfig, progress: Progress | None) -> Source:
    """Read the images below train/<class> and, where there is one, val/<class>; or below <class>.

    They become uint8 with channels last. Classes are the folders of train/, or of the folder itself
    if it has no parts, in the order of their names. Files that are hidden, or whose suffixes are
    not those of images, are passed over, and a note counts them. Images are grey when all of train/
    and val/ are, else RGB (transparency is dropped), are turned as their EXIF data say, and are
    brought to `dataset.size`; without it they must share one size. They are decoded once, and then
    read from an `ImageCache` until a file changes.

    Args:
        config: the `dataset` section of the configuration.
        progress: told of (images decoded, images in all); not when they come from the cache.

    Raises:
        ConfigError: there is no dataset.path.
        DataError: the folder or an image breaks one of these rules.
    """
    root = _root(config.path)
    training = training_folder(root)
    classes = class_names(training)
    train = training_files(training, classes)
    val = optional_files(root / "val", classes)
    test = optional_files(root / "test", classes)
    images, problems = _images(root, train.paths + val.paths, config, progress)
    beside_parts = Entries([], 0) if training == root else entries(root)
    return Source(
        images.x,
        np.concatenate([train.labels, val.labels]),
        tuple(map(readable_name, classes)),
        origin=str(root),
        validation=len(val.paths),
        test=partial(_test, root, test, images.form, progress) if test.paths else None,
        notes=(
            *_notes_of_files(root, [train, val, test], beside_parts),
            *_notes_of_images(root, images.reduced),
            *problems,
        ),
    )


def _root(path: str | None) -> Path:
    if path is None:
        raise ConfigError(
            "dataset.path must name the folder with a folder for each class for 'image_folder', "
            "got null; set it."
        )
    return Path(path)


def _images(
    root: Path, paths: list[Path], config: DatasetConfig, progress: Progress | None
) -> tuple[Decoded, tuple[str, ...]]:
    """Return the images to train and validate on, and notes on the cache."""
    size = None if config.size is None else (config.size[1], config.size[0])

    def decode() -> Decoded:
        form, reduced = common_form(paths, size, config.fit)
        return Decoded(decoded(paths, form, progress), form, reduced)

    return ImageCache(root, "train", paths, [size, config.fit]).get(decode)


def _test(root: Path, files: Files, form: Form, progress: Progress | None) -> Examples:
    """Return the test set, which is not decoded before this is called."""

    def decode() -> Decoded:
        return Decoded(decoded(files.paths, form, progress), form, Reduced())

    images, _ = ImageCache(root, "test", files.paths, asdict(form)).get(decode)
    return images.x, files.labels


def _notes_of_files(root: Path, parts: list[Files], beside_parts: Entries) -> list[str]:
    """Say what is not used of all that lies there."""
    others = [*beside_parts.files, *(path for part in parts for path in part.others)]
    hidden = beside_parts.hidden + sum(part.hidden for part in parts)
    folders = [path for path in beside_parts.folders if path.name not in PARTS]
    where = readable_name(root)
    notes = []
    if others:
        notes.append(
            f"{where}: files that are no images by name or place, {len(others)} here, are not "
            f"used: {_some(root, others)}."
        )
    if hidden:
        notes.append(f"{where}: hidden files and folders, {hidden} here, are not used.")
    if folders:
        notes.append(
            f"{where}: {_some(root, folders)}: not used; the parts are called train, val and test."
        )
    return notes


def _notes_of_images(root: Path, reduced: Reduced) -> list[str]:
    """Say what is not used of the images to train and validate on."""
    where = readable_name(root)
    notes = []
    if reduced.frames:
        notes.append(
            f"{where}: of images with several frames, {reduced.frames} here, the first one is used."
        )
    if reduced.bits:
        notes.append(
            f"{where}: of images with 16 bits a channel, {reduced.bits} here, the upper 8 are used."
        )
    return notes


def _some(root: Path, paths: list[Path]) -> str:
    """Name the first of some paths, and count the others."""
    named = ", ".join(readable_name(path.relative_to(root)) for path in paths[:_NAMED])
    more = len(paths) - _NAMED
    return named + (f" and {more} more" if more > 0 else "")
