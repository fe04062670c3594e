import importlib.util
import threading

import pytest
from fsspec.registry import known_implementations

from onecycle_cli.errors import ConfigError
from onecycle_cli.runs.stores.objects import Objects, StoreError, check_installed

pytestmark = pytest.mark.lowest


def test_objects_are_written_read_listed_and_removed(url, tmp_path):
    objects = Objects(url)
    (tmp_path / "source").write_bytes(b"from a file")
    assert objects.read("a/b") is None
    assert objects.names() == objects.children() == []
    objects.write("a/b", b"one")
    objects.write("a/b", b"two")
    objects.put(tmp_path / "source", "a/c/d")
    objects.write("e", b"")

    assert objects.read("a/b") == b"two"
    assert objects.names() == ["a/b", "a/c/d", "e"]
    assert objects.names("a/c") == ["a/c/d"]
    assert sorted(objects.children()) == ["a", "e"]
    assert Objects(f"{url}/a").names() == ["b", "c/d"]
    objects.get("a/c/d", tmp_path / "deep/er")
    assert (tmp_path / "deep/er").read_bytes() == b"from a file"
    assert objects.written("e").year >= 2000
    objects.remove(["a/b", "nowhere"])
    assert objects.names() == ["a/c/d", "e"]


def test_one_of_many_makes_an_object(url):
    made, start = [], threading.Barrier(8)

    def work(number):
        start.wait()
        if Objects(url).create("claim", f"{number}".encode()):
            made.append(number)

    threads = [threading.Thread(target=work, args=[n]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [Objects(url).read("claim")] == [f"{n}".encode() for n in made]


def test_a_file_that_is_half_written_is_not_seen(tmp_path, monkeypatch):
    """As a kill leaves it, in a store whose objects grow while they are written."""
    objects = Objects((tmp_path / "store").as_uri())
    objects.write("a", b"old")
    monkeypatch.setattr(type(objects._fs), "mv", lambda *_: 1 / 0)
    with pytest.raises(StoreError, match=r"store/a: .*ZeroDivisionError"):
        objects.write("a", b"new")
    assert objects.read("a") == b"old"


def test_whatever_goes_wrong_in_a_store_is_one_error(shaky):
    objects = Objects(shaky.url)
    shaky.left = 0
    said = "out of reach, or refuses: ConnectionError: no route to the store"
    for write in (objects.write, objects.create):
        with pytest.raises(StoreError, match=rf"^{shaky.url}/a: .*{said}\.$"):
            write("a", b"")


def test_what_is_missing_is_said_with_the_way_to_get_it(monkeypatch):
    known = {"class": "some_store.Some", "err": "Install some_store."}
    monkeypatch.setitem(known_implementations, "some", known)
    with pytest.raises(ConfigError, match=r"^some://b: a package .* run pip install some_store\.$"):
        check_installed("some://b")
    known = {"class": "fsspec.implementations.nowhere.No", "err": "Install paramiko to have it."}
    monkeypatch.setitem(known_implementations, "some", known)
    with pytest.raises(ConfigError, match=r"some://; Install paramiko to have it\.$"):
        check_installed("some://b")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"run pip install 'onecycle-cli\[stores\]'\.$"):
        check_installed("some://b")
