"""The user's own images, one folder a class."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.source import Examples, Progress, Source, reason
from onecycle_cli.errors import ConfigError, DataError

if TYPE_CHECKING:
    from PIL.Image import Image

    from onecycle_cli.config import DatasetConfig

_SUFFIXES = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
_GREY = frozenset({"1", "L"})
_COLOUR = frozenset({"P", "PA", "LA", "La", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr", "LAB"})


@dataclass(frozen=True)
class _Files:
    """The images of one split, class by class in the order of the names."""

    paths: list[Path]
    labels: NDArray[np.int32]


@dataclass(frozen=True)
class _Form:
    """What all images share: (width, height) in pixels, and grey or colour."""

    size: tuple[int, int]
    mode: str  # "L" | "RGB", in Pillow's words

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.size[1], self.size[0], 1 if self.mode == "L" else 3


def read(config: DatasetConfig, progress: Progress | None) -> Source:
    """Read train/<class>/* and, where there is one, val/<class>/*, as uint8 with channels last.

    Classes are the folders of train/, in the order of their names. Files of other suffixes than
    those of images, and hidden ones, are passed over. Images are grey when all of train/ and val/
    are, else RGB (transparency is dropped), and must share one size.

    Raises:
        ConfigError: there is no dataset.path.
        DataError: the folder or an image breaks one of these rules.
    """
    root = _root(config.path)
    classes = _class_names(root / "train")
    train = _list_files(root / "train", classes)
    empty = [name for label, name in enumerate(classes) if label not in train.labels]
    if empty:
        raise DataError(f"{root / 'train' / empty[0]} must hold images, got none; add or remove.")
    val = _optional_files(root / "val", classes)
    test = _optional_files(root / "test", classes)
    pool = _Files(train.paths + val.paths, np.concatenate([train.labels, val.labels]))
    form = _common_form(pool.paths)
    x, y = _decode_all(pool, form)
    return Source(
        x,
        y,
        classes,
        origin=str(root),
        validation=len(val.paths),
        test=partial(_decode_all, test, form) if test.paths else None,
    )


def _root(path: str | None) -> Path:
    if path is None:
        raise ConfigError(
            "dataset.path must name the folder with train/<class>/* for 'image_folder', got null; "
            "set it."
        )
    if not (Path(path) / "train").is_dir():
        raise DataError(
            f"dataset.path must hold a folder train/ with one folder a class, got {path} "
            "without it."
        )
    return Path(path)


def _class_names(folder: Path) -> tuple[str, ...]:
    names = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    if len(names) < 2:
        raise DataError(
            f"{folder} must hold a folder for each of two or more classes, got {names}."
        )
    return tuple(names)


def _optional_files(folder: Path, classes: tuple[str, ...]) -> _Files:
    if not folder.is_dir():
        return _Files([], np.empty(0, np.int32))
    unknown = sorted(
        p.name
        for p in folder.iterdir()
        if p.is_dir() and not p.name.startswith(".") and p.name not in classes
    )
    if unknown:
        raise DataError(
            f"{folder} must hold classes of train/ only, got {unknown[0]}; "
            "rename it, or add it to train/."
        )
    files = _list_files(folder, classes)
    if not files.paths:
        raise DataError(f"{folder} must hold images, got none; fill or remove it.")
    return files


def _list_files(folder: Path, classes: tuple[str, ...]) -> _Files:
    paths: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        if not (folder / name).is_dir():
            continue
        found = sorted(p for p in (folder / name).iterdir() if _is_image(p))
        paths += found
        labels += [label] * len(found)
    return _Files(paths, np.array(labels, np.int32))


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in _SUFFIXES and not path.name.startswith(".") and path.is_file()


def _common_form(paths: list[Path]) -> _Form:
    """Read every header, and refuse the first image whose size is not that of the first."""
    size, grey = None, True
    for path in paths:
        with _opened(path) as image:
            size = size or image.size
            _check_size(image, path, size, paths[0])
            grey = grey and image.mode in _GREY
    return _Form(size or (0, 0), "L" if grey else "RGB")


def _check_size(image: Image, path: Path, size: tuple[int, int], first: Path) -> None:
    if image.size != size:
        raise DataError(
            f"{path} must have the size of {first}, {size[0]}x{size[1]} pixels, got "
            f"{image.size[0]}x{image.size[1]}; resize all images to one size first."
        )


def _decode_all(files: _Files, form: _Form) -> Examples:
    x = np.empty((len(files.paths), *form.shape), np.uint8)
    for row, path in enumerate(files.paths):
        with _opened(path) as image:
            if image.size != form.size:
                width, height = form.size
                raise DataError(
                    f"{path} must have the size of the training images, {width}x{height} pixels, "
                    f"got {image.size[0]}x{image.size[1]}; resize it first."
                )
            x[row] = np.asarray(image.convert(form.mode)).reshape(form.shape)
    return x, files.labels


@contextmanager
def _opened(path: Path) -> Iterator[Image]:
    """Open an image; turn whatever goes wrong with it into one sentence.

    Pillow's limit on the number of pixels, a warning by default, counts as an error here: a file
    of a few kilobytes can otherwise unpack to gigabytes.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                if image.mode not in _GREY | _COLOUR:
                    raise DataError(
                        f"{path} must have 8 bits a channel, got Pillow's mode {image.mode!r}; "
                        "convert it, or use 'arrays' with floats."
                    )
                yield image
    except DataError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise DataError(f"{path} is too large to be opened safely ({reason(error)}).") from error
    except Exception as error:  # a damaged image can raise nearly anything
        raise DataError(
            f"{path} cannot be read as an image ({reason(error)}); replace or remove it."
        ) from error
