"""A run's folder and its objects: whose they are, and how these follow what is on disk.

The objects are written such that whoever takes them up finds what a disk would show after a kill:
checkpoints after the tables that they name, and the mark of a whole run last.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from onecycle_cli import throttle
from onecycle_cli.errors import ResultError
from onecycle_cli.runs.files import now, write_bytes
from onecycle_cli.runs.stores.mark import MARK, mark_of
from onecycle_cli.runs.stores.objects import Objects, StoreError
from onecycle_cli.runs.stores.urls import address, url_of

CLAIM = "claim.json"
"""Says who writes a run: the process that started it, or that took it up last."""

TEMPORARY = re.compile(r"\..+")

PAUSES = (2.0, 8.0)
"""Seconds before the end of a run is uploaded once more."""

_SHARE_OF_TRIES = 0.1
"""Of the time while the store is out of reach, what looking whether it is back may take."""

_AFTER_THE_REST = ("journal/", "checkpoints/")
_LAST = ("model.keras",)

Fingerprint = tuple[int, int, int]


class Mirror:
    """Of a run that is kept in its folder and nowhere else."""

    def upload(self, folder: Path, *, at_once: bool = False) -> None:
        """Have the objects follow the files, unless that would take too much of the time.

        A store that is out of reach costs a warning; what is missing is uploaded later.

        Args:
            folder: of the run.
            at_once: whatever time it takes.

        Raises:
            ResultError: when another process has taken the run up, or it was removed.
        """

    def finish(self, folder: Path, *, is_done: bool) -> None:
        """Upload what is missing, and then the mark of a whole run.

        Args:
            folder: of the run.
            is_done: whether it came to its end, and nobody sees to it later; otherwise what fails
                costs a warning only.

        Raises:
            ResultError: when it can't be uploaded, saying where the files are.
        """

    def release(self) -> None:
        """Remove the run's objects, of which nothing is worth keeping."""


