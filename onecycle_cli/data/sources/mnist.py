"""MNIST and Fashion-MNIST, as Keras hosts them.

Sources: LeCun, Cortes and Burges, http://yann.lecun.com/exdb/mnist/ (one .npz file); Xiao, Rasul
and Vollgraf, https://github.com/zalandoresearch/fashion-mnist (four .gz files in the IDX format).
"""

from __future__ import annotations

import gzip
import math
import zlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.files import npz
from onecycle_cli.data.files.download import Remote, download
from onecycle_cli.data.files.locate import Layout, download_folder, locate
from onecycle_cli.data.sources.source import Examples, Progress, Source, class_labels, reason
from onecycle_cli.errors import DataError

if TYPE_CHECKING:
    from onecycle_cli.config import DatasetConfig

_HOST = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_SIDE = 28

MNIST = Layout(title="MNIST", files=("mnist.npz",))
_MNIST_REMOTE = Remote(
    f"{_HOST}mnist.npz", "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
)
_MNIST_CLASSES = tuple("0123456789")

# Checksums: tensorflow/datasets, url_checksums/fashion_mnist.txt.
_FASHION_REMOTES = {
    "train-images-idx3-ubyte.gz": Remote(
        f"{_HOST}train-images-idx3-ubyte.gz",
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    ),
    "train-labels-idx1-ubyte.gz": Remote(
        f"{_HOST}train-labels-idx1-ubyte.gz",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    ),
    "t10k-images-idx3-ubyte.gz": Remote(
        f"{_HOST}t10k-images-idx3-ubyte.gz",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    ),
    "t10k-labels-idx1-ubyte.gz": Remote(
        f"{_HOST}t10k-labels-idx1-ubyte.gz",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    ),
}
FASHION_MNIST = Layout(
    title="Fashion-MNIST",
    files=(),
    folders=("fashion-mnist",),
    members=tuple(_FASHION_REMOTES),
)
_FASHION_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def read_mnist(config: DatasetConfig, progress: Progress | None) -> Source:
    """Read MNIST's training images; the test images only when asked.

    Raises:
        DataError: no copy can be found or downloaded, or the copy is damaged.
    """
    file = locate(MNIST, config.path) or download(
        _MNIST_REMOTE, download_folder() / MNIST.files[0], progress
    )
    x, y = _read_npz_split(file, "train")
    return Source(
        x, y, _MNIST_CLASSES, origin=str(file), test=partial(_read_npz_split, file, "test")
    )


def read_fashion_mnist(config: DatasetConfig, progress: Progress | None) -> Source:
    """Read Fashion-MNIST's training images; the test images only when asked.

    Raises:
        DataError: no copy can be found or downloaded, or the copy is damaged.
    """
    folder = locate(FASHION_MNIST, config.path) or _download_fashion(progress)
    x, y = _read_idx_split(folder, "train")
    return Source(
        x, y, _FASHION_CLASSES, origin=str(folder), test=partial(_read_idx_split, folder, "t10k")
    )


def _download_fashion(progress: Progress | None) -> Path:
    folder = download_folder() / FASHION_MNIST.folders[0]
    for name, remote in _FASHION_REMOTES.items():
        download(remote, folder / name, progress)
    return folder


def _read_npz_split(file: Path, split: str) -> Examples:
    images, labels = f"x_{split}", f"y_{split}"
    arrays = npz.read(file, (images, labels))
    if len(arrays) < 2:
        raise DataError(f"{file} must hold {images} and {labels}; use an intact copy of MNIST.")
    return _examples(arrays[images], arrays[labels], len(_MNIST_CLASSES), str(file))


def _read_idx_split(folder: Path, split: str) -> Examples:
    images = _read_idx(folder / f"{split}-images-idx3-ubyte.gz", axes=3)
    labels = _read_idx(folder / f"{split}-labels-idx1-ubyte.gz", axes=1)
    return _examples(images, labels, len(_FASHION_CLASSES), str(folder))


_LARGEST_IDX = 100_000_000
"""Bytes; the training images are half of it."""


def _read_idx(file: Path, axes: int) -> NDArray[np.uint8]:
    """Read an IDX file of bytes: the magic number 8 * 256 + axes, the lengths, the values."""
    try:
        with gzip.open(file) as stream:
            content = stream.read(_LARGEST_IDX + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(file, reason(error)) from error
    if len(content) > _LARGEST_IDX:
        raise _damaged(file, f"more than {_LARGEST_IDX:,} bytes when unpacked")
    size = 4 * (1 + axes)  # bytes of the header, big-endian integers
    magic, *shape = np.frombuffer(content[:size].ljust(size, b"\0"), ">i4").tolist()
    if len(content) < size or magic != 8 * 256 + axes:
        raise _damaged(file, f"not an IDX file of bytes with {axes} axes")
    values = np.frombuffer(content, np.uint8, offset=size)
    if min(shape) < 0 or math.prod(shape) != len(values):
        raise _damaged(file, f"{len(values)} values for a shape of {shape}")
    return values.reshape(shape)


def _examples(images: NDArray[Any], labels: NDArray[Any], classes: int, where: str) -> Examples:
    if images.dtype != np.uint8 or images.shape[1:] != (_SIDE, _SIDE) or not len(images):
        raise DataError(
            f"{where}: images must be uint8 of shape (n, {_SIDE}, {_SIDE}), "
            f"got {images.dtype} {images.shape}; use an intact copy."
        )
    y = class_labels(labels, len(images), classes, where)
    return np.ascontiguousarray(images[..., None]), y


def _damaged(file: Path, why: str) -> DataError:
    return DataError(
        f"{file} is damaged ({why}); remove it and fetch it again, or set dataset.path to the "
        "folder of an intact copy."
    )
