"""The lock on a run's folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from onecycle_cli.errors import ResultError
from onecycle_cli.runs.files import unwritable
from onecycle_cli.runs.folders.numbers import number_of


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes from working in a folder; the lock ends with the process, however.

    It is a file beside the folder, `.001.lock`, since Windows would not rename a folder with an
    open file in it.

    Raises:
        ResultError: when another process is working there, or the lock can't be written.
    """
    from filelock import FileLock, Timeout

    identity = identity_of(folder)
    if identity is None:
        raise _not_there(folder)
    path = _lock_of(folder)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ResultError(
            f"{folder}: another process is at work on it; wait until it ends, or end it first."
        ) from None
    except OSError as error:
        raise unwritable(path, error) from None
    try:
        if identity_of(folder) != identity:
            raise _not_there(folder)
        yield
    finally:
        with contextlib.suppress(OSError):  # on Windows, which removes no open file, `release` does
            path.unlink()  # while it is held, lest another process lock a file that is going
        lock.release()


def is_locked(folder: Path) -> bool:
    """Tell whether a process is at work in a folder; where nobody may ask, it counts as such."""
    from filelock import FileLock, Timeout

    path = _lock_of(folder)
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        return True
    lock.release()
    return False


def _lock_of(folder: Path) -> Path:
    return folder.parent / f".{number_of(folder):03d}.lock"


def _not_there(folder: Path) -> ResultError:
    return ResultError(
        f"{folder}: is not there any more: another process has just ended it or taken it up, or it "
        f"was removed."
    )


def identity_of(folder: Path) -> tuple[int, int] | None:
    """Return what tells a folder from another one at its place; `None` if there is none."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
