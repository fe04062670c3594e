"""Files that a command writes, which never take the place of what is there."""

from __future__ import annotations

import os
from pathlib import Path

from onecycle_cli.errors import ConfigError


def check_is_new(*paths: Path) -> None:
    """Refuse what `--out` means if there is something already.

    Args:
        paths: of all files that are going to be written.

    Raises:
        ConfigError: when one of them is there, as a file, a folder or a link.
    """
    for path in paths:
        if os.path.lexists(path):
            what = "is a folder" if path.is_dir() else "is there already"
            place = " in it" if path.is_dir() else ""
            raise ConfigError(f"--out: {path} {what}; give the name of a new file{place}.")


def free_path(path: Path, before_number: str = "-") -> Path:
    """Return the path if nothing is there, else the first free one: `name-2.png`, `name-3.png`, ...

    Args:
        path: of a file with an ending.
        before_number: what stands between the name and the number.
    """
    free, number = path, 2
    while os.path.lexists(free):
        free, number = path.with_stem(f"{path.stem}{before_number}{number}"), number + 1
    return free
