"""What a run remembers of its trackers, so that it goes on in the same place when it is resumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from onecycle_cli.runs import files

NAME = "tracking.json"
_SCHEMA_VERSION = 1


class Remembered:
    """The part of `tracking.json` that one tracker reads and writes.

    Args:
        folder: of the run.
        tracker: its name.
    """

    def __init__(self, folder: Path, tracker: str) -> None:
        self._path, self._tracker = folder / NAME, tracker

    def read(self) -> dict[str, Any]:
        """Return what was written last; nothing where nothing was.

        Raises:
            ResultError: when the file is damaged.
        """
        known = self._whole().get(self._tracker)
        return known if isinstance(known, dict) else {}

    def write(self, **facts: Any) -> None:
        """Write these facts instead of what was there.

        Raises:
            ResultError: when they can't be written.
        """
        whole = self._whole() | {"schema_version": _SCHEMA_VERSION, self._tracker: facts}
        files.write_json(self._path, whole)

    def _whole(self) -> dict[str, Any]:
        data = files.read_json(self._path) if self._path.exists() else {}
        return data if isinstance(data, dict) else {}
