"""Decoded images kept on disk, so that a folder which does not change is decoded once."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.files.locate import download_folder
from onecycle_cli.data.files.names import readable_name
from onecycle_cli.data.images.decoding import Reduced
from onecycle_cli.data.images.images import Form
from onecycle_cli.data.sources.source import reason
from onecycle_cli.errors import DataError

_VERSION = 1
"""Of what is kept, and of how images are decoded here: to be raised when either changes."""


@dataclass(frozen=True)
class Decoded:
    """Images as they are kept.

    Attributes:
        x: uint8, shape (n, *form.shape).
        form: what they share.
        reduced: how many of them are less here than in their files.
    """

    x: NDArray[np.uint8]
    form: Form
    reduced: Reduced


class ImageCache:
    """The decoded images of one part of a folder: an .npy file, and one that says what is in it.

    Their names hold a key of all that the decoded images depend on: the files' names, sizes and
    times of change, what was asked for, and Pillow. So there is nothing to find once any of this
    has changed. A cache that is missing, damaged or out of reach is never an error.

    Args:
        root: the folder.
        part: which part of it, a word.
        paths: the images, in the order in which they are decoded.
        wanted: what else their decoded form depends on, as plain data.
        beside: another folder, which some of the images lie in; `None`: all lie in the first.
    """

    def __init__(
        self,
        root: Path,
        part: str,
        paths: list[Path],
        wanted: object,
        beside: Path | None = None,
    ) -> None:
        folders = [root] if beside is None else [root, beside]
        self._root = readable_name(root.resolve())
        place = "\0".join(str(folder.resolve()) for folder in folders)
        self._prefix = f"{_digest(place)[:16]}-{part}"
        self._key = _digest([_VERSION, _pillow(), wanted, [_state(folders, p) for p in paths]])
        self._count = len(paths)

    def get(self, decode: Callable[[], Decoded]) -> tuple[Decoded, tuple[str, ...]]:
        """Return the images from the cache; or decode and keep them, for the next time.

        Args:
            decode: decodes them; what it raises is not caught, and then nothing is kept.

        Returns:
            The images, and a note where they could not be read or kept.
        """
        problem: str | None = None
        try:
            return self._load(), ()
        except (FileNotFoundError, NotADirectoryError, DataError):  # it is not there
            pass
        except Exception as error:  # a damaged file can raise nearly anything
            problem = (
                f"{self._path('npy')}: this cache of decoded images cannot be read "
                f"({_why(error)}); they were decoded again."
            )
        images = decode()
        try:
            self._save(images)
        except (OSError, DataError) as error:
            problem = (
                f"{self._root}: the decoded images cannot be kept for the next time "
                f"({reason(error)}); let XDG_CACHE_HOME name a folder with room for them."
            )
        return images, (problem,) if problem else ()

    def _load(self) -> Decoded:
        about = json.loads(self._path("json").read_bytes())
        x = np.load(self._path("npy"), allow_pickle=False)
        form = Form(**about["form"] | {"size": tuple(about["form"]["size"])})
        if x.dtype != np.uint8 or x.shape != (self._count, *form.shape):
            raise ValueError("it holds other images")
        if about.pop("checksum") != _checksum(x, about):
            raise ValueError("its checksum is wrong")
        return Decoded(x, form, Reduced(**about["reduced"]))

    def _save(self, images: Decoded) -> None:
        """Write both files, the one that is read first as the last, and drop all older ones."""
        _folder().mkdir(parents=True, exist_ok=True)
        for old in _folder().glob(f"{self._prefix}-*"):
            with suppress(OSError):  # another process may be reading it, or may have removed it
                old.unlink()
        about = {
            "folder": self._root,
            "form": asdict(images.form) | {"size": list(images.form.size)},
            "reduced": asdict(images.reduced),
        }
        about["checksum"] = _checksum(images.x, about)
        text = json.dumps(about, indent=2).encode()
        with suppress(FileNotFoundError):  # another process has dropped ours for its own
            _write(self._path("npy"), lambda file: np.save(file, images.x))
            _write(self._path("json"), lambda file: file.write(text))

    def _path(self, ending: str) -> Path:
        return _folder() / f"{self._prefix}-{self._key}.{ending}"


def _folder() -> Path:
    return download_folder() / "images"


def _write(path: Path, write: Callable[[BinaryIO], Any]) -> None:
    """Write a file whole or not at all; not flushed to the disk, as the checksum tells."""
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("wb") as file:
            write(file)
        temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink()


def _state(folders: list[Path], path: Path) -> list[str | int]:
    """Return what changes with a file; where there is none, decoding will tell."""
    name = next(str(path.relative_to(f)) for f in reversed(folders) if path.is_relative_to(f))
    with suppress(OSError):
        found = path.stat()
        return [name, found.st_size, found.st_mtime_ns, found.st_ctime_ns]
    return [name]


def _why(error: Exception) -> str:
    """Return why, without the path that the system repeats."""
    return (isinstance(error, OSError) and error.strerror) or reason(error)


def _pillow() -> str:
    from PIL import __version__

    return __version__


def _digest(plain: object) -> str:
    return blake2b(json.dumps(plain).encode(), digest_size=16).hexdigest()


def _checksum(x: NDArray[np.uint8], about: dict[str, Any]) -> str:
    digest = blake2b(np.ascontiguousarray(x).reshape(-1).data, digest_size=16)
    digest.update(json.dumps(about, sort_keys=True).encode())
    return digest.hexdigest()
