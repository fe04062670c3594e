"""A disk that fails: the k-th open, write, fsync, rename or mkdir below a folder goes wrong.

`Faults` replaces what Python's file functions call, for one process, for good. Reading is left
alone, and so is whatever lies outside the folder.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import pathlib
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

OPERATIONS = ("open", "write", "fsync", "rename", "mkdir")
LASTING = (errno.ENOSPC, errno.EROFS)
"""A full or read-only disk stays so; other errors pass."""


class Faults:
    """Counts the operations below a folder, and lets the k-th of a kind fail.

    Args:
        folder: where.
        operation: one of `OPERATIONS`, or none, to count only.
        index: which one fails, from 0.
        code: how, such as `errno.ENOSPC`.
        report: a file, elsewhere, that gets the counts as they grow.
    """

    def __init__(
        self, folder: Path, operation: str = "", index: int = 0, code: int = 0,
        report: Path | None = None,
    ) -> None:  # fmt: skip
        self.folder, self.operation, self.index, self.code = folder, operation, index, code
        self.counts: Counter[str] = Counter()
        self.failed = 0
        self._log = None if report is None else os.open(report, os.O_WRONLY | os.O_CREAT)

    def install(self) -> None:
        """Go between this process and its files."""
        self._wrap(os, "fsync", "fsync")
        self._wrap(os, "mkdir", "mkdir")
        for name in ("rename", "replace"):
            self._wrap(os, name, "rename")
        self._wrap_open()

    def tick(self, operation: str, path: Any) -> None:
        """Count an operation and fail if it is the one."""
        if not self._is_below(path):
            return
        if self._log is not None:
            os.write(self._log, f"{operation} {path}\n".encode())
        count = self.counts[operation]
        self.counts[operation] += 1
        hit = operation == self.operation and count == self.index
        lasting = self.failed and self.code in LASTING and operation in _affected(self.code)
        if hit or lasting:
            self.failed += 1
            raise OSError(self.code, os.strerror(self.code), str(path))

    def _is_below(self, path: Any) -> bool:
        if isinstance(path, int):
            path = Path(f"/proc/self/fd/{path}").readlink()
        return Path(path).absolute().is_relative_to(self.folder)

    def _wrap(self, module: Any, name: str, operation: str) -> None:
        real: Callable[..., Any] = getattr(module, name)

        def faulty(path: Any, *arguments: Any, **named: Any) -> Any:
            self.tick(operation, path)
            return real(path, *arguments, **named)

        setattr(module, name, faulty)

    def _wrap_open(self) -> None:
        real, faults = io.open, self

        class Raw(io.FileIO):
            def write(self, data: Any) -> Any:
                faults.tick("write", self.name)
                return super().write(data)

        def faulty(file: Any, mode: str = "r", *arguments: Any, **named: Any) -> Any:
            if not set(mode) & set("wxa+") or not faults._is_below(file):
                return real(file, mode, *arguments, **named)
            faults.tick("open", file)
            plain = mode.replace("b", "").replace("t", "")
            raw = Raw(file, plain)
            buffer: Any = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
            return buffer if "b" in mode else io.TextIOWrapper(buffer, encoding="utf-8")

        builtins.open = faulty  # type: ignore[assignment]
        io.open = faulty  # type: ignore[assignment]
        pathlib.io.open = faulty  # type: ignore[attr-defined]
        shutil.open = faulty  # type: ignore[attr-defined]


def _affected(code: int) -> tuple[str, ...]:
    if code == errno.ENOSPC:
        return ("open", "write", "fsync", "mkdir")
    return OPERATIONS
