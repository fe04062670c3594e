"""Where a process writes: the chief where it is told to, the others where nobody looks."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli.engine.devices.distributed import wait_for_all
from onecycle_cli.engine.devices.processes import processes
from onecycle_cli.errors import ResultError

_NOT_READ = ("*.keras", "*.png", "tensorboard")


def kept_by_this_process(out: Path | None) -> Path | None:
    """Return the folder of runs that this process writes to; `None` for all but the chief."""
    return out if processes().is_chief else None


def folder_for_runs(out: Path | None) -> contextlib.AbstractContextManager[str | Path]:
    """Give the folder of runs; where nothing is to be kept, a scratch folder."""
    if out is not None:
        return contextlib.nullcontext(out)
    return tempfile.TemporaryDirectory(prefix="onecycle-", ignore_cleanup_errors=True)


@contextlib.contextmanager
def folder_to_resume(folder: Path) -> Iterator[Path]:
    """Give the folder of a run that is to go on: it itself to the chief, to others a copy.

    All of them have read what they need before the chief changes anything.

    Raises:
        ResultError: when it can't be copied.
    """
    if processes().is_chief:
        wait_for_all()
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="onecycle-") as scratch:
        copy = Path(scratch, *folder.parts[-3:])
        try:
            shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(*_NOT_READ))
        except (OSError, shutil.Error) as error:
            raise ResultError(f"{folder}: can't be read by each process ({error}).") from None
        wait_for_all()
        yield copy
