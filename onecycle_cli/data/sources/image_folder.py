"""The user's own images, one folder a class."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from onecycle_cli.config.dataset import PART_KEYS
from onecycle_cli.data.files.names import readable_name
from onecycle_cli.data.files.places import PARTS, Place, places_of
from onecycle_cli.data.images.class_folders import (
    Entries,
    Files,
    class_names,
    entries,
    files_of_part,
    training_files,
    training_folder,
)
from onecycle_cli.data.images.decoding import Reduced, common_form, decoded
from onecycle_cli.data.images.image_cache import Decoded, ImageCache
from onecycle_cli.data.images.images import Form, check_size
from onecycle_cli.data.sources.source import Examples, Progress, Source
from onecycle_cli.errors import ConfigError, DataError

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
    read from an `ImageCache` until a file changes. The parts to validate and test on may lie
    elsewhere, each in a folder of its classes.

    Args:
        config: the `dataset` section of the configuration.
        progress: told of (images decoded, images in all); not when they come from the cache.

    Raises:
        ConfigError: there is no dataset.path.
        DataError: the folder or an image breaks one of these rules.
    """
    root = _root(config.path)
    folders = _folders(root, config)
    elsewhere = {part: folders[part] for part, key in PART_KEYS.items() if key in config.parts}
    classes = class_names(folders["train"])
    train = training_files(folders["train"], classes)
    val, test = (files_of_part(folders.get(part), classes) for part in PART_KEYS)
    paths = train.paths + val.paths
    images, problems = _images(root, elsewhere.get("val"), paths, config, progress)
    check_size(test.paths[:1], images.form)
    return Source(
        images.x,
        np.concatenate([train.labels, val.labels]),
        tuple(map(readable_name, classes)),
        origin=str(root),
        validation=len(val.paths),
        test=partial(_test, elsewhere.get("test", root), test, images.form, progress)
        if test.paths
        else None,
        notes=(
            *_notes_of_files(root, folders, {"train": train, "val": val, "test": test}),
            *_notes_of_images(root, images.reduced),
            *problems,
        ),
        elsewhere=config.parts,
        test_files=tuple(test.paths),
    )


def _root(path: str | None) -> Path:
    if path is None:
        raise ConfigError(
            "dataset.path must name the folder with a folder for each class for 'image_folder', "
            "got null; set it."
        )
    return Path(path)


def _folders(root: Path, config: DatasetConfig) -> dict[str, Path]:
    """Return the folder of each part that there is."""
    training = training_folder(root)
    within = {part: Place(root / part) for part in PARTS if (root / part).is_dir()}
    places = places_of(within | {"train": Place(training)}, config, _elsewhere)
    for part, key in PART_KEYS.items():
        if key in config.parts and training.resolve() in places[part].path.resolve().parents:
            raise DataError(
                f"dataset.{key} must not lie within the training part, {readable_name(training)}, "
                f"got {readable_name(places[part].path)}; move it elsewhere."
            )
    return {part: place.path for part, place in places.items()}


def _elsewhere(folder: Path, part: str, key: str) -> Place:
    if not folder.is_dir():
        raise DataError(
            f"{key} must be a folder with a folder for each class for 'image_folder', got "
            f"{readable_name(folder)}."
        )
    return Place(folder)


def _images(
    root: Path,
    beside: Path | None,
    paths: list[Path],
    config: DatasetConfig,
    progress: Progress | None,
) -> tuple[Decoded, tuple[str, ...]]:
    """Return the images to train and validate on, and notes on the cache."""
    size = None if config.size is None else (config.size[1], config.size[0])

    def decode() -> Decoded:
        form, reduced = common_form(paths, size, config.fit)
        return Decoded(decoded(paths, form, progress), form, reduced)

    return ImageCache(root, "train", paths, [size, config.fit], beside).get(decode)


def _test(root: Path, files: Files, form: Form, progress: Progress | None) -> Examples:
    """Return the test set, which is not decoded before this is called."""

    def decode() -> Decoded:
        return Decoded(decoded(files.paths, form, progress), form, Reduced())

    images, _ = ImageCache(root, "test", files.paths, asdict(form)).get(decode)
    return images.x, files.labels


def _notes_of_files(root: Path, folders: dict[str, Path], parts: dict[str, Files]) -> list[str]:
    """Say what is not used of all that lies there, in the folder and in parts elsewhere."""
    beside_parts = Entries([], 0) if folders["train"] == root else entries(root)
    used = {folder.resolve() for folder in folders.values()}
    unknown = [path for path in beside_parts.folders if path.resolve() not in used]
    within = [part for part, folder in folders.items() if folder in (root, root / part)]
    notes = _notes_of(
        root,
        [*beside_parts.files, *(path for part in within for path in parts[part].others)],
        beside_parts.hidden + sum(parts[part].hidden for part in within),
    )
    for part in [part for part in folders if part not in within]:
        notes += _notes_of(folders[part], parts[part].others, parts[part].hidden)
    if unknown:
        notes.append(
            f"{readable_name(root)}: not used: {_some(root, unknown)}; the parts are called train, "
            f"val and test."
        )
    return notes


def _notes_of(folder: Path, others: list[Path], hidden: int) -> list[str]:
    where = readable_name(folder)
    notes = []
    if others:
        notes.append(
            f"{where}: files that are not images by name or place are not used ({len(others)}): "
            f"{_some(folder, others)}."
        )
    if hidden:
        notes.append(f"{where}: hidden files and folders are not used ({hidden}).")
    return notes


def _notes_of_images(root: Path, reduced: Reduced) -> list[str]:
    """Say what is not used of the images to train and validate on."""
    where = readable_name(root)
    notes = []
    if reduced.frames:
        notes.append(
            f"{where}: only the first frame of images with several is used ({reduced.frames})."
        )
    if reduced.bits:
        notes.append(
            f"{where}: only the upper 8 bits of images with 16 bits a channel are used "
            f"({reduced.bits})."
        )
    return notes


def _some(root: Path, paths: list[Path]) -> str:
    """Name the first of some paths, and count the others."""
    named = ", ".join(readable_name(path.relative_to(root)) for path in paths[:_NAMED])
    more = len(paths) - _NAMED
    return named + (f" and {more} more" if more > 0 else "")
