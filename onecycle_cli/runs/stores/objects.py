"""The objects below a URL; the only module that reaches into fsspec."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import secrets
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from onecycle_cli.errors import ConfigError, OnecycleError, ResultError, cause_of

_PUT_WHOLE = frozenset(
    ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "oss", "memory")
)
"""Protocols of stores in which an object appears whole; others have files, which grow."""


class StoreError(ResultError):
    """An object store that is out of reach, or that refuses."""


def check_installed(url: str) -> None:
    """Refuse a URL where a package is missing that it needs.

    Raises:
        ConfigError: saying how to install it, or that there is no such protocol.
    """
    if importlib.util.find_spec("fsspec") is None:
        raise ConfigError(
            f"{url}: an object store needs fsspec, which is not installed; run pip install "
            f"'onecycle-cli[stores]'."
        )
    registry: Any = importlib.import_module("fsspec.registry")
    protocol = url.partition("://")[0].rpartition("::")[2].lower()
    try:
        registry.get_filesystem_class(protocol)
    except ImportError:
        known = registry.known_implementations[protocol]
        package = known["class"].partition(".")[0]
        what = f"run pip install {package}" if package != "fsspec" else str(known.get("err", ""))
        raise ConfigError(
            f"{url}: a package is missing for {protocol}://; {what.rstrip('.')}."
        ) from None
    except ValueError:
        raise ConfigError(
            f"{url}: fsspec knows no protocol '{protocol}'; s3, gs and az are some that it knows."
        ) from None


class Objects:
    """The objects below a URL, by their names relative to it.

    Credentials, endpoints and retries are the store's own matter: its package takes them from the
    environment, and fsspec from its configuration.

    Args:
        url: such as `s3://bucket/runs/digits`.

    Raises:
        ConfigError: when a package is missing that it needs.
        StoreError: here and in every method, when the store is out of reach or refuses.
    """

    def __init__(self, url: str) -> None:
        check_installed(url)
        self.url = url.rstrip("/")
        fsspec: Any = importlib.import_module("fsspec")
        with self._reaching(""):
            self._fs, root = fsspec.url_to_fs(self.url)
        self._root = root.rstrip("/")
        protocols = self._fs.protocol
        named = {protocols} if isinstance(protocols, str) else {*protocols}
        self._puts_whole = bool(named & _PUT_WHOLE)

    def read(self, name: str) -> bytes | None:
        """Return the contents of an object; `None` if it is not there."""
        with self._reaching(name), contextlib.suppress(FileNotFoundError):
            return bytes(self._fs.cat_file(self._path(name)))
        return None

    def create(self, name: str, data: bytes) -> bool:
        """Make an object that is not there yet; tell whether it was made.

        Of several at once one makes it, in a store that can tell them apart. In others each is
        told so only if it was the last by the time it looked.
        """
        if self.read(name) is not None:
            return False
        with self._reaching(name):
            self._make_room(name)
            try:
                self._create(self._path(name), data)
            except FileExistsError:
                return False
            except (TypeError, ValueError, NotImplementedError):
                self._fs.pipe_file(self._path(name), data)
        return self.read(name) == data

    def write(self, name: str, data: bytes) -> None:
        """Write an object, whole, in the place of one that may be there."""
        with self._in_place(name) as path:
            self._fs.pipe_file(path, data)

    def put(self, source: Path, name: str) -> None:
        """Write a file as an object, whole, in the place of one that may be there."""
        with self._in_place(name) as path:
            self._fs.put_file(str(source), path)

    def get(self, name: str, target: Path) -> None:
        """Write an object as a file."""
        target.parent.mkdir(parents=True, exist_ok=True)
        with self._reaching(name):
            self._fs.get_file(self._path(name), str(target))

    def names(self, below: str = "") -> list[str]:
        """Return the names of all objects, or of those below a name."""
        with self._reaching(below), contextlib.suppress(FileNotFoundError):
            self._fs.invalidate_cache()
            found = self._fs.find(self._path(below))
            return sorted(path[len(self._root) + 1 :] for path in found)
        return []

    def children(self) -> list[str]:
        """Return the first parts of the names of all objects."""
        with self._reaching(""), contextlib.suppress(FileNotFoundError):
            self._fs.invalidate_cache()
            return [PurePosixPath(path).name for path in self._fs.ls(self._root, detail=False)]
        return []

    def written(self, name: str) -> datetime:
        """Return when an object was written."""
        with self._reaching(name):
            when: datetime = self._fs.modified(self._path(name))
            return when

    def remove(self, names: Iterable[str]) -> None:
        """Remove objects that may be there."""
        for name in names:
            with self._reaching(name), contextlib.suppress(FileNotFoundError):
                self._fs.rm_file(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root

    def _create(self, path: str, data: bytes) -> None:
        if self._puts_whole:
            self._fs.pipe_file(path, data, mode="create")
            return
        with self._fs.open(path, "xb") as file:
            file.write(data)

    def _make_room(self, name: str) -> None:
        """Make the folder of a file; objects have none."""
        if not self._puts_whole:
            self._fs.makedirs(self._path(name).rpartition("/")[0], exist_ok=True)

    @contextlib.contextmanager
    def _in_place(self, name: str) -> Iterator[str]:
        """Give the path to write to, such that no reader sees half of an object."""
        path = self._path(name)
        with self._reaching(name):
            self._make_room(name)
            if self._puts_whole:
                yield path
                return
            folder, _, last = path.rpartition("/")
            beside = f"{folder}/.{last}.{secrets.token_hex(4)}"
            yield beside
            self._fs.mv(beside, path)

    @contextlib.contextmanager
    def _reaching(self, name: str) -> Iterator[None]:
        """Turn whatever a store's package raises into one kind of error."""
        try:
            yield
        except OnecycleError:
            raise
        except Exception as error:
            raise StoreError(
                f"{self._where(name)}: the object store is out of reach, or refuses: "
                f"{cause_of(error)}."
            ) from None

    def _where(self, name: str) -> str:
        return f"{self.url}/{name}" if name else self.url