class StoreMirror(Mirror):
    """Of a run that is kept in an object store too.

    Args:
        objects: those of the run.
        claim: the contents of `claim.json` while this process writes the run.
        warn: hears of a store that is out of reach.
        clock: seconds that never run backwards.
    """

    def __init__(
        self,
        objects: Objects,
        claim: bytes,
        warn: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._objects, self._claim, self._warn = objects, claim, warn
        self._clock, self._next = clock, -math.inf
        self._uploaded: dict[str, Fingerprint] = {}
        self._leftover: set[str] | None = None
        self._is_out_of_reach = False

    def upload(self, folder: Path, *, at_once: bool = False) -> None:
        """See `Mirror`."""
        begun = self._clock()
        if not at_once and begun < self._next:
            return
        try:
            self._follow(folder)
            self._is_out_of_reach = False
        except StoreError as error:
            if not self._is_out_of_reach:
                self._warn(
                    f"{error} The run goes on in {folder}, and is uploaded when the store is back."
                )
            self._is_out_of_reach = True
        ended = self._clock()
        share = _SHARE_OF_TRIES if self._is_out_of_reach else throttle.LARGEST_SHARE
        self._next = ended + (ended - begun) / share

    def finish(self, folder: Path, *, is_done: bool) -> None:
        """See `Mirror`."""
        try:
            self._finish(folder)
        except StoreError as error:
            if is_done:
                raise kept_here(error, folder) from None
            self._warn(str(kept_here(error, folder)))

    def release(self) -> None:
        """See `Mirror`."""
        with contextlib.suppress(StoreError):
            if self._objects.read(CLAIM) == self._claim:
                names = self._objects.names()
                self._objects.remove(sorted(names, key=lambda name: name == CLAIM))

    def _finish(self, folder: Path) -> None:
        for pause in PAUSES:
            with contextlib.suppress(StoreError):
                self._put_whole(folder)
                return
            time.sleep(pause)
        self._put_whole(folder)

    def _put_whole(self, folder: Path) -> None:
        self._follow(folder, keep_leftovers=True)
        self._objects.write(MARK, mark_of(folder, sorted(_files(folder))))
        self._remove_leftovers(set(_files(folder)))

    def _follow(self, folder: Path, *, keep_leftovers: bool = False) -> None:
        """Upload what has changed, and remove what is gone."""
        self._check_claim(folder)
        here = _files(folder)
        changed = [name for name in here if self._uploaded.get(name) != here[name]]
        for name in sorted(changed, key=_order):
            self._objects.put(folder / name, name)
            self._uploaded[name] = here[name]
        if not keep_leftovers:
            self._remove_leftovers(set(here))

    def _remove_leftovers(self, here: set[str]) -> None:
        if self._leftover is None:  # what another process has uploaded before
            self._leftover = set(self._objects.names()) - {CLAIM, MARK}
        gone = (self._leftover | self._uploaded.keys()) - here
        self._objects.remove(sorted(gone))
        self._leftover.clear()
        for name in gone:
            self._uploaded.pop(name, None)

    def _check_claim(self, folder: Path) -> None:
        found = self._objects.read(CLAIM)
        if found == self._claim:
            return
        if found is None:
            what = "was removed from the store"
        else:
            what = f"was taken up by another process{_whose(found)}"
        raise ResultError(
            f"{self._objects.url}: {what} while this one was at work, which ends therefore and "
            f"uploads no more; its files are kept in {folder}."
        )


def kept_here(error: StoreError, folder: Path) -> StoreError:
    """Return an error with where the files of a run are, and how they are uploaded."""
    return StoreError(
        f"{error} Nothing is lost: the run is kept in {folder}, and 'onecycle "
        f"{folder.parent.name} --resume {address(folder)}' on this machine uploads it."
    )


def mirror_of(folder: Path, warn: Callable[[str], None] | None = None) -> Mirror:
    """Return what has objects follow a run's folder, if it stands for a URL."""
    url = url_of(folder)
    if url is None:
        return Mirror()
    claim = (folder / CLAIM).read_bytes()
    return StoreMirror(Objects(url), claim, warn or (lambda _: None))


def numbers_behind(parent: Path) -> Iterator[int]:
    """Yield the numbers that are taken in the store, where a folder of runs stands for a URL."""
    url = url_of(parent)
    if url is not None:
        yield from (int(name) for name in Objects(url).children() if name.isdecimal())


def claim(folder: Path) -> bool:
    """Take a run's number in the store, if its folder stands for a URL; tell whether it was free.

    Raises:
        StoreError: when the store is out of reach or refuses.
    """
    url = url_of(folder)
    if url is None:
        return True
    data = _new_claim()
    if not Objects(url).create(CLAIM, data):
        return False
    write_bytes(folder / CLAIM, data)
    return True


def take_over(folder: Path) -> None:
    """Make this process the one that writes a run, and take its mark away; as `claim`."""
    url = url_of(folder)
    if url is None:
        return
    data, objects = _new_claim(), Objects(url)
    objects.write(CLAIM, data)
    write_bytes(folder / CLAIM, data)
    objects.remove([MARK])


def _new_claim() -> bytes:
    about = {"writer": secrets.token_hex(8), "host": socket.gethostname(), "since": now()}
    return json.dumps(about).encode()


def _whose(claim: bytes) -> str:
    try:
        about = json.loads(claim)
        return f" (on {about['host']}, at {about['since']})"
    except (ValueError, LookupError, TypeError):
        return ""


def _files(folder: Path) -> dict[str, Fingerprint]:
    """Return the files of a run that are written whole, and what changes when one is replaced."""
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != CLAIM and not TEMPORARY.fullmatch(path.name):
            about = path.stat()
            found[name] = (about.st_size, about.st_mtime_ns, about.st_ino)
    return found


def _order(name: str) -> tuple[int, str]:
    """Sort files such that none is uploaded before those that it needs to be of use."""
    ranks = (name.startswith(_AFTER_THE_REST), name in _LAST)
    return (ranks[0] + 2 * ranks[1], name)
