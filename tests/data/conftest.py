"""Small data sets on disk and in memory; no test reads the user's caches or the network."""

import gzip
import io
import pickle
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest

from onecycle_cli.data import Dataset
from onecycle_cli.data.statistics import channel_statistics

CIFAR10_MEMBERS = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]


def cifar_member(number, count=20):
    rng = np.random.default_rng(number)
    return {
        b"data": rng.integers(0, 256, (count, 3072), dtype=np.uint8),
        b"labels": [(number + i) % 10 for i in range(count)],
    }


@pytest.fixture
def cifar_folder(tmp_path):
    """A complete CIFAR-10 folder of 5 x 20 training and 20 test images."""
    folder = tmp_path / "somewhere" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    for number, name in enumerate(CIFAR10_MEMBERS):
        (folder / name).write_bytes(pickle.dumps(cifar_member(number)))
    return folder


@pytest.fixture
def pack():
    """Write a .tar.gz of (name, bytes or link target) in the order given."""

    def write(path: Path, members):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(path, "w:gz") as tar:
            for name, content in members:
                info = tarfile.TarInfo(name)
                if isinstance(content, str):
                    info.type, info.linkname = tarfile.SYMTYPE, content
                    tar.addfile(info)
                else:
                    info.size = len(content)
                    tar.addfile(info, io.BytesIO(content))
        return path

    return write


@pytest.fixture
def cifar_archive(tmp_path, cifar_folder, pack):
    """The same images, packed in another order, as the published archive is."""
    order = ["data_batch_4", "test_batch", "data_batch_3", "data_batch_1", "data_batch_5"]
    members = [
        (f"cifar-10-batches-py/{name}", (cifar_folder / name).read_bytes())
        for name in [*order, "data_batch_2"]
    ]
    return pack(tmp_path / "packed" / "cifar-10-python.tar.gz", members)


@pytest.fixture
def fashion_folder(tmp_path):
    folder = tmp_path / "somewhere" / "fashion-mnist"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(3)
    for split, count in (("train", 50), ("t10k", 20)):
        images = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        header = struct.pack(">4i", 2051, count, 28, 28)
        (folder / f"{split}-images-idx3-ubyte.gz").write_bytes(
            gzip.compress(header + images.tobytes())
        )
        (folder / f"{split}-labels-idx1-ubyte.gz").write_bytes(
            gzip.compress(struct.pack(">2i", 2049, count) + labels.tobytes())
        )
    return folder


@pytest.fixture
def make_dataset():
    """Build a data set of random images or features straight in memory."""

    def make(*, train=100, validation=20, shape=(8, 6, 3), dtype=np.uint8, classes=5, seed=0):
        rng = np.random.default_rng(seed)
        count = train + validation
        x = rng.integers(0, 256, (count, *shape)).astype(dtype)
        rows = rng.permutation(count)
        train_rows = np.sort(rows[:train])
        mean, std = channel_statistics(x, train_rows)
        return Dataset(
            name="made",
            x=x,
            y=(np.arange(count) % classes).astype(np.int32),
            train=train_rows,
            validation=np.sort(rows[train:]),
            classes=tuple(str(i) for i in range(classes)),
            mean=mean,
            std=std,
            read_test=lambda: (x[:7], np.zeros(7, np.int32)),
            origin="nowhere",
        )

    return make
