"""Arrays that lie in a file, of which only what is looked at takes memory."""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray


def is_mapped(array: NDArray[Any]) -> bool:
    """Tell whether an array lies in a file, and can't be written to."""
    return _read_only_mapping_of(array) is not None


def release(array: NDArray[Any]) -> None:
    """Tell the operating system that what was read of a file is not needed in memory any more.

    It is read anew when it is looked at again. Nothing happens to arrays that are not mapped, to
    those that may be written to, whose changes would be lost, and where systems have no such call.

    Args:
        array: any; all that is mapped of the file that it is a view of is let go.
    """
    mapped = _read_only_mapping_of(array)
    if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def _read_only_mapping_of(array: NDArray[Any]) -> mmap.mmap | None:
    """Return the mapping that an array lies in, if none of the views on the way may write to it."""
    base: Any = array
    while isinstance(base, np.ndarray):
        if base.flags.writeable:
            return None
        base = base.base
    return base if isinstance(base, mmap.mmap) else None
