"""A file that several runs write one after another, such as `suggestions.yaml`, and its object."""

from __future__ import annotations

from pathlib import Path

from onecycle_cli.runs.files import write_bytes
from onecycle_cli.runs.stores.objects import Objects
from onecycle_cli.runs.stores.urls import url_of


def refresh(path: Path) -> None:
    """Make a file what its object is, if its folder stands for a URL.

    What could not be uploaded before is uploaded first.

    Raises:
        StoreError: when the store is out of reach or refuses.
    """
    url = url_of(path.parent)
    if url is None:
        return
    if _waiting(path).exists():
        upload(path)
        return
    data = Objects(url).read(path.name)
    if data is None:
        path.unlink(missing_ok=True)
    elif not path.exists() or path.read_bytes() != data:
        write_bytes(path, data)


def upload(path: Path) -> None:
    """Make its object what a file is, if its folder stands for a URL; as `refresh`."""
    url = url_of(path.parent)
    if url is not None:
        write_bytes(_waiting(path), b"")
        Objects(url).put(path, path.name)
        _waiting(path).unlink(missing_ok=True)


def _waiting(path: Path) -> Path:
    """Return the file that is there as long as a file is to be uploaded."""
    return path.with_name(f".{path.name}.waiting")
