"""One range test as it was recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from onecycle_cli.runs.files import table_of
from onecycle_cli.shown import Facts, Shown


@dataclass(frozen=True, repr=False)
class Curve(Shown):
    """One range test: the learning rate and the raw data loss of each step.

    Attributes:
        lrs: learning rates, never exponents.
        losses: each batch's data loss before its update; may end in a non-finite one.
        label: what a legend calls it.
    """

    lrs: list[float]
    losses: list[float]
    label: str = ""

    def _facts(self) -> Facts:
        yield "label", self.label or None
        yield "steps", len(self.lrs)
        if self.lrs and self.losses:
            yield "learning rates", f"{self.lrs[0]:.3g} to {self.lrs[-1]:.3g}"
            first, last = self.losses[0], self.losses[-1]
            yield "losses", f"{first:.4g} to {last:.4g}, lowest {min(self.losses):.4g}"


def curve_table(curves: Sequence[Curve]) -> dict[str, list[Any]]:
    """Return `curve.csv`: every step with a loss; an interrupt may fall between rate and loss."""
    return table_of(
        ("repeat", "step", "lr", "loss"),
        (
            (repeat, step, lr, loss)
            for repeat, curve in enumerate(curves)
            for step, (lr, loss) in enumerate(zip(curve.lrs, curve.losses, strict=False))
        ),
    )
