"""Whether a folder can be written to, found out before anything is computed for it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from onecycle_cli.errors import ResultError
from onecycle_cli.runs.files import unwritable


def check_writable(folder: Path) -> None:
    """Refuse a folder that can't be written to, or not be made.

    For a moment there is another folder, in it or in the nearest one above it that is there; what
    is missing is not made.

    Raises:
        ResultError: saying what is in the way.
    """
    try:
        nearest = next(place for place in (folder, *folder.parents) if place.exists())
        with tempfile.TemporaryDirectory(prefix=".onecycle-", dir=nearest):
            pass
    except FileNotFoundError:
        raise ResultError(
            f"{folder}: cannot be written: no folder can be made in {nearest}. Choose another "
            f"folder with --out."
        ) from None
    except OSError as error:
        raise unwritable(folder, error) from None
