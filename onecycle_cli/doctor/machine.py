"""Processor, memory and disk, and which precision pays on this processor."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

from onecycle_cli.data.files.locate import download_folder
from onecycle_cli.doctor.finding import Finding, State
from onecycle_cli.engine import memory as process_memory
from onecycle_cli.experiments.speed import measured

LITTLE_DISK = 1 * 2**30
"""Bytes that a disk should have left: a training keeps two models and three checkpoints."""

_INSTRUCTIONS = (
    *("avx", "avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "asimd", "sve"),
    "bf16",
)
_WITH_BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}
_THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")


def processor() -> Iterator[Finding]:
    """Yield the processor's name, its vector instructions, and how many cores there are."""
    about = measured.machine()
    title = about.get("model name") or platform.processor() or platform.machine()
    yield Finding("processor", str(title))
    yield Finding("instructions", " ".join(_instructions()) or "not known")
    limits = [f"{name}={os.environ[name]}" for name in _THREADS if name in os.environ]
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    text = f"{usable} usable of {os.cpu_count()}"
    yield Finding("cores", ", ".join([text, *limits]))


def precision() -> Iterator[Finding]:
    """Yield whether bfloat16 pays: by what was timed here, else by what the processor can do."""
    known = _instructions()
    if gains := _gains():
        models = "one model" if len(gains) == 1 else f"{len(gains)} models"
        low, high = f"{min(gains):.2g}", f"{max(gains):.2g}"
        times = low if low == high else f"{low} to {high}"
        yield Finding("precision", f"bfloat16 was timed for {models}: {times} times as fast")
        return
    if not known:
        return
    with_bfloat16 = [name for name in known if name in _WITH_BFLOAT16]
    if with_bfloat16:
        text = (
            f"bfloat16 may pay ({', '.join(with_bfloat16)}); with precision: auto it is timed for "
            f"each model"
        )
    else:
        text = "float32: without a GPU, this processor is many times as slow with bfloat16"
    yield Finding("precision", text)


def memory() -> Iterator[Finding]:
    """Yield how much main memory this process may still take, limits of a container included."""
    left = process_memory.left()
    if left is not None:
        yield Finding("memory", f"{in_words(left)} left to this process")


def disk(folder: Path) -> Iterator[Finding]:
    """Yield how much room there is for runs, and whether they can be written.

    Args:
        folder: for the runs; it need not be there yet.
    """
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    if not (place.is_dir() and os.access(place, os.W_OK)):
        remedy = "make it writable, or choose another folder with --out"
        yield Finding("disk", f"{place} can't be written to", State.PROBLEM, remedy)
        return
    free = shutil.disk_usage(place).free
    text = f"{in_words(free)} free in {place}"
    if free < LITTLE_DISK:
        yield Finding("disk", text, State.PROBLEM, "make room, or choose another folder with --out")
    else:
        yield Finding("disk", text)


def in_words(size: int) -> str:
    """Return a number of bytes as a person reads it."""
    for unit, name in ((2**30, "GiB"), (2**20, "MiB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size / 2**10:.0f} KiB"


def _gains() -> list[float]:
    """Return how many times as fast as float32 bfloat16 was, for each model that was timed."""
    kept = (measured.read(place) for place in sorted((download_folder() / "speeds").glob("*.json")))
    timed = [found.seconds for found in kept if found is not None]
    return [
        seconds["float32"] / seconds["mixed_bfloat16"]
        for seconds in timed
        if {"float32", "mixed_bfloat16"} <= seconds.keys()
    ]


def _instructions() -> list[str]:
    about = measured.machine()
    flags = str(about.get("flags") or about.get("Features") or "").split()
    return [name for name in _INSTRUCTIONS if name in flags]
