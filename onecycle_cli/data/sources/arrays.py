"""The user's own arrays, from an .npz file or a folder of .npy files."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.files import npy, npz
from onecycle_cli.data.inputs import Inputs, finite
from onecycle_cli.data.mapping import is_mapped
from onecycle_cli.data.sources.parts import Part, source_of
from onecycle_cli.data.sources.source import Progress, Source
from onecycle_cli.errors import ConfigError, DataError

if TYPE_CHECKING:
    from onecycle_cli.config import DatasetConfig

_PARTS = ("train", "val", "test")


def read(config: DatasetConfig, progress: Progress | None) -> Source:
    """Read x_train and y_train, and x_val and y_val where the file has them.

    One array of inputs is called x_train: uint8 stays so, other numbers become float32; three axes
    are grey images and get a channel axis, four are images, channels last. Several inputs are
    called x_train/NAME, and their numbers and texts stay as they are. `weights_train`, one number
    an example, is optional, and so is `groups_train`, whose groups no split divides.

    A folder holds a file x_train.npy, or x_train/NAME.npy, for each; they stay on disk, and what a
    batch needs is read when it is needed. Inputs that are neither uint8 nor float32 are read whole.

    Raises:
        ConfigError: there is no dataset.path.
        DataError: the file breaks one of these rules.
    """
    file = _file(config.path)
    names = _reader(file).names_in(file)
    parts = [part for part in _PARTS if _names_of(names, part)]
    for part in ["train", *parts]:
        _check_is_whole(file, names, part)
    return source_of(
        _read_part(file, names, "train"),
        _read_part(file, names, "val") if "val" in parts else None,
        partial(_read_part, file, names, "test") if "test" in parts else None,
        origin=str(file),
        names={"train": "x_train", "validation": "x_val", "test": "x_test"},
    )


def _file(path: str | None) -> Path:
    if path is None:
        raise ConfigError("dataset.path must name the .npz file for 'arrays', got null; set it.")
    if not Path(path).exists():
        raise DataError(
            f"dataset.path must be an .npz file or a folder of .npy files for 'arrays', got {path}."
        )
    return Path(path)


def _reader(file: Path) -> Any:
    return npy if file.is_dir() else npz


def _names_of(names: tuple[str, ...], part: str) -> list[str]:
    """Return the names of all arrays of a part."""
    wanted = [f"{what}_{part}" for what in ("x", "y", "weights", "groups")]
    return [name for name in names if name.partition("/")[0] in wanted]


def _check_is_whole(file: Path, names: tuple[str, ...], part: str) -> None:
    found = {name.partition("/")[0] for name in _names_of(names, part)}
    for name in (f"x_{part}", f"y_{part}"):
        if name not in found:
            there = ", ".join(names) or "nothing"
            remedy = f"numpy.save({name}.npy, ...)" if file.is_dir() else "numpy.savez"
            raise DataError(f"{file} must hold {name}, got {there}; add it with {remedy}.")


def _read_part(file: Path, names: tuple[str, ...], part: str) -> Part:
    arrays = _reader(file).read(file, _names_of(names, part))
    return Part(
        _inputs(arrays, f"x_{part}", str(file)),
        arrays[f"y_{part}"],
        arrays.get(f"weights_{part}"),
        arrays.get(f"groups_{part}"),
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
