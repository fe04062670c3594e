import mmap
import sys
from pathlib import Path

import numpy as np
import pytest

from onecycle_cli.data.files.npy import names_in
from onecycle_cli.data.files.npy import read as open_npy
from onecycle_cli.data.mapping import release
from onecycle_cli.errors import DataError

X = np.arange(12, dtype=np.float32).reshape(4, 3)
MIB = 1 << 20


@pytest.fixture
def folder(tmp_path):
    np.save(tmp_path / "x_train.npy", X)
    np.save(tmp_path / "y_train.npy", np.arange(4))
    (tmp_path / "notes.txt").write_text("x")
    return tmp_path


def opened(folder, array):
    np.save(folder / "x.npy", array)
    return open_npy(folder, ["x"])["x"]


def resident():
    """Return the bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE


def test_names_are_those_of_the_files(folder):
    assert names_in(folder) == ("x_train", "y_train")


def test_arrays_come_by_their_names_and_others_do_not(folder):
    arrays = open_npy(folder, ["y_train", "x_train", "x_val", "../x_train"])
    assert list(arrays) == ["y_train", "x_train"]
    np.testing.assert_array_equal(arrays["x_train"], X)
    assert type(arrays["x_train"]) is np.ndarray
    assert (arrays["x_train"].dtype, arrays["y_train"].dtype) == (np.float32, np.int64)


def test_arrays_cannot_be_written_to(folder):
    x = open_npy(folder, ["x_train"])["x_train"]
    with pytest.raises(ValueError, match="read-only"):
        x[0] = 1


@pytest.mark.parametrize(
    "array", [np.float32(3), np.empty((0, 3)), np.asfortranarray(X), X[:, ::2]]
)
def test_any_shape_and_order_can_be_opened(tmp_path, array):
    found = opened(tmp_path, array)
    assert found.shape == array.shape
    np.testing.assert_array_equal(found, array)
    release(found)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not an array",
        b"PK\x03\x04 and no archive",
        b"\x93NUMPY",
        b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (4, 3), }\n",
        b"\x93NUMPY\x01\x00v\x00{'descr': 'x',\x1b[31m\n",
    ],
)
def test_what_is_no_array_is_refused_in_one_sentence(tmp_path, content):
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(DataError, match=r"x\.npy cannot be read as an \.npy file \(.*; write") as e:
        open_npy(tmp_path, ["x"])
    assert str(e.value).isprintable()


def test_half_a_file_is_refused(folder):
    file = folder / "x_train.npy"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"x_train\.npy cannot be read as an \.npy file"):
        open_npy(folder, ["x_train"])


def test_python_objects_are_not_loaded(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], dtype=object))
    with pytest.raises(DataError, match=r"cannot be read as an \.npy file .*bjects"):
        open_npy(tmp_path, ["x"])


def test_an_archive_is_refused(tmp_path):
    np.savez(tmp_path / "x.npz", x=X)
    (tmp_path / "x.npz").rename(tmp_path / "x.npy")
    with pytest.raises(DataError, match=r"x\.npy cannot be read as an \.npy file \(the magic"):
        open_npy(tmp_path, ["x"])


@pytest.mark.parametrize("place", ["nowhere", "notes.txt"])
def test_what_is_no_folder_is_refused(folder, place):
    with pytest.raises(DataError, match=f"{place} cannot be read as a folder of .npy files"):
        names_in(folder / place)


class TestRelease:
    @pytest.mark.skipif(sys.platform != "linux", reason="memory is counted by /proc")
    @pytest.mark.parametrize("view", [np.asarray, lambda x: x[5:9, 1], lambda x: x.reshape(-1)])
    def test_gives_back_what_was_read(self, tmp_path, view):
        x = opened(tmp_path, np.ones((64, MIB), np.uint8))
        before = resident()
        assert x.sum() == 64 * MIB
        read = resident()
        release(view(x))
        assert read - before > 48 * MIB
        assert read - resident() > 48 * MIB
        assert x.sum() == 64 * MIB

    def test_leaves_what_may_be_written_to(self, tmp_path):
        np.save(tmp_path / "x.npy", X)
        x = np.load(tmp_path / "x.npy", mmap_mode="c")
        x[0] = 7
        release(x)
        unwritable = x[1:]
        unwritable.flags.writeable = False
        release(unwritable)
        np.testing.assert_array_equal(x[0], 7)

    @pytest.mark.parametrize("array", [X, X[1:], np.frombuffer(b"abc", np.uint8)])
    def test_leaves_arrays_that_are_not_mapped(self, array):
        kept = array.copy()
        release(array)
        np.testing.assert_array_equal(array, kept)

    def test_leaves_all_where_there_is_no_such_call(self, tmp_path, monkeypatch):
        monkeypatch.delattr(mmap, "MADV_DONTNEED", raising=False)
        x = opened(tmp_path, X)
        release(x)
        np.testing.assert_array_equal(x, X)
