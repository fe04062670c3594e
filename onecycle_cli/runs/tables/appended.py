"""A CSV file that rows are appended to, and that can be taken back to a length that it had."""

from __future__ import annotations

import contextlib
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

from onecycle_cli.runs import files


@dataclass(frozen=True)
class Extent:
    """How long a table was at some moment, and the checksum of that part.

    A CRC-32 is the state of its own computation: it is carried on from any extent, without reading
    what lies before.

    Attributes:
        rows: without the header.
        size: in bytes, with the header; 0 without any row.
        crc: the CRC-32 of these bytes.
    """

    rows: int = 0
    size: int = 0
    crc: int = 0

    def begins(self, data: bytes) -> bool:
        """Tell whether data begin with this part of the table."""
        return len(data) >= self.size and zlib.crc32(memoryview(data)[: self.size]) == self.crc


class AppendedTable:
    """A table whose rows are written once each.

    On disk are rows that count, and behind them perhaps others that are to be dropped, because
    the table was taken back. They go when new rows take their place, not before: a checkpoint may
    still name them.

    Args:
        path: of the file, which need not be there.

    Attributes:
        extent: of the table with all its rows, on disk or not yet.
        header: the names of its columns; none without any row.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.restart()

    def restart(self) -> None:
        """Begin without any row; what lies on disk is replaced as a whole."""
        self._take(Extent(), ())

    def take_up(self, extent: Extent, header: tuple[str, ...]) -> None:
        """Go on behind what is on disk already."""
        self._take(extent, header)

    def _take(self, extent: Extent, header: tuple[str, ...]) -> None:
        self.extent, self.header = extent, header
        self._on_disk, self._waiting = extent.size, bytearray()

    def append(self, rows: files.Table) -> None:
        """Take rows behind those that are there; they are on disk after `write`."""
        count = len(next(iter(rows.values()), ()))
        if not count:
            return
        text = files.csv_text(rows, header=not self.header).encode()
        self.header = tuple(rows)
        known = self.extent
        self.extent = Extent(
            known.rows + count, known.size + len(text), zlib.crc32(text, known.crc)
        )
        self._waiting += text

    def go_back(self, extent: Extent) -> None:
        """Drop all rows behind an extent that the table had, with the same header."""
        if not extent.size:
            self.restart()
            return
        del self._waiting[max(0, extent.size - self._on_disk) :]
        self._on_disk = min(self._on_disk, extent.size)
        self.extent = extent

    @property
    def is_cut_short(self) -> bool:
        """Whether rows are missing on disk that were there."""
        return _size_of(self.path) < self._on_disk

    def write(self) -> None:
        """Put the rows that wait on disk; they are safe there when this returns.

        Raises:
            ResultError: when they can't be written; those on disk are still there.
        """
        if not self._waiting:
            return
        if self._on_disk:
            self._write_behind()
        else:
            files.write_bytes(self.path, bytes(self._waiting))
        self._on_disk, self._waiting = self.extent.size, bytearray()

    def trim(self) -> None:
        """Drop what lies on disk behind the rows that count."""
        if _size_of(self.path) > self._on_disk:
            try:
                os.truncate(self.path, self._on_disk)
            except OSError as error:
                raise files.unwritable(self.path, error) from None

    def _write_behind(self) -> None:
        try:
            with self.path.open("rb+") as file:
                file.truncate(self._on_disk)
                file.seek(self._on_disk)
                file.write(self._waiting)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            with contextlib.suppress(OSError):
                os.truncate(self.path, self._on_disk)
            raise files.unwritable(self.path, error) from None


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
