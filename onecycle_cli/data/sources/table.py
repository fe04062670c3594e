"""The user's own tables, a row an example, from CSV or Parquet files."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from onecycle_cli.data.files.columns import numbers, targets
from onecycle_cli.data.files.names import readable_name
from onecycle_cli.data.files.places import PARTS, Place, places_of
from onecycle_cli.data.files.tables import SUFFIXES, columns_in, read_table
from onecycle_cli.data.sources.parts import Part, source_of
from onecycle_cli.data.sources.source import Examples, Progress, Source
from onecycle_cli.errors import ConfigError, DataError, did_you_mean

if TYPE_CHECKING:
    import polars as pl

    from onecycle_cli.config import DatasetConfig


def read(config: DatasetConfig, progress: Progress | None) -> Source:
    """Read one table, or those called train, val and test in a folder, the last two optional.

    The last two may lie elsewhere: `dataset.validation` and `dataset.test` name a table then.

    Targets are the columns that `dataset.target` names; all others, but for `dataset.ignore` and
    `dataset.group`, are features: numbers or booleans, which become float32 of shape (n,
    features), in the order that they have in the training part.

    Raises:
        ConfigError: there is no dataset.path, or a column is named that is not there.
        DataError: a table breaks one of these rules, or Polars is not installed.
    """
    found = problem(config)
    if found is not None:
        raise ConfigError(": ".join(found))
    files = _files(config)
    features = _features(config, files)
    frame = read_table(files["train"])
    groups = None if config.group is None else targets(files["train"], frame, [config.group])
    train = Part(*_examples(files["train"], frame, features, config.targets), groups=groups)
    source = source_of(
        train,
        _read_part(files["val"], features, config.targets) if "val" in files else None,
        partial(_read_part, files["test"], features, config.targets) if "test" in files else None,
        origin=str(config.path),
        names={part: f"the {part} part" for part in ("train", "validation", "test")},
        elsewhere=config.parts,
        test_files=(files["test"],) if "test" in files else (),
    )
    notes = (*_counters(files["train"], frame, features), *_unused(config, files))
    return replace(source, notes=notes, columns=features)


def problem(config: DatasetConfig) -> tuple[str, str] | None:
    """Return the key that names a column which the table does not have, and a sentence.

    Raises:
        ConfigError: there is no dataset.path.
        DataError: there is no table, or Polars is not installed.
    """
    file = _files(config)["train"]
    columns = columns_in(file)
    group = [] if config.group is None else [config.group]
    for key, names in (("target", config.targets), ("ignore", config.ignore), ("group", group)):
        for name in names:
            if name not in columns:
                known = did_you_mean(name, list(map(readable_name, columns)))
                return f"dataset.{key}", f"{file} has no column '{readable_name(name)}'{known}"
    return None


def _files(config: DatasetConfig) -> dict[str, Path]:
    """Return the file of each part that there is."""
    if config.path is None:
        raise ConfigError("dataset.path must name a table for 'table', got null; set it.")
    place = Path(config.path)
    if place.is_dir():
        found = {part: file for part in PARTS if (file := _part_in(place, part)) is not None}
    else:
        found = {"train": place} if _is_table(place) else {}
    if "train" not in found:
        raise DataError(
            f"dataset.path must be a {_forms('')}, or a folder with {_forms('train')}, for "
            f"'table', got {place}."
        )
    within = {part: Place(file) for part, file in found.items()}
    return {part: place.path for part, place in places_of(within, config, _elsewhere).items()}


def _elsewhere(file: Path, part: str, key: str) -> Place:
    if not _is_table(file):
        raise DataError(f"{key} must be a {_forms('')} file for 'table', got {file}.")
    return Place(file)


def _part_in(folder: Path, part: str) -> Path | None:
    found = [file for file in _tables_in(folder) if file.stem == part]
    if len(found) > 1:
        names = " and ".join(file.name for file in found)
        raise DataError(f"{folder} must hold one table called {part}, got {names}; remove one.")
    return found[0] if found else None


def _tables_in(folder: Path) -> list[Path]:
    try:
        return sorted(file for file in folder.iterdir() if _is_table(file))
    except OSError as error:
        raise DataError(f"{folder} cannot be read ({error.strerror}); make it readable.") from error


def _is_table(file: Path) -> bool:
    return file.is_file() and file.suffix.lower() in SUFFIXES


def _forms(stem: str) -> str:
    return " or ".join(f"{stem}{suffix}" for suffix in SUFFIXES)


def _features(config: DatasetConfig, files: dict[str, Path]) -> tuple[str, ...]:
    """Return the columns that are features, and make sure that every part has what it needs."""
    file = files["train"]
    others = {*config.targets, *config.ignore, config.group}
    features = tuple(name for name in columns_in(file) if name not in others)
    if not features:
        raise DataError(f"{file} must have a column besides those of dataset.target and ignore.")
    if "" in features:
        raise DataError(
            f"{file} has a column without a name, such as an index that pandas wrote; give it one, "
            "or set dataset.ignore: ['']."
        )
    for part in files.values():
        _check_has(part, (*features, *config.targets), file)
    return features


def _check_has(file: Path, needed: tuple[str, ...], train: Path) -> None:
    lacking = sorted({*needed} - {*columns_in(file)})
    if lacking:
        raise DataError(
            f"{file} must have the columns of {train.name}, but lacks "
            f"'{readable_name(lacking[0])}'; add it, or leave that file out."
        )


def _read_part(file: Path, features: tuple[str, ...], columns: tuple[str, ...]) -> Part:
    return Part(*_examples(file, read_table(file), features, columns))


def _examples(
    file: Path, frame: pl.DataFrame, features: tuple[str, ...], columns: tuple[str, ...]
) -> Examples:
    return numbers(file, frame, features, "features"), targets(file, frame, columns)


def _counters(file: Path, frame: pl.DataFrame, features: tuple[str, ...]) -> tuple[str, ...]:
    """Say which features count the rows, as an index does."""
    return tuple(
        f"{file}: column '{readable_name(name)}' counts the rows, which tells nothing of an "
        f"example; leave it out by dataset.ignore."
        for name in features
        if frame.get_column(name).dtype.is_integer()
        and (frame.get_column(name).diff().drop_nulls() == 1).all()
    )


def _unused(config: DatasetConfig, files: dict[str, Path]) -> tuple[str, ...]:
    """Say which tables of a folder are none of its parts."""
    place = Path(str(config.path))
    beside = [] if place.is_file() else [t for t in _tables_in(place) if t not in files.values()]
    if not beside:
        return ()
    names = ", ".join(readable_name(file.name) for file in beside)
    return (f"{place}: not used: {names}; the parts are called train, val and test.",)
