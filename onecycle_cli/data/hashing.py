"""Examples known again by their contents, wherever they lie and in whatever order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b, file_digest, sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.files.names import readable_name
from onecycle_cli.data.inputs import Inputs, arrays_of, count
from onecycle_cli.data.mapping import release
from onecycle_cli.errors import DataError

Hashes = NDArray[np.uint64]
"""A row for each example: the hash of its input, and that of its input and target."""

_BYTES = 8
_AT_A_TIME = 1 << 26  # bytes


def hashes_of(x: Inputs, y: Inputs) -> Hashes:
    """Return two 64-bit hashes for each example, shape (n, 2): of the input; of input and target.

    They depend on the bytes of that example alone. BLAKE2 reads about a gigabyte a second.

    Args:
        x: inputs, shape (n, ...) each.
        y: targets, shape (n,) or (n, k) each.
    """
    digests = bytearray()
    parts = [[_rows(array) for array in arrays_of(tree)] for tree in (x, y)]
    for _ in range(count(x)):
        digest = blake2b(digest_size=_BYTES)
        for arrays in parts:
            for rows in arrays:
                digest.update(next(rows))
            digests += digest.digest()
    return np.frombuffer(bytes(digests), "<u8").astype(np.uint64).reshape(-1, 2)


def digest_of_files(paths: Iterable[Path]) -> str:
    """Return hexadecimal digits that change with the contents of files, and with their order.

    Raises:
        DataError: one of them can't be read.
    """
    digest = sha256()
    for path in paths:
        try:
            with path.open("rb") as file:
                digest.update(file_digest(file, sha256).digest())
        except OSError as error:
            raise DataError(
                f"{readable_name(path)} cannot be read ({error.strerror}); make it readable, or "
                "put it back."
            ) from error
    return digest.hexdigest()


def _rows(array: NDArray[Any]) -> Iterator[memoryview]:
    """Yield each row's bytes, without copying them; text, whose rows differ in length, as it is."""
    if array.dtype.kind == "O":
        return (memoryview(str(row).encode(errors="replace") + b"\0") for row in array)
    flat = np.ascontiguousarray(array).reshape(len(array), -1)
    size = flat.shape[1] * flat.itemsize
    return _pieces(flat.view(np.uint8).reshape(-1), size)


def _pieces(content: NDArray[np.uint8], size: int) -> Iterator[memoryview]:
    for number, start in enumerate(range(0, len(content), size)):
        yield content.data[start : start + size]
        if number * size // _AT_A_TIME != (number + 1) * size // _AT_A_TIME:
            release(content)
