import gzip
import hashlib
import struct
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from onecycle_cli.config import DatasetConfig
from onecycle_cli.data.files.download import Remote
from onecycle_cli.data.sources import mnist
from onecycle_cli.errors import DataError


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.integers(0, 256, (40, 28, 28), dtype=np.uint8),
        "y_train": (np.arange(40) % 10).astype(np.uint8),
        "x_test": rng.integers(0, 256, (10, 28, 28), dtype=np.uint8),
        "y_test": np.arange(10, dtype=np.uint8),
    }


@pytest.fixture
def npz(tmp_path, arrays):
    (tmp_path / "somewhere").mkdir()
    np.savez(tmp_path / "somewhere" / "mnist.npz", **arrays)
    return tmp_path / "somewhere" / "mnist.npz"


def read(path=None, kind=mnist.read_mnist):
    return kind(DatasetConfig(name="mnist", path=None if path is None else str(path)), None)


def test_mnist_gets_a_channel_axis(npz, arrays):
    source = read(npz)
    np.testing.assert_array_equal(source.x[..., 0], arrays["x_train"])
    np.testing.assert_array_equal(source.y, arrays["y_train"])
    assert source.x.shape == (40, 28, 28, 1)
    assert source.y.dtype == np.int32
    x, y = source.test()
    np.testing.assert_array_equal(x[..., 0], arrays["x_test"])
    np.testing.assert_array_equal(y, arrays["y_test"])


def test_mnist_is_found_by_folder_variable_and_keras_cache(npz, tmp_path, monkeypatch):
    assert read(npz.parent).origin == str(npz)
    monkeypatch.setenv("ONECYCLE_DATA", str(npz.parent))
    assert read().origin == str(npz)
    monkeypatch.delenv("ONECYCLE_DATA")
    cached = tmp_path / "keras" / "datasets" / "mnist.npz"
    cached.parent.mkdir(parents=True)
    npz.rename(cached)
    assert read().origin == str(cached)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_train": np.zeros((40, 28, 27), np.uint8)}, r"images must be uint8 .* \(40, 28, 27\)"),
        ({"x_train": np.zeros((40, 28, 28), np.float32)}, "got float32"),
        ({"x_train": np.zeros((0, 28, 28), np.uint8)}, r"got uint8 \(0, 28, 28\)"),
        ({"y_train": np.zeros(39, np.uint8)}, "40 images but 39 labels"),
        ({"y_train": np.full(40, 10, np.uint8)}, r"0\.\.9, got 10\.\.10"),
        ({"y_train": np.array([{}] * 40)}, r"y_train cannot be read \(Object arrays"),
    ],
)
def test_a_wrong_array_is_one_sentence(npz, arrays, change, message):
    np.savez(npz, **(arrays | change))
    with pytest.raises(DataError, match=message):
        read(npz)


def test_a_missing_array_is_named(npz, arrays):
    np.savez(npz, x_train=arrays["x_train"])
    with pytest.raises(DataError, match="must hold x_train and y_train"):
        read(npz)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_file_is_one_sentence(npz, share):
    whole = npz.read_bytes()
    npz.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DataError, match=r"mnist\.npz cannot be read as an \.npz file"):
        read(npz)


def test_damage_inside_an_array_is_one_sentence(npz):
    whole = bytearray(npz.read_bytes())
    whole[len(whole) // 2] ^= 255
    npz.write_bytes(bytes(whole))
    with pytest.raises(DataError, match=r"x_train cannot be read \(Bad CRC"):
        read(npz)


def test_fashion_mnist_reads_its_four_files(fashion_folder, monkeypatch):
    source = read(fashion_folder, mnist.read_fashion_mnist)
    raw = gzip.decompress((fashion_folder / "train-images-idx3-ubyte.gz").read_bytes())
    assert source.x.shape == (50, 28, 28, 1)
    assert source.x.tobytes() == raw[16:]
    assert source.y.tolist() == [i % 10 for i in range(50)]
    assert source.classes is not None
    assert source.classes[9] == "Ankle boot"
    assert source.test()[0].shape == (20, 28, 28, 1)
    monkeypatch.setenv("ONECYCLE_DATA", str(fashion_folder.parent))
    assert read(kind=mnist.read_fashion_mnist).origin == str(fashion_folder)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\x00\x08\x03",
        struct.pack(">4i", 2049, 1, 28, 28) + bytes(784),
        struct.pack(">4i", 2051, 2, 28, 28) + bytes(784),
        struct.pack(">4i", 2051, -1, -28, 28) + bytes(784),
    ],
)
def test_a_wrong_idx_file_is_one_sentence(fashion_folder, content):
    file = fashion_folder / "train-images-idx3-ubyte.gz"
    file.write_bytes(gzip.compress(content))
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz is damaged \("):
        read(fashion_folder, mnist.read_fashion_mnist)


@pytest.mark.parametrize("end", [0, 5, 1000, -9])
def test_a_truncated_gz_file_is_one_sentence(fashion_folder, end):
    file = fashion_folder / "train-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes()[:end])
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz is damaged \("):
        read(fashion_folder, mnist.read_fashion_mnist)


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def test_both_are_downloaded_where_no_copy_is(npz, fashion_folder, tmp_path, monkeypatch):
    handler = partial(QuietHandler, directory=str(tmp_path / "somewhere"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        host = f"http://127.0.0.1:{server.server_port}"

        def remote(path):
            relative = path.relative_to(tmp_path / "somewhere")
            return Remote(f"{host}/{relative}", hashlib.sha256(path.read_bytes()).hexdigest())

        monkeypatch.setattr(mnist, "_MNIST_REMOTE", remote(npz))
        remotes = {file.name: remote(file) for file in fashion_folder.iterdir()}
        monkeypatch.setattr(mnist, "_FASHION_REMOTES", remotes)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        read()
        read(kind=mnist.read_fashion_mnist)
        server.shutdown()
        thread.join()
    cache = tmp_path / "cache" / "onecycle"
    assert read().origin == str(cache / "mnist.npz")
    assert read(kind=mnist.read_fashion_mnist).origin == str(cache / "fashion-mnist")
