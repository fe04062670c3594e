import hashlib
import pickle
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from onecycle_cli.config import DatasetConfig
from onecycle_cli.data.files.download import Remote
from onecycle_cli.data.sources import cifar
from onecycle_cli.data.sources.cifar import CIFAR10, CIFAR100
from onecycle_cli.errors import DataError


def read(path=None, kind=CIFAR10):
    config = DatasetConfig(name="cifar10", path=None if path is None else str(path))
    return cifar.read(kind, config, None)


def rewrite(file, **changes):
    content = pickle.loads(file.read_bytes())
    file.write_bytes(pickle.dumps(content | {k.encode(): v for k, v in changes.items()}))


def test_pixels_and_labels_are_where_they_belong(cifar_folder):
    source = read(cifar_folder)
    assert source.x.shape == (100, 32, 32, 3)
    assert source.x.dtype == np.uint8
    assert source.x.flags.c_contiguous
    assert source.y.dtype == np.int32
    for row in (0, 19, 20, 63, 99):
        member = pickle.loads((cifar_folder / f"data_batch_{row // 20 + 1}").read_bytes())
        planes = member[b"data"][row % 20]
        assert source.y[row] == member[b"labels"][row % 20]
        for line, column, channel in ((0, 0, 0), (5, 9, 1), (31, 30, 2)):
            expected = planes[channel * 1024 + line * 32 + column]
            assert source.x[row, line, column, channel] == expected


def test_members_that_are_full_share_one_array(cifar_folder):
    x, y = cifar._read_members(CIFAR10, cifar_folder, ("data_batch_1", "data_batch_2"), 20)
    padded, same = cifar._read_members(CIFAR10, cifar_folder, ("data_batch_1", "data_batch_2"), 33)
    np.testing.assert_array_equal(x, padded)
    np.testing.assert_array_equal(y, same)


def test_the_test_set_is_read_only_when_asked(cifar_folder):
    (cifar_folder / "test_batch").write_text("not a pickle")
    source = read(cifar_folder)
    with pytest.raises(DataError, match="test_batch is damaged"):
        source.test()


@pytest.mark.parametrize("form", ["folder", "parent", "archive", "archive's folder"])
def test_every_form_of_a_copy_gives_the_same(cifar_folder, cifar_archive, form, monkeypatch):
    place = {
        "folder": cifar_folder,
        "parent": cifar_folder.parent,
        "archive": cifar_archive,
        "archive's folder": cifar_archive.parent,
    }[form]
    expected = read(cifar_folder)
    monkeypatch.setenv("ONECYCLE_DATA", str(place))
    for source in (read(place), read()):
        np.testing.assert_array_equal(source.x, expected.x)
        np.testing.assert_array_equal(source.y, expected.y)
        np.testing.assert_array_equal(source.test()[0], expected.test()[0])
        np.testing.assert_array_equal(source.test()[1], expected.test()[1])


@pytest.mark.parametrize(
    "name",
    ["cifar-10-batches-py-target/cifar-10-batches-py", "cifar-10-batches-py-target_archive"],
)
def test_the_keras_cache_is_found(cifar_folder, cifar_archive, tmp_path, name):
    place = tmp_path / "keras" / "datasets" / name
    place.parent.mkdir(parents=True)
    (cifar_archive if "archive" in name else cifar_folder).rename(place)
    assert read().origin == str(place)
    assert len(read().test()[0]) == 20


@pytest.mark.parametrize("end", [0, 1, 100, 5_000, 61_000])
def test_a_truncated_member_is_damaged(cifar_folder, end):
    file = cifar_folder / "data_batch_3"
    file.write_bytes(file.read_bytes()[:end])
    with pytest.raises(DataError, match=r"data_batch_3 is damaged .* dataset\.path to an intact"):
        read(cifar_folder)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.8, 0.99])
def test_a_truncated_archive_is_one_sentence(cifar_archive, share):
    whole = cifar_archive.read_bytes()
    cifar_archive.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DataError, match=r"cifar-10-python\.tar\.gz.* intact copy") as error:
        read(cifar_archive)
    assert "\n" not in str(error.value)


def test_an_archive_that_is_none_is_one_sentence(tmp_path):
    file = tmp_path / "cifar-10-python.tar.gz"
    file.write_text("<html>Not found</html>")
    with pytest.raises(DataError, match=r"tar\.gz cannot be read as CIFAR-10 \(") as error:
        read(file)
    assert "\n" not in str(error.value)


