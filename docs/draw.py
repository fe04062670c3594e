"""Draw the pictures of the docs anew, from the runs in docs/runs: python docs/draw.py

    --dark    the same on dark paper, as NAME-dark.png

The runs were made by these commands, on 2 cores of an AMD EPYC server CPU with AVX512. Kept of them
are the text files that a picture is drawn from.

    onecycle run configs/digits.yaml --out docs/runs
    onecycle find-lr configs/digits.yaml --method sweep --out docs/runs

A test holds the pictures against what this draws.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

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


def figure_of(name: str, *, dark: bool = False) -> plotting.Figure:
    """Return a picture of the docs."""
    run, draw = PICTURES[name]
    with plotting.drawn_in(plotting.DARK if dark else plotting.LIGHT):
        return draw(read_record(HERE / "runs" / run))


def facts_of(figure: plotting.Figure) -> list[str]:
    """Return what a picture says and shows, whatever version of Matplotlib draws it."""
    texts = [text.get_text() for text in figure.texts]
    texts += [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    for axes in figure.axes:
        texts += [axes.get_xlabel(), axes.get_ylabel(), *(text.get_text() for text in axes.texts)]
        for line in axes.lines:
            x, y = (np.asarray(values, float) for values in line.get_data())
            texts.append(f"{len(x)} points around {np.nanmean(x):.4g}, {np.nanmean(y):.4g}")
    return [text for text in texts if text]


def main() -> None:
    """Write every picture, and what they say into drawn.json."""
    dark = "--dark" in sys.argv[1:]
    said = {}
    for name in PICTURES:
        figure = figure_of(name, dark=dark)
        said[name] = facts_of(figure)
        path = HERE / "images" / f"{name}{'-dark' if dark else ''}.png"
        path.write_bytes(plotting.png(figure))
        print(path)
    if not dark:
        text = json.dumps(said, indent=1, ensure_ascii=False)
        (HERE / "images" / "drawn.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
