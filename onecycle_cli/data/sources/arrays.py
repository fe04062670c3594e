"""The user's own arrays, from an .npz file or a folder of .npy files."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.config.dataset import PART_KEYS
from onecycle_cli.data.files import npy, npz
from onecycle_cli.data.files.places import Place, places_of
from onecycle_cli.data.inputs import Inputs, finite
from onecycle_cli.data.mapping import is_mapped
from onecycle_cli.data.sources.parts import Part, check_lengths, source_of
from onecycle_cli.data.sources.source import Progress, Source
from onecycle_cli.errors import ConfigError, DataError

if TYPE_CHECKING:
    from onecycle_cli.config import DatasetConfig


def read(config: DatasetConfig, progress: Progress | None) -> Source:
    """Read x_train and y_train, and x_val and y_val where the file has them.

    One array of inputs is called x_train: uint8 stays so, other numbers become float32; three axes
    are grey images and get a channel axis, four are images, channels last. Several inputs are
    called x_train/NAME, and their numbers and texts stay as they are. `weights_train`, one number
    an example, is optional, and so is `groups_train`, whose groups no split divides. Parts may lie
    in files of their own, and be called x and y there.

    A folder holds a file x_train.npy, or x_train/NAME.npy, for each; they stay on disk, and what a
    batch needs is read when it is needed. Inputs that are neither uint8 nor float32 are read whole.

    Of the test part no more than types and shapes are looked at, until it is asked for.

    Raises:
        ConfigError: there is no dataset.path.
        DataError: a file breaks one of these rules.
    """
    places = _places(config)
    test = places.get("test")
    return source_of(
        _read_part(places["train"]),
        _read_part(places["val"]) if "val" in places else None,
        None if test is None else partial(_read_part, test),
        origin=str(places["train"].path),
        names={PART_KEYS.get(part, part): _in_words(place) for part, place in places.items()},
        elsewhere=config.parts,
        outline=None if test is None else _outline(test),
        test_files=() if test is None else _reader(test.path).files_of(test.path, _names_of(test)),
    )


def _places(config: DatasetConfig) -> dict[str, Place]:
    if config.path is None:
        raise ConfigError("dataset.path must name the .npz file for 'arrays', got null; set it.")
    file = Path(config.path)
    train = _found(file, "train", "dataset.path")
    beside = [Place(file, part) for part in PART_KEYS]
    within = {place.name: _whole(place) for place in beside if _names_of(place)}
    return places_of({"train": train} | within, config, _found)


def _found(file: Path, part: str, key: str) -> Place:
    """Return the place of a part, by its own name or, in a file of its own, by none."""
    if not file.exists():
        raise DataError(
            f"{key} must be an .npz file or a folder of .npy files for 'arrays', got {file}."
        )
    own, plain = Place(file, part), Place(file)
    return _whole(plain if _names_of(plain) and not _names_of(own) else own)


def _whole(place: Place) -> Place:
    """Return a place that has both inputs and targets."""
    file, held = place.path, {found.partition("/")[0] for found in _names_of(place)}
    for name in (_named("x", place), _named("y", place)):
        if name not in held:
            other = "" if held or place.name == "train" else f" or {name[0]}"
            there = ", ".join(_reader(file).names_in(file)) or "nothing"
            remedy = f"numpy.save({name}.npy, ...)" if file.is_dir() else "numpy.savez"
            raise DataError(f"{file} must hold {name}{other}, got {there}; add it with {remedy}.")
    return place


def _reader(file: Path) -> Any:
    return npy if file.is_dir() else npz


def _names_of(place: Place) -> list[str]:
    """Return the names of all arrays of a part."""
    wanted = [_named(what, place) for what in ("x", "y", "weights", "groups")]
    names = _reader(place.path).names_in(place.path)
    return [name for name in names if name.partition("/")[0] in wanted]


def _named(what: str, place: Place) -> str:
    return f"{what}_{place.name}" if place.name else what


def _in_words(place: Place) -> str:
    return _named("x", place) if place.name else "the arrays"


def _read_part(place: Place) -> Part:
    return _part(_reader(place.path).read(place.path, _names_of(place)), place)


def _outline(place: Place) -> Part:
    """Return a part of one example, of which types and shapes are those of a part.

    Raises:
        DataError: the part has not as many inputs as targets.
    """
    arrays = _reader(place.path).outlines(place.path, _names_of(place))
    check_lengths(arrays, f"{place.path}: {_in_words(place)}")
    return _part({name: np.ones_like(array[:1]) for name, array in arrays.items()}, place)


def _part(arrays: dict[str, NDArray[Any]], place: Place) -> Part:
    return Part(
        _inputs(arrays, _named("x", place), str(place.path)),
        arrays[_named("y", place)],
        arrays.get(_named("weights", place)),
        arrays.get(_named("groups", place)),
    )


def _inputs(arrays: dict[str, NDArray[Any]], name: str, where: str) -> Inputs:
    several = {n.partition("/")[2]: a for n, a in arrays.items() if n.startswith(f"{name}/")}
    if several and name in arrays:
        raise DataError(f"{where} must hold either {name} or {name}/NAME, got both.")
    return several or _single(arrays[name], f"{where}: {name}")


def _single(values: NDArray[Any], where: str) -> NDArray[Any]:
    if values.dtype.kind not in "buif" or not 2 <= values.ndim <= 4 or not values.size:
        raise DataError(
            f"{where} must be numbers of shape (n, features), (n, height, width) or "
            f"(n, height, width, channels), got {values.dtype} {values.shape}."
        )
    values = values[..., None] if values.ndim == 3 else values
    if is_mapped(values) and values.dtype in (np.uint8, np.float32):
        return values
    return np.ascontiguousarray(values) if values.dtype == np.uint8 else finite(values, where)