def test_an_archive_cannot_reach_outside_itself(cifar_folder, tmp_path, pack):
    members = [
        ("../cifar-10-batches-py/data_batch_1", (cifar_folder / "data_batch_1").read_bytes()),
        ("cifar-10-batches-py/data_batch_1", str(cifar_folder / "data_batch_1")),
        *(
            (f"cifar-10-batches-py/data_batch_{i}", (cifar_folder / f"data_batch_{i}").read_bytes())
            for i in range(2, 6)
        ),
    ]
    before = sorted(tmp_path.rglob("*"))
    archive = pack(tmp_path / "evil.tar.gz", members)
    with pytest.raises(DataError, match=r"evil\.tar\.gz lacks cifar-10-batches-py/data_batch_1;"):
        read(archive)
    assert sorted(tmp_path.rglob("*")) == sorted([*before, archive])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": None}, r"data must be a uint8 array of shape \(n, 3072\), got none"),
        ({"data": np.zeros((20, 3071), np.uint8)}, r"got uint8 \(20, 3071\)"),
        ({"data": np.zeros((20, 3072), np.int16)}, r"got int16 \(20, 3072\)"),
        ({"data": np.zeros((0, 3072), np.uint8)}, "must hold 1 to 10000 images, got 0"),
        ({"labels": [0] * 19}, "20 images but 19 labels"),
        ({"labels": [0] * 19 + [10]}, r"labels must lie in 0\.\.9, got 0\.\.10"),
        ({"labels": [0] * 19 + [-1]}, r"labels must lie in 0\.\.9, got -1\.\.0"),
        ({"labels": [0.5] * 20}, "labels must be a list of integers"),
        ({"labels": [[0]] * 20}, "nested or foreign values"),
        ({"labels": [[0], [1, 2]]}, "nested or foreign values"),
        ({"labels": "abc"}, "labels must be a list of integers"),
    ],
)
def test_a_member_that_breaks_a_rule_is_named(cifar_folder, changes, message):
    rewrite(cifar_folder / "data_batch_2", **changes)
    with pytest.raises(DataError, match=f"cifar-10-batches-py/data_batch_2.*{message}"):
        read(cifar_folder)


def test_missing_labels_are_named(cifar_folder):
    (cifar_folder / "data_batch_2").write_bytes(
        pickle.dumps({b"data": np.zeros((1, 3072), np.uint8)})
    )
    with pytest.raises(DataError, match="data_batch_2 has no labels; use an intact copy"):
        read(cifar_folder)


def test_cifar100_has_its_own_names(tmp_path):
    folder = tmp_path / "cifar-100-python"
    folder.mkdir()
    for name, count in (("train", 200), ("test", 100)):
        member = {
            b"data": np.full((count, 3072), 7, np.uint8),
            b"fine_labels": [i % 100 for i in range(count)],
            b"coarse_labels": [0] * count,
        }
        (folder / name).write_bytes(pickle.dumps(member))
    source = read(tmp_path, CIFAR100)
    assert source.x.shape == (200, 32, 32, 3)
    assert source.y[:3].tolist() == [0, 1, 2]
    assert len(source.test()[1]) == 100


def test_class_names_are_complete_and_alphabetical():
    assert len(CIFAR10.classes) == 10
    assert len(set(CIFAR100.classes)) == 100
    assert list(CIFAR10.classes) == sorted(CIFAR10.classes)
    assert list(CIFAR100.classes) == sorted(CIFAR100.classes)


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def test_without_a_copy_it_is_downloaded_once(cifar_archive, tmp_path):
    handler = partial(QuietHandler, directory=str(cifar_archive.parent))
    checksum = hashlib.sha256(cifar_archive.read_bytes()).hexdigest()
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        url = f"http://127.0.0.1:{server.server_port}/{cifar_archive.name}"
        remote = replace(CIFAR10, remote=Remote(url, checksum))
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        first = read(kind=remote)
        server.shutdown()
        thread.join()
    again = read(kind=remote)
    assert first.origin == again.origin
    assert first.origin == str(tmp_path / "cache" / "onecycle" / "cifar-10-python.tar.gz")
    np.testing.assert_array_equal(first.x, again.x)


def test_offline_the_sentence_says_what_to_do(tmp_path):
    remote = replace(CIFAR10, remote=Remote("http://127.0.0.1:1/cifar-10-python.tar.gz", "0" * 64))
    with pytest.raises(DataError, match=r"set dataset\.path .* or ONECYCLE_DATA to the folder"):
        read(kind=remote)
    assert not list((tmp_path / "cache" / "onecycle").iterdir())
