"""How much memory this process has needed."""

from __future__ import annotations

import sys

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

_UNIT = 1 if sys.platform == "darwin" else 1024


def peak_memory() -> int | None:
    """Return the most memory that this process has held so far, in bytes; `None` on Windows.

    It is main memory; what lies on an accelerator is not in it.
    """
    if resource is None:
        return None
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * _UNIT
