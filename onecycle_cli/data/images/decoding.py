"""Many image files as one array, several decoded at a time."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.files.names import readable_name
from onecycle_cli.data.images.images import Form, Header, by, decode, read_header, safe_opening
from onecycle_cli.data.sources.source import Progress
from onecycle_cli.errors import DataError

_AT_ONCE = 16
"""Images that a thread takes at a time: few, as Ctrl-C waits for them."""

_MANY = 10
"""After so many images that can't be read, and a few more, no others are looked at."""

_THREADS = 16
"""At most: each holds the interpreter for part of the work, so that more would only wait."""


@dataclass(frozen=True)
class Reduced:
    """How many images are less here than in their files.

    Attributes:
        frames: those that move or have pages; the first of these is used.
        bits: those with 16 bits a channel, where Pillow tells; the upper 8 are used.
    """

    frames: int = 0
    bits: int = 0


def common_form(
    paths: list[Path], size: tuple[int, int] | None = None, fit: str | None = None
) -> tuple[Form, Reduced]:
    """Read every header, and return what the images share, and how many lose something.

    They are grey when all of them are.

    Args:
        paths: of the images.
        size: width and height that they are to have; `None`: those of the first, and of all.
        fit: how they come to that size, as in `Form`.

    Raises:
        DataError: an image can't be read, or its size is not that of the first; those that
            can't be read are named, up to many.
    """
    headers = headers_of(paths)
    if size is None:
        _check_sizes(paths, headers)
    mode = "L" if all(header.is_grey for header in headers) else "RGB"
    form = Form(size or headers[0].size, mode, fit if size else None)
    frames = sum(header.has_frames for header in headers)
    return form, Reduced(frames, bits=sum(header.is_deep for header in headers))


def headers_of(paths: list[Path]) -> list[Header]:
    """Return the header of each image.

    Raises:
        DataError: an image can't be read; such are named, up to many.
    """
    headers, failures = [], []
    with safe_opening():
        for path in paths:
            try:
                headers.append(read_header(path))
            except DataError as error:
                failures.append((path, error))
            if len(failures) > _MANY:
                break
    _refuse(failures)
    return headers


def decoded(paths: list[Path], form: Form, progress: Progress | None = None) -> NDArray[np.uint8]:
    """Return the images, of each the first frame, as an array of shape (n, *form.shape).

    Threads do it: Pillow lets others run while it decodes, and all fill one array.

    Args:
        paths: of the images.
        form: of each of them.
        progress: told by the calling thread of (images decoded, images in all).

    Raises:
        DataError: an image can't be read, or is of another size; such are named, up to many.
    """
    x = np.empty((len(paths), *form.shape), np.uint8)
    failures: list[tuple[Path, DataError]] = []

    def fill(rows: range) -> int:
        for row in rows:
            try:
                x[row] = decode(paths[row], form)
            except DataError as error:
                failures.append((paths[row], error))
        return rows.stop

    pool = ThreadPoolExecutor(min(os.cpu_count() or 1, _THREADS))
    try:
        with safe_opening():
            for done in pool.map(fill, _shares(len(paths))):
                if len(failures) > _MANY:
                    break
                if progress is not None:
                    progress(done, len(paths))
    finally:
        pool.shutdown(cancel_futures=True)
    _refuse(failures)
    return x


def _refuse(failures: list[tuple[Path, DataError]]) -> None:
    """Raise what is wrong with the first image, and name the others: one round is enough then."""
    if not failures:
        return
    (_, first), *others = sorted(failures, key=itemgetter(0))
    if not others:
        raise first
    names = ", ".join(readable_name(path) for path, _ in others[:_MANY])
    more = " and more" if len(failures) > _MANY else ""
    raise DataError(f"{first} So it is with {names}{more}.") from first


def _shares(count: int) -> list[range]:
    return [range(row, min(row + _AT_ONCE, count)) for row in range(0, count, _AT_ONCE)]


def _check_sizes(paths: list[Path], headers: list[Header]) -> None:
    for path, header in zip(paths, headers, strict=True):
        if header.size != headers[0].size:
            raise DataError(
                f"{readable_name(path)} must have the size of {readable_name(paths[0])}, "
                f"{by(headers[0].size)}, got {by(header.size)}; set dataset.size: [HEIGHT, WIDTH] "
                f"to have all images brought to one size."
            )
