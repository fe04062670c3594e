"""Object stores of this process: one that works, and one that can be out of reach."""

import secrets
from typing import ClassVar

import pytest
from fsspec import register_implementation
from fsspec.implementations.memory import MemoryFileSystem

from onecycle_cli.runs.stores import mirror


class Shaky(MemoryFileSystem):
    """Objects in memory, unless the store is away."""

    protocol = ("shaky", "memory")
    cachable = False
    left: int | None = None
    """How many more writes succeed; None: all of them."""
    reads_fail = False
    log: ClassVar[list[str]] = []
    """The objects that were written, below the run's URL where they are of run 001."""

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(path.replace("shaky://", "memory://"))

    @classmethod
    def count_down(cls, path):
        if cls.left is not None:
            if cls.left <= 0:
                raise ConnectionError("no route to the store")
            cls.left -= 1
        cls.log.append(path.partition("/001/")[2] or path)

    def cat_file(self, path, *args, **kwargs):
        if type(self).reads_fail:
            raise ConnectionError("no route to the store")
        return super().cat_file(path, *args, **kwargs)

    def pipe_file(self, path, value, mode="overwrite", **kwargs):
        self.count_down(path)
        return super().pipe_file(path, value, mode=mode, **kwargs)

    def put_file(self, lpath, rpath, *args, **kwargs):
        self.count_down(rpath)
        return super().put_file(lpath, rpath, *args, **kwargs)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Where the working folders are; of a machine of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def another_machine(tmp_path, monkeypatch):
    """Go on elsewhere: where there are no working folders yet; or back, by the machine's name."""
    return lambda name="other": monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / name))


@pytest.fixture(params=["memory", "file"])
def url(request, tmp_path):
    """The URL of an empty store: one of objects, and one of files."""
    if request.param == "memory":
        return f"memory://{secrets.token_hex(4)}/runs"
    return (tmp_path / "store" / "runs").as_uri()


@pytest.fixture
def shaky(monkeypatch):
    """A store that can be out of reach: its file system, with a `url`."""
    register_implementation("shaky", Shaky, clobber=True)
    monkeypatch.setattr(mirror, "PAUSES", (0.0, 0.0))
    Shaky.left, Shaky.reads_fail, Shaky.log = None, False, []
    Shaky.url = f"shaky://{secrets.token_hex(4)}/runs"
    return Shaky
