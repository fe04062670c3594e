"""Memory that stays with the process, instead of going back to the system after each operation.

JAX, PyTorch, and TensorFlow without its oneDNN operations, as on processors without AVX512-VNNI,
get their buffers from the C library. glibc maps large ones anew each time, and the kernel fills
each page with zeros before it is used: a tenth to a third of a training step's time. What
`keep_memory` sets has freed memory used again. The same numbers are computed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from onecycle_cli.errors import ConfigError

VARIABLE = "ONECYCLE_KEEP_MEMORY"
ANSWERS = ("auto", "on", "off")

LEAST_MEMORY = 4 * 2**30
"""Bytes that the process must have for `auto`.

The most memory that a training on TensorFlow needs rises by up to an eighth, as pieces of the heap
stay unused, and what a large array leaves behind stays until the process ends. Small networks need
one to three GiB: where there is less than four, going on slower is better than not going on.
"""

_SETTINGS = {-8: 1, -4: 0, -1: -1}
"""Of `mallopt`, in malloc.h: M_ARENA_MAX, M_MMAP_MAX and M_TRIM_THRESHOLD.

One heap for all threads, as further ones can't hold large buffers; none of these are mapped apart;
and the heap never shrinks.
"""

_kept = threading.Event()


def keep_memory(backend: str) -> None:
    """Have this process keep the memory that it frees, as $ONECYCLE_KEEP_MEMORY says.

    `auto`, which holds when it is unset or empty, leaves the memory alone for the reasons that
    `reason_against` gives; `on` does not ask for them. Without glibc's own malloc neither can do
    anything. The earlier, the better: threads that have allocated memory go on with heaps of their
    own.

    Args:
        backend: the one that Keras will use.

    Raises:
        ConfigError: the variable says something else.
    """
    asked = os.environ.get(VARIABLE) or "auto"
    if asked not in ANSWERS:
        raise ConfigError(
            f"{VARIABLE} must be one of {', '.join(ANSWERS)}, got {asked}; correct or unset it."
        )
    glibc = None if asked == "off" else _glibc_in_charge()
    if glibc is None or (asked == "auto" and reason_against(backend) is not None):
        return
    if all(glibc.mallopt(option, value) for option, value in _SETTINGS.items()):
        _kept.set()


def is_memory_kept() -> bool:
    """Tell whether `keep_memory` has changed how this process handles its memory."""
    return _kept.is_set()


def reason_against(backend: str) -> str | None:
    """Return why `auto` leaves the memory alone, or None.

    Settings of the user's own hold. JAX gets one buffer for a whole step, which may not fit where
    the last one was, and PyTorch's leave gaps as well: the most memory rises by up to a half,
    and only the user can tell whether it is there. On an accelerator the buffers are not in main
    memory; its device file tells that there is one before a backend is imported.
    """
    if any(name.startswith("MALLOC_") for name in os.environ):
        return "a variable MALLOC_... is set"
    if "glibc.malloc." in os.environ.get("GLIBC_TUNABLES", ""):
        return "GLIBC_TUNABLES sets glibc.malloc"
    if backend != "tensorflow":
        return f"{backend} would need much more memory"
    if _has_accelerator():
        return "there is an accelerator"
    if min(_limits(), default=LEAST_MEMORY) < LEAST_MEMORY:
        return "there is little memory"
    return None


def _glibc_in_charge() -> ctypes.CDLL | None:
    """Return glibc, if memory comes from it: not from a preloaded jemalloc or the like.

    Those have a `malloc_usable_size` of their own; of `malloc`, programs may have a stub.
    """
    if not sys.platform.startswith("linux"):
        return None
    try:
        libc = ctypes.CDLL("libc.so.6")
        in_use = ctypes.cast(ctypes.CDLL(None).malloc_usable_size, ctypes.c_void_p).value
        own = ctypes.cast(libc.malloc_usable_size, ctypes.c_void_p).value
    except (OSError, AttributeError):  # there is another C library
        return None
    return libc if hasattr(libc, "gnu_get_libc_version") and in_use == own else None


def _has_accelerator(devices: Path = Path("/dev")) -> bool:
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    patterns = ["kfd", "accel[0-9]*"] if hidden else ["kfd", "accel[0-9]*", "nvidia[0-9]*"]
    return any(True for pattern in patterns for _ in devices.glob(pattern))


def left() -> int | None:
    """Return how many bytes this process may take at most, as far as the system tells."""
    return min(_limits(), default=None)


def _limits(root: Path = Path("/")) -> Iterator[int]:
    """Yield in bytes what the system has left, and the limits that are set to this process."""
    import resource  # which Windows lacks

    available = re.search(r"^MemAvailable:\s*(\d+) kB", _text(root / "proc/meminfo"), re.MULTILINE)
    if available:
        yield 1024 * int(available[1])
    for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
        soft, _ = resource.getrlimit(kind)
        if soft != resource.RLIM_INFINITY:
            yield soft
    for path in _limit_files(root):
        with contextlib.suppress(ValueError):  # there is none, or "max"
            yield int(_text(path))


def _limit_files(root: Path) -> Iterator[Path]:
    """Yield the files that limit the memory of this process' control groups, and of those above.

    In a container these groups may not be there by their names; the container's own is at the top.
    """
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, name = line.split(":", 2)
        if not controllers:
            top, file = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            top, file = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        group = top / name.lstrip("/")
        yield from (place / file for place in (group, *group.parents) if place.is_relative_to(top))


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
