"""`uploaded.json`: the mark of a run that was uploaded whole, with the checksum of each file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from onecycle_cli.errors import ResultError
from onecycle_cli.runs.files import to_json
from onecycle_cli.runs.stores.objects import Objects

MARK = "uploaded.json"

_VERSION = 1


@dataclass(frozen=True)
class Sum:
    """What tells whether a file is the one that was uploaded.

    Attributes:
        size: in bytes.
        sha256: in hexadecimal digits.
    """

    size: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Sum:
        """Return that of a file."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(path.stat().st_size, digest)


def mark_of(folder: Path, names: list[str]) -> bytes:
    """Return the mark of a run that has these files."""
    sums = {name: asdict(Sum.of(folder / name)) for name in names}
    return (to_json({"schema_version": _VERSION, "files": sums}, indent=2) + "\n").encode()


def read_mark(objects: Objects, run: str = "") -> dict[str, Sum] | None:
    """Return the files that a run's mark names; `None` if it has no mark.

    Args:
        objects: those of the run, or of a place above it.
        run: where the run is below that place.

    Raises:
        ResultError: when the mark is damaged, or of another version of this program.
    """
    name = f"{run}/{MARK}" if run else MARK
    data = objects.read(name)
    if data is None:
        return None
    where = f"{objects.url}/{name}"
    sums: dict[str, Sum] | None
    try:
        said = json.loads(data)
        if said["schema_version"] != _VERSION:
            raise ResultError(f"{where}: was written by another version of onecycle.")
        sums = {str(name): Sum(**entry) for name, entry in said["files"].items()}
    except (ValueError, LookupError, TypeError, AttributeError):
        sums = None
    if sums is None or not all(map(_is_within, sums)):
        raise ResultError(f"{where}: is damaged; upload the run again, or delete it.")
    return sums


def _is_within(name: str) -> bool:
    """Tell whether a name is that of a file in the run's folder, and of none outside."""
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and not {"..", "\\"} & {*path.parts, *name}


def download(objects: Objects, run: str, sums: Mapping[str, Sum], folder: Path) -> None:
    """Write files of a run into a folder, each of which must be the one that was uploaded.

    Raises:
        ResultError: when one is another, or missing.
    """
    for name, expected in sums.items():
        objects.get(f"{run}/{name}", folder / name)
        if Sum.of(folder / name) != expected:
            raise ResultError(
                f"{objects.url}/{run}/{name}: is not what was uploaded: its size or checksum "
                f"differs from {MARK}. Restore it, or run the command again."
            )
