"""Downloads a file that appears whole and verified, or not at all."""

from __future__ import annotations

import hashlib
import http.client
import os
import tempfile
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from onecycle_cli.data.files.locate import DATA_VARIABLE
from onecycle_cli.data.sources.source import Progress, reason
from onecycle_cli.errors import DataError

_CHUNK = 1 << 18  # bytes
_TIMEOUT = 30.0  # seconds without a byte


@dataclass(frozen=True)
class Remote:
    """A file on the net: its address and the SHA-256 of its content, in hexadecimal."""

    url: str
    sha256: str


def download(remote: Remote, target: Path, progress: Progress | None = None) -> Path:
    """Fetch a file to `target`, unless it is there already, and return `target`.

    The bytes go to a temporary file beside it, which is renamed once its checksum is right and
    removed on every failure, Ctrl-C included.

    Raises:
        DataError: the file cannot be fetched or saved, or its checksum is wrong; the sentence says
            what to do without a network.
    """
    if target.is_file():
        return target
    try:
        _fetch_beside(remote, target, progress)
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it holds the connection
        raise _failure(remote, target, reason(error)) from error
    return target


def _fetch_beside(remote: Remote, target: Path, progress: Progress | None) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            digest = _receive(remote.url, file, progress)
            file.flush()
            os.fsync(file.fileno())
        if digest != remote.sha256:
            raise _failure(
                remote, target, f"its SHA-256 must be {remote.sha256}, but {digest} arrived"
            )
        temporary.replace(target)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _receive(url: str, file: BinaryIO, progress: Progress | None) -> str:
    """Copy what `url` sends into `file` and return its SHA-256."""
    digest, received = hashlib.sha256(), 0
    request = urllib.request.Request(url, headers={"User-Agent": "onecycle"})
    opener = urllib.request.build_opener()  # urlopen's own remembers the proxies of its first use
    with opener.open(request, timeout=_TIMEOUT) as answer:
        length = answer.headers.get("Content-Length", "")
        total = int(length) if length.isdigit() else None
        while chunk := answer.read(_CHUNK):
            file.write(chunk)
            digest.update(chunk)
            received += len(chunk)
            if progress is not None:
                progress(received, total)
    if total is not None and received < total:
        raise OSError(f"the connection ended after {received} of {total} bytes")
    return digest.hexdigest()


def _failure(remote: Remote, target: Path, why: str) -> DataError:
    return DataError(
        f"{remote.url} could not be downloaded ({why}); try again, or, without a network, set "
        f"dataset.path to a copy of {target.name} or {DATA_VARIABLE} to the folder that holds it."
    )
