"""CIFAR-10 and CIFAR-100, from their folder, their archive, or a download.

Source: Alex Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009,
https://www.cs.toronto.edu/~kriz/cifar.html. Each member is a pickled dict: b"data", uint8 of shape
(n, 3072), the red, green and blue planes one after the other, row by row; and a list of labels.
"""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.files.download import Remote, download
from onecycle_cli.data.files.locate import Layout, download_folder, locate
from onecycle_cli.data.files.unpickle import load_arrays
from onecycle_cli.data.sources.source import Examples, Progress, Source, class_labels, reason
from onecycle_cli.errors import DataError

if TYPE_CHECKING:
    from onecycle_cli.config import DatasetConfig

_SIDE, _CHANNELS = 32, 3
_PIXELS = _CHANNELS * _SIDE * _SIDE


@dataclass(frozen=True)
class Cifar:
    """One of the two data sets.

    Attributes:
        layout: where it lies on disk.
        remote: where it is downloaded from.
        train: the members with the training images, in order.
        test: the member with the test images.
        capacity: images that a training member holds at most.
        label_key: the key of the labels in a member.
        classes: the classes' names, in the labels' order.
    """

    layout: Layout
    remote: Remote
    train: tuple[str, ...]
    test: str
    capacity: int
    label_key: bytes
    classes: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_CIFAR10_TRAIN = tuple(f"data_batch_{i}" for i in range(1, 6))

CIFAR10 = Cifar(
    layout=Layout(
        title="CIFAR-10",
        files=("cifar-10-python.tar.gz", "cifar-10-batches-py-target_archive"),
        folders=(
            "cifar-10-batches-py",
            "cifar-10-batches-py-target/cifar-10-batches-py",
            "",
        ),
        members=(*_CIFAR10_TRAIN, "test_batch"),
    ),
    remote=Remote(
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    ),
    train=_CIFAR10_TRAIN,
    test="test_batch",
    capacity=10_000,
    label_key=b"labels",
    classes=_words("airplane automobile bird cat deer dog frog horse ship truck"),
)

CIFAR100 = Cifar(
    layout=Layout(
        title="CIFAR-100",
        files=("cifar-100-python.tar.gz", "cifar-100-python-target_archive"),
        folders=("cifar-100-python", "cifar-100-python-target/cifar-100-python"),
        members=("train", "test"),
    ),
    remote=Remote(
        "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    ),
    train=("train",),
    test="test",
    capacity=50_000,
    label_key=b"fine_labels",
    classes=_words(
        """apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus
        butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch
        crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house
        kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
        mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree
        plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew
        skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank
        telephone television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf
        woman worm"""
    ),
)


def read_cifar10(config: DatasetConfig, progress: Progress | None) -> Source:
    """Read CIFAR-10, as `read` does."""
    return read(CIFAR10, config, progress)


def read_cifar100(config: DatasetConfig, progress: Progress | None) -> Source:
    """Read CIFAR-100, as `read` does."""
    return read(CIFAR100, config, progress)


def read(cifar: Cifar, config: DatasetConfig, progress: Progress | None) -> Source:
    """Read the training images of CIFAR-10 or CIFAR-100; the test images only when asked.

    Raises:
        DataError: no copy can be found or downloaded, or the copy is damaged.
    """
    place = locate(cifar.layout, config.path) or download(
        cifar.remote, download_folder() / cifar.layout.files[0], progress
    )
    x, y = _read_members(cifar, place, cifar.train, cifar.capacity)
    return Source(x, y, cifar.classes, origin=str(place), test=partial(_read_test, cifar, place))


def _read_test(cifar: Cifar, place: Path) -> Examples:
    return _read_members(cifar, place, (cifar.test,), 10_000)


def _read_members(cifar: Cifar, place: Path, names: tuple[str, ...], capacity: int) -> Examples:
    """Decode members into one array, without a second copy of the whole when they are full.

    Each member has its place there, since an archive gives them in an order of its own.
    """
    places: dict[str, NDArray[np.uint8]] = {}
    labels: dict[str, NDArray[np.int32]] = {}
    x = np.empty(0, np.uint8)
    for name, where, stream in _open_members(cifar, place, names):
        planes, labels[name] = _decode(cifar, stream, where, capacity)
        if not x.size:  # after decoding, so that it can take memory which that has left behind
            x = np.empty((len(names) * capacity, _SIDE, _SIDE, _CHANNELS), np.uint8)
        start = names.index(name) * capacity
        places[name] = x[start : start + len(planes)]
        places[name][:] = planes.transpose(0, 2, 3, 1)
        del planes  # before the next member is read
    y = np.concatenate([labels[name] for name in names])
    return (x if len(y) == len(x) else np.concatenate([places[name] for name in names])), y


def _decode(
    cifar: Cifar, stream: BinaryIO, where: str, capacity: int
) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Return one member's images, channels first, and its labels."""
    content = load_arrays(stream, where)
    planes = _planes(content, where, capacity)
    if cifar.label_key not in content:
        raise DataError(f"{where} has no {cifar.label_key.decode()}; use an intact copy.")
    labels = class_labels(content[cifar.label_key], len(planes), len(cifar.classes), where)
    return planes.reshape(-1, _CHANNELS, _SIDE, _SIDE), labels


def _planes(content: dict[bytes, Any], where: str, capacity: int) -> NDArray[np.uint8]:
    data = content.get(b"data")
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.shape[1:] != (_PIXELS,):
        got = f"{data.dtype} {data.shape}" if isinstance(data, np.ndarray) else "none"
        raise DataError(
            f"{where}: data must be a uint8 array of shape (n, {_PIXELS}), got {got}; "
            "use an intact copy."
        )
    if not 0 < len(data) <= capacity:
        raise DataError(
            f"{where} must hold 1 to {capacity} images, got {len(data)}; use an intact copy."
        )
    return data


def _open_members(
    cifar: Cifar, place: Path, names: tuple[str, ...]
) -> Iterator[tuple[str, str, BinaryIO]]:
    """Yield (name, where, stream) for each member, in the order that is cheapest to read."""
    if place.is_file():
        yield from _open_archived(cifar, place, names)
        return
    for name in names:
        with _damage_reported(cifar, place / name), (place / name).open("rb") as stream:
            yield name, str(place / name), stream


def _open_archived(
    cifar: Cifar, archive: Path, names: tuple[str, ...]
) -> Iterator[tuple[str, str, BinaryIO]]:
    """Yield the members in one pass, as they come: going back would decompress all over again.

    Nothing is extracted to disk, and links inside the archive are not followed.
    """
    folder = cifar.layout.folders[0]
    wanted = {PurePosixPath(folder, name): name for name in names}
    with _damage_reported(cifar, archive), tarfile.open(archive) as tar:
        for member in tar:
            if not wanted:
                return
            name = wanted.pop(PurePosixPath(member.name), None) if member.isreg() else None
            if name is not None:
                stream = cast("BinaryIO", tar.extractfile(member))
                yield name, f"{archive} ({member.name})", stream
    if wanted:
        missing = ", ".join(str(path) for path in wanted)
        raise DataError(f"{archive} lacks {missing}; set dataset.path to an intact copy.")


@contextmanager
def _damage_reported(cifar: Cifar, file: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise DataError(
            f"{file} cannot be read as {cifar.layout.title} ({reason(error)}); "
            "fetch it again, or set dataset.path to an intact copy."
        ) from error
