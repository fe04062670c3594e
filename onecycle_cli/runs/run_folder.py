"""The numbered folder of a run, which one process at a time works in."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from onecycle_cli.errors import ResultError
from onecycle_cli.runs.files import now, read_json, unwritable, write_json
from onecycle_cli.runs.folders.latest import link_latest
from onecycle_cli.runs.folders.lock import identity_of, locked
from onecycle_cli.runs.folders.numbers import number_of, numbered_folders
from onecycle_cli.runs.stores.mirror import Mirror, claim, mirror_of, numbers_behind, take_over

SCHEMA_VERSION = 1

MANIFEST = "manifest.json"

RESUME, CHECKPOINTS, JOURNAL = "resume.json", "checkpoints", "journal"
"""What a run that is not finished holds beside its results, to be resumed."""

LAST, BEST = "model.keras", "best.keras"
"""The models of a training: as it ended, and as its best epoch left it."""

_TEMPORARY = re.compile(r"\..+(\.[0-9a-f]{8}|\.tmp\.keras)")


class RunFolder:
    """A numbered folder that is made aside and appears whole, and can be resumed.

    Use as a context manager: at the end it is renamed to its number. When the work breaks off, it
    is kept under its number if `keep` was called, with that status, and removed otherwise. While
    it is open no other process can take it up; the lock ends with the process, however that ends.

    Attributes:
        path: where to write to while the work goes on; the final folder afterwards.
        number: of the run.
        manifest: what `manifest.json` will say.
    """

    def __init__(self, path: Path, manifest: Mapping[str, Any], *, kept: bool) -> None:
        self._parent, self.number = path.parent, number_of(path)
        self.path, self.manifest = path, dict(manifest)
        self._kept, self._status = kept, "done"
        self._identity: tuple[int, int] | None = None
        self._holding = contextlib.ExitStack()
        self._mirror, self._upload_may_wait = Mirror(), False

    @classmethod
    def create(
        cls,
        out: str | Path,
        name: str,
        kind: str,
        manifest: Mapping[str, Any],
        warn: Callable[[str], None] | None = None,
    ) -> RunFolder:
        """Make the first folder `out/name/kind/NNN` whose number is free.

        Args:
            out: the folder of runs, which may stand for the URL of an object store.
            name: of the experiment.
            kind: of the run.
            manifest: what the manifest is to say.
            warn: hears of an object store that is out of reach.

        Raises:
            ResultError: when it can't be made.
        """
        path = _reserve(Path(out).absolute() / name / kind)
        about = {"schema_version": SCHEMA_VERSION, **manifest, "start": now()}
        run = cls(path, about, kept=False)
        try:
            run._lock()
            run._mirror = mirror_of(path, warn)
            run.write_manifest("running")
        except ResultError:
            run._remove()
            raise
        return run

    @classmethod
    def resume(
        cls, path: Path, warn: Callable[[str], None] | None = None, **resumed: Any
    ) -> RunFolder:
        """Open a folder whose work broke off, found by `find_unfinished`.

        Args:
            path: the folder.
            warn: hears of an object store that is out of reach.
            **resumed: what the manifest is to say about this time.

        Raises:
            ResultError: when another process is at work on it, or it can't be written.
        """
        run = cls(path, {}, kept=True)
        run._lock()
        try:
            if not can_be_resumed(path):  # it was ended since it was found
                raise ResultError(f"{path}: is finished by now; there is nothing to resume.")
            run.manifest = read_json(path / MANIFEST)
            again = [*run.manifest.get("resumed", []), {"when": now(), **resumed}]
            run.manifest["resumed"] = again
            take_over(path)
            run._mirror = mirror_of(path, warn)
            run._rename(run._aside)
            _remove_halves(run.path)
            run.write_manifest("running")
        except (ResultError, AttributeError, TypeError) as error:
            run._holding.close()
            if isinstance(error, ResultError):
                raise
            raise ResultError(f"{path / MANIFEST}: is damaged; start the run again.") from None
        return run

    @property
    def final(self) -> Path:
        """The folder under which the result will be found."""
        return self._parent / f"{self.number:03d}"

    @property
    def _aside(self) -> Path:
        return self._parent / f".{self.number:03d}-running"

    @property
    def is_kept(self) -> bool:
        """Whether the folder stays when the work breaks off."""
        return self._kept

    def keep(self) -> None:
        """From now on there is something worth keeping, even if the work breaks off.

        Raises:
            ResultError: when the folder is not there any more.
        """
        self._check_is_there()
        self._kept = True

    def end_as(self, status: str) -> None:
        """Have a run that is going to end by itself called interrupted, so that it can go on."""
        self._status = status

    def upload(self) -> None:
        """Have an object store follow what is on disk, if the run is kept in one.

        Raises:
            ResultError: when another process has taken the run up there, or it was removed.
        """
        self._mirror.upload(self.path)

    def let_upload_wait(self) -> None:
        """From now on, a failed upload at the end costs a warning: it is made up for later."""
        self._upload_may_wait = True

    def write_manifest(self, status: str) -> None:
        """Write `manifest.json` with a status: running, done, failed or interrupted."""
        write_json(self.path / MANIFEST, self.manifest | {"end": now(), "status": status})

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._holding:
            if kind is None:
                self._finish(self._status)
            elif self._kept:
                broken_off = issubclass(kind, KeyboardInterrupt | SystemExit)
                with contextlib.suppress(ResultError):
                    self._finish("interrupted" if broken_off else "failed")
            else:
                self._remove()

    def _finish(self, status: str) -> None:
        self._check_is_there()
        self.write_manifest(status)
        self._rename(self.final)
        if status == "done":
            _forget(self.path)
            link_latest(self._parent)
        must_be_uploaded = status == "done" and not self._upload_may_wait
        self._mirror.finish(self.path, is_done=must_be_uploaded)

    def _rename(self, target: Path) -> None:
        if self.path == target:
            return
        try:
            self.path.rename(target)
        except OSError as error:
            raise unwritable(target, error) from None
        self.path = target

    def _lock(self) -> None:
        self._holding.enter_context(locked(self.path))
        self._identity = identity_of(self.path)

    def _check_is_there(self) -> None:
        if self._identity is None or identity_of(self.path) != self._identity:
            raise ResultError(
                f"{self.final}: its folder was removed or replaced while it was at work, so "
                f"nothing of this run is kept; run the command again."
            )

    def _remove(self) -> None:
        self._mirror.release()
        self._holding.close()
        shutil.rmtree(self.path, ignore_errors=True)
        for folder in (self._parent, self._parent.parent):
            with contextlib.suppress(OSError):
                folder.rmdir()


def can_be_resumed(folder: Path) -> bool:
    """Tell whether a folder holds a run that broke off, and what it takes to resume it."""
    if not all((folder / name).is_file() for name in (MANIFEST, RESUME)):
        return False
    try:
        manifest = read_json(folder / MANIFEST)
    except ResultError:
        return False
    is_done = isinstance(manifest, dict) and manifest.get("status") == "done"
    return folder.name.startswith(".") or not is_done


def _remove_halves(folder: Path) -> None:
    """Remove what was being written when the process was killed."""
    for path in folder.rglob(".*"):
        if _TEMPORARY.fullmatch(path.name) and path.is_file():
            with contextlib.suppress(OSError):
                path.unlink()


def _forget(folder: Path) -> None:
    """Remove what only a run that broke off has a use for."""
    for name in (RESUME, CHECKPOINTS, JOURNAL):
        if (folder / name).is_dir():
            shutil.rmtree(folder / name, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                (folder / name).unlink(missing_ok=True)


def _reserve(parent: Path) -> Path:
    """Make the first folder whose number is free; another run may be doing the same."""
    try:
        parent.mkdir(parents=True, exist_ok=True)
        number = _next_number(parent)
        while (path := _claim(parent, number)) is None:
            number += 1
        return path
    except OSError as error:
        raise unwritable(parent, error) from None


def _claim(parent: Path, number: int) -> Path | None:
    path = parent / f".{number:03d}-running"
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        return None
    if (parent / f"{number:03d}").exists():  # finished since the numbers were read
        path.rmdir()
        return None
    return path if _is_free_in_store(path) else None


def _is_free_in_store(path: Path) -> bool:
    """Claim a new folder's number in the object store that it may stand for; or remove it."""
    is_claimed = False
    try:
        is_claimed = claim(path)
    finally:
        if not is_claimed:
            path.rmdir()
    return is_claimed


def new_folder(out: str | Path, name: str, kind: str) -> Path:
    """Make the next numbered folder at once, for work that is to be resumed after any end.

    Raises:
        ResultError: when it can't be made.
    """
    parent = Path(out).absolute() / name / kind
    try:
        parent.mkdir(parents=True, exist_ok=True)
        number = _next_number(parent)
        while True:
            path = parent / f"{number:03d}"
            with contextlib.suppress(FileExistsError):  # another process was faster
                path.mkdir()
                if _is_free_in_store(path):
                    return path
            number += 1
    except OSError as error:
        raise unwritable(parent, error) from None


def _next_number(parent: Path) -> int:
    return 1 + max([*_numbers(parent), *numbers_behind(parent)], default=0)


def _numbers(folder: Path) -> Iterator[int]:
    for path in numbered_folders(folder):
        yield number_of(path)
