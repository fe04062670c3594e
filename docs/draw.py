"""Draw the pictures of the docs anew, from the runs in docs/runs: python docs/draw.py

    --dark    the same on dark paper, as NAME-dark.png

The runs were made by these commands, on 2 cores of an AMD EPYC server CPU with AVX512. Kept of them
are the text files that a picture is drawn from.

    onecycle run configs/digits.yaml --out docs/runs
    onecycle find-lr configs/digits.yaml --method sweep --out docs/runs

A test holds the pictures against what this draws.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from onecycle_cli import plotting
from onecycle_cli.runs.records import Record, read_record

HERE = Path(__file__).parent

PICTURES: dict[str, tuple[str, Callable[[Record], plotting.Figure]]] = {
    "find-lr": ("digits/find-lr/001", plotting.draw),
    "range-test": ("digits/find-lr/002", plotting.draw),
    "find-wd": ("digits/find-wd/001", plotting.draw),
    "find-momentum": ("digits/find-momentum/001", plotting.draw),
    "train": ("digits/train/001", plotting.draw),
    "confusion": ("digits/train/001", plotting.draw_confusion),
}
"""The run that each picture shows, and what draws it."""


def drawn(name: str, *, dark: bool = False) -> bytes:
    """Return a picture as a PNG file."""
    run, draw = PICTURES[name]
    with plotting.drawn_in(plotting.DARK if dark else plotting.LIGHT):
        return plotting.png(draw(read_record(HERE / "runs" / run)))


def main() -> None:
    """Write every picture."""
    dark = "--dark" in sys.argv[1:]
    for name in PICTURES:
        path = HERE / "images" / f"{name}{'-dark' if dark else ''}.png"
        path.write_bytes(drawn(name, dark=dark))
        print(path)


if __name__ == "__main__":
    main()
