"""URLs of object stores, and the folders of this machine in which their runs are worked on."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, unquote

from onecycle_cli.errors import ConfigError

_URL = re.compile(r"[a-z][a-z0-9+.-]+://.+", re.IGNORECASE)
"""At least two letters before the colon, so that a drive of Windows is none."""

_URL_AS_PATH = re.compile(r"[a-z][a-z0-9+.-]+:[/\\][^/\\]", re.IGNORECASE)

_LONGEST_NAME = 250
"""Of a folder, in bytes, with room for what is put around it."""

_COLON_AND_SLASHES = "%3A%2F%2F"

_ASIDE = re.compile(r"\.(\d+)-running")


def is_url(place: object) -> bool:
    """Tell whether a place is the URL of an object store, such as `s3://bucket/runs`."""
    return isinstance(place, str) and _URL.fullmatch(place) is not None


def local(place: str | Path) -> Path:
    """Return the folder to write runs to: the one that is named, or one that stands for a URL.

    Raises:
        ConfigError: when a package is missing that the URL needs, or it is too long.
    """
    if not isinstance(place, str) or not is_url(place):
        _refuse_url_as_path(place)
        return Path(place)
    from onecycle_cli.runs.stores.objects import check_installed

    check_installed(place)
    return working_folder(place)


def _refuse_url_as_path(place: str | Path) -> None:
    if isinstance(place, Path) and _URL_AS_PATH.match(str(place)):
        raise ConfigError(f"{place}: give the URL of an object store as text, not as a Path.")


def working_folder(url: str) -> Path:
    """Return the folder of this machine that stands for a URL.

    Raises:
        ConfigError: when the URL is too long for the name of a folder.
    """
    return _working_folders() / folder_named_after(url)


def url_of(path: Path) -> str | None:
    """Return the URL that a path in a working folder stands for; `None` for any other path.

    A run has one URL, whether its folder has the name of a run at work or not.
    """
    base = _working_folders()
    if not path.is_relative_to(base) or path == base:
        return None
    name, *inner = path.relative_to(base).parts
    return _joined(name, inner)


def address(path: Path) -> str:
    """Return by what name a user finds a folder: the URL that it is a copy of, or its path."""
    for depth, part in enumerate(path.parts):
        if _COLON_AND_SLASHES in part:
            return _joined(part, path.parts[depth + 1 :])
    return str(path)


def from_here(path: Path) -> str:
    """Return an address as somebody here types it: a path in the current folder starts there."""
    said = address(path)
    if said == str(path):
        with contextlib.suppress(ValueError, OSError):  # it is elsewhere, or that folder is gone
            return str(path.relative_to(Path.cwd()))
    return said


def folder_named_after(url: str) -> str:
    """Return the name of a folder that stands for a URL.

    Raises:
        ConfigError: when the URL is too long for the name of a folder.
    """
    name = quote(url.rstrip("/"), safe="")
    if len(name) > _LONGEST_NAME:
        raise ConfigError(f"{url}: is too long a URL to keep runs at; choose a shorter one.")
    return name


def _joined(name: str, inner: Iterable[str]) -> str:
    return "/".join([unquote(name), *(_ASIDE.sub(r"\1", part) for part in inner)])


def _working_folders() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME")
    above = Path(cache) if cache else Path.home() / ".cache"
    return above.absolute() / "onecycle" / "stores"
