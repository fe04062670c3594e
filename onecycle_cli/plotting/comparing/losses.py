"""The losses of a comparison's candidates while they trained, each told apart and named."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from onecycle_cli.plotting.candidates import Candidate
from onecycle_cli.plotting.paper.axes import loss_axis, say, spread, whole_ticks
from onecycle_cli.plotting.paper.palette import colors, look_apart

_WIDEST, _NARROWEST = 4.2, 1.3
_LABEL_DISTANCE = 0.06


def draw_losses(axes: Axes, candidates: Sequence[Candidate]) -> None:
    """Draw the smoothed loss of each candidate, named at its end.

    They may lie on each other: so the first are drawn wide, the later ones narrower on top of them,
    and neighbours differ in colour and dashes.
    """
    axes.set_title("loss while training", loc="left", size=10)
    widths = np.linspace(_WIDEST, _NARROWEST, max(1, len(candidates)))
    for index, candidate in enumerate(candidates):
        axes.plot(
            candidate.losses,
            linewidth=widths[index],
            label=candidate.title,
            marker="o" if len(candidate.losses) == 1 else None,
            **look_apart(index),  # type: ignore[arg-type]
        )
    axes.set_xlabel("step")
    axes.set_ylabel("loss, smoothed")
    drawn = [c.losses for c in candidates if len(c.losses)]
    if not drawn:
        say(axes, "no finite loss to draw")
        return
    starts = [losses[: max(1, len(losses) // 20)].max() for losses in drawn]
    lowest = float(min(losses.min() for losses in drawn))
    highest = max(lowest, float(np.median(starts)))
    loss_axis(axes, lowest, highest, (lowest, highest), below=0.06, above=0.12)
    whole_ticks(axes, 6)
    _name_ends(axes, candidates)


def _name_ends(axes: Axes, candidates: Sequence[Candidate]) -> None:
    """Write the name of each line beside its end, moved apart, with a thin line that leads there.

    A line that leaves the picture is named where the right half of the picture says so.
    """
    to_axes = axes.transScale + axes.transLimits
    ends = [
        (i, len(c.losses) - 1, float(c.losses[-1]))
        for i, c in enumerate(candidates)
        if len(c.losses)
    ]
    heights = [float(to_axes.transform((step, loss))[1]) for _, step, loss in ends]
    inside = [(end, h) for end, h in zip(ends, heights, strict=True) if -0.01 <= h <= 1.01]
    places = spread([height for _, height in inside], _LABEL_DISTANCE)
    for ((index, step, loss), _), place in zip(inside, places, strict=True):
        axes.annotate(
            candidates[index].title,
            (step, loss),
            xytext=(1.08, place),
            textcoords="axes fraction",
            va="center",
            size=8,
            color=colors().ink,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-", "linewidth": 0.9, "color": look_apart(index)["color"],
                "relpos": (0, 0.5),
                "shrinkA": 2, "shrinkB": 1,
            },
        )  # fmt: skip
