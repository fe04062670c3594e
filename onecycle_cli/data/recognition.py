"""What kind of data lies at a path, and what a configuration has to say of them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from onecycle_cli.data.files import npy, npz, tables
from onecycle_cli.data.files.columns import count_missing, example_of_text
from onecycle_cli.data.images import class_folders, images
from onecycle_cli.data.images.decoding import headers_of
from onecycle_cli.errors import DataError

_TARGETS = ("target", "targets", "label", "labels", "class", "y")
"""Names of columns that are there to be predicted."""

_NO_FEATURES = ("id", "index", "")
"""Names of columns that tell nothing; the last is that of an index which Pandas writes."""

_SAMPLE = 200
_MANY = 20
_LARGEST = 64
"""Height and width that images of different sizes are brought to, at most."""


@dataclass(frozen=True)
class Recognised:
    """What was found at a path.

    Attributes:
        dataset: the name in `config.SOURCES` of what reads it.
        about: what it is, in words.
        examples: how many there are to train with; `None`: it takes too long to know.
        columns: of a table, by name.
        texts: columns of a table that hold no numbers, which can only be the target, and for each
            a value that is none, in quotes.
        gaps: columns of a table that lack values, and how many.
        measures: columns of numbers that hardly ever come twice, which no classes are.
        values: how many different values each column of a table has.
        size: height and width to bring images to, where they differ.
    """

    dataset: str
    about: str
    examples: int | None = None
    columns: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    gaps: Mapping[str, int] = field(default_factory=dict)
    measures: tuple[str, ...] = ()
    values: Mapping[str, int] = field(default_factory=dict)
    size: tuple[int, int] | None = None

    @property
    def obvious_target(self) -> str | None:
        """The column whose name says that it is to be predicted; `None` for none, or several."""
        found = [name for name in self.columns if name.casefold() in _TARGETS]
        return found[0] if len(found) == 1 else None

    def useless(self, target: str) -> dict[str, str]:
        """Return the columns that can't be features, and why, in a few words."""
        others = (name for name in self.columns if name != target)
        return {name: why for name in others if (why := self._flaw(name)) is not None}

    def _flaw(self, name: str) -> str | None:
        if name.casefold() in _NO_FEATURES:
            return "an index, by its name"
        if name in self.texts:
            return f"no numbers, such as {self.texts[name]}"
        if name in self.gaps:
            return f"lacks {self.gaps[name]:,} of {self.examples:,} values"
        return None


def recognise(path: Path) -> Recognised:
    """Return what lies at a path: a table, arrays, or a folder of images.

    Raises:
        DataError: it is none of these, or it can't be read.
    """
    if not path.exists():
        raise DataError(f"{path}: there is nothing at this path.")
    if path.suffix.lower() == ".npz" or (path.is_dir() and any(path.glob("*.npy"))):
        return _arrays(path)
    if (table := _training_table(path)) is not None:
        return _table(table)
    if path.is_dir() and class_folders.entries(path).folders:
        return _images(path)
    raise DataError(
        f"{path}: is none of what can be read: a .csv or .parquet table, an .npz file or a folder "
        f"of .npy files with x_train and y_train, or a folder with a folder of images for each "
        f"class."
    )


def _arrays(path: Path) -> Recognised:
    reader = npy if path.is_dir() else npz
    names = reader.names_in(path)
    inputs = [name for name in names if name.partition("/")[0] in ("x_train", "x")]
    if not inputs:
        held = ", ".join(names) or "nothing"
        raise DataError(f"{path}: must hold x_train and y_train, got {held}.")
    first = reader.outlines(path, inputs[:1])[inputs[0]]
    shape = "x".join(map(str, first.shape))
    return Recognised("arrays", f"arrays, {inputs[0]} of {shape}", len(first))


def _training_table(path: Path) -> Path | None:
    if path.is_dir():
        parts = (path / f"train{suffix}" for suffix in tables.SUFFIXES)
        return next((part for part in parts if part.is_file()), None)
    return path if path.suffix.lower() in tables.SUFFIXES else None


def _table(file: Path) -> Recognised:
    frame = tables.read_table(file)
    examples = ((column.name, example_of_text(column)) for column in frame.get_columns())
    texts = {name: example for name, example in examples if example is not None}
    missing = {column.name: count_missing(column) for column in frame.get_columns()}
    gaps = {name: count for name, count in missing.items() if count}
    values = {column.name: column.n_unique() for column in frame.get_columns()}
    most = max(_MANY, frame.height / 2)
    measures = tuple(name for name, n in values.items() if n > most and name not in texts)
    about = f"a table of {frame.height:,} rows and {frame.width} columns"
    return Recognised(
        "table", about, frame.height, tuple(frame.columns), texts, gaps, measures, values
    )


def _images(path: Path) -> Recognised:
    folder = class_folders.training_folder(path)
    classes = class_folders.class_names(folder)
    paths = class_folders.training_files(folder, classes).paths
    some = paths[:: max(1, len(paths) // _SAMPLE)]
    sizes = [header.size for header in headers_of(some)]
    about = f"{len(paths):,} images of {len(classes)} classes"
    if len(set(sizes)) == 1:
        return Recognised("image_folder", f"{about}, {images.by(sizes[0])}", len(paths))
    width, height = (int(statistics.median(side)) for side in zip(*sizes, strict=True))
    size = min(height, _LARGEST), min(width, _LARGEST)
    return Recognised("image_folder", f"{about}, of different sizes", len(paths), size=size)
