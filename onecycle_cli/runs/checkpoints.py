"""States of a training on disk: atomic, verified, rotated, and never a burden."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.errors import ResultError
from onecycle_cli.runs import files, run_folder
from onecycle_cli.throttle import Throttle

KEPT = 3

VERSION = 2
"""Of what a state says of a training. The first one held all its steps and epochs."""

_NAME = re.compile(r"(\d{8})-([0-9a-f]{16})\.npz")
_ABOUT = "about"


@dataclass(frozen=True)
class State:
    """Everything that decides how a training goes on.

    Attributes:
        about: plain data: position, events, generators, and how long the tables were.
        arrays: values by name: the model's variables, and their average.
        earlier: states that it may have to go back to.
    """

    about: dict[str, Any]
    arrays: dict[str, NDArray[Any]]
    earlier: list[State] = field(default_factory=list)

    def and_earlier(self) -> Iterator[State]:
        """Yield it and those that it may have to go back to, the latest first.

        Each goes on by itself as it would have at its time.
        """
        yield self
        for i, state in reversed(list(enumerate(self.earlier))):
            yield State(state.about | {"is_anchor": True}, state.arrays, self.earlier[:i])

    def to_bytes(self) -> bytes:
        """Return it as the contents of an `.npz` file, which NumPy reads without pickles."""
        arrays: dict[str, NDArray[Any]] = {}
        for i, state in enumerate([self, *self.earlier]):
            text = json.dumps(state.about).encode()
            arrays[f"{i}/{_ABOUT}"] = np.frombuffer(text, np.uint8)
            arrays |= {f"{i}/{name}": value for name, value in state.arrays.items()}
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:  # savez can't refuse pickles before NumPy 2.1
            for name, value in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, value, allow_pickle=False)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> State:
        """Return the state that `to_bytes` was called on.

        Raises:
            ValueError: when the bytes are no such state.
        """
        parts: dict[int, dict[str, NDArray[Any]]] = {}
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                for key in file.files:
                    number, name = key.split("/", 1)
                    parts.setdefault(int(number), {})[name] = file[key]
            states = [parts[number] for number in sorted(parts)]
            first, *others = [cls(json.loads(s.pop(_ABOUT).tobytes()), s) for s in states]
        except (OSError, LookupError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(str(error)) from None
        return cls(first.about, first.arrays, others)


class Checkpoints:
    """The checkpoints of a run, in a folder of their own.

    A file is called after its number and the SHA-256 digest of its contents, so that a file that
    was cut short or changed shows. The newest `KEPT` are kept. Writing is put off as long as it
    would take more than a hundredth of the time, see `Throttle`.

    Args:
        folder: of the run.
        every: seconds between two of them, within an epoch.
        clock: seconds that never run backwards.
    """

    def __init__(
        self,
        folder: Path,
        *,
        every: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder / run_folder.CHECKPOINTS
        self._every = every
        self._throttle = Throttle(clock)

    @property
    def written(self) -> int:
        """How many were written."""
        return self._throttle.times

    @property
    def seconds(self) -> float:
        """What writing them took."""
        return self._throttle.seconds

    def is_due(self, *, at_epoch_end: bool) -> bool:
        """Tell whether it is time for the next one."""
        return self._throttle.is_due(after=0.0 if at_epoch_end else self._every)

    def write(self, state: State, before: Callable[[], None] | None = None) -> None:
        """Write a state, and remove the oldest beyond those kept.

        Args:
            state: of the training.
            before: is done first; its time counts as well.

        Raises:
            ResultError: when it can't be written; those before are still there.
        """
        with self._throttle.work():
            if before is not None:
                before()
            self._write(state)

    def _write(self, state: State) -> None:
        data = state.to_bytes()
        digest = hashlib.sha256(data).hexdigest()[:16]
        number = 1 + max((_number_of(path) for path in self._newest_first()), default=0)
        files.write_bytes(self._folder / f"{number:08d}-{digest}.npz", data)
        for path in self._newest_first()[KEPT:]:
            with contextlib.suppress(OSError):
                path.unlink()

    def read_newest(
        self, warn: Callable[[str], None], take: Callable[[State], None] = lambda _: None
    ) -> State | None:
        """Return the newest state that is whole and can be taken up; `None` if there is none.

        Args:
            warn: hears of those that are damaged, or can't be taken up.
            take: takes a state up; raises ValueError when what it needs besides is not there.

        Raises:
            ResultError: when another version has written it.
        """
        for path in self._newest_first():
            try:
                newest = _verified(path)
            except (OSError, ValueError) as error:
                with contextlib.suppress(OSError):
                    path.rename(path.with_suffix(".damaged"))
                warn(f"{path}: is damaged ({error}); going back to the one before.")
                continue
            for state in newest.and_earlier():
                try:
                    take(state)
                except ValueError as error:
                    warn(f"{path}: can't be gone on from ({error}); going back to the one before.")
                else:
                    return state
        return None

    def _newest_first(self) -> list[Path]:
        try:
            found = [path for path in self._folder.iterdir() if _NAME.fullmatch(path.name)]
        except FileNotFoundError:
            return []
        return sorted(found, key=_number_of, reverse=True)


def _number_of(path: Path) -> int:
    return int(path.name.partition("-")[0])


def _verified(path: Path) -> State:
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest()[:16] != path.stem.split("-")[1]:
        raise ValueError("its contents do not match the checksum in its name")
    state = State.from_bytes(data)
    if state.about.get("version") != VERSION:
        raise ResultError(
            f"{path}: was written by another version of onecycle, which can resume this run; with "
            f"this one, start it again."
        )
    return state
