"""What every finder answers with: a value, or a refusal, and the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

ACCEPTED = ("ok", "undecided")
"""Verdicts that come with a value."""


@dataclass(frozen=True)
class Suggestion:
    """A suggested value with its evidence.

    Attributes:
        value: the value to use; a mapping with `max` and `min` for momentum; `None` if refused.
        interval: lowest and highest value that the data support as well; `None` if refused.
        verdict: `ok`, `undecided` (the value is the safe one), or why there is no value:
            `too_short`, `non_finite`, `never_descended`, `never_diverged`.
        reason: one sentence for a person, with the advice what to do.
    """

    value: float | dict[str, float] | None
    interval: tuple[float, float] | None
    verdict: str
    reason: str

    @property
    def accepted(self) -> bool:
        """Whether there is a value to use."""
        return self.verdict in ACCEPTED

    def __str__(self) -> str:
        """Say it in a line: value, interval, verdict, reason."""
        value = "none" if self.value is None else _in_words(self.value)
        interval = "" if self.interval is None else f" ({_interval_in_words(self.interval)})"
        return f"{value}{interval}, {self.verdict}: {self.reason}"

    def sentence(self, name: str) -> str:
        """Say it to a person: `Suggested max_lr: 0.1 (0.06 to 0.2). The loss ...`.

        Args:
            name: what is suggested, such as `max_lr`.
        """
        reason = f"{self.reason[:1].upper()}{self.reason[1:]}"
        if self.value is None:
            return f"No {name} is suggested ({self.verdict}). {reason}"
        doubt = ", but undecided" if self.verdict == "undecided" else ""
        interval = "" if self.interval is None else f" ({_interval_in_words(self.interval)})"
        return f"Suggested {name}: {_in_words(self.value)}{interval}{doubt}. {reason}"

    def as_dict(self) -> dict[str, Any]:
        """Return the suggestion as plain data for a file."""
        return asdict(self) | {"interval": list(self.interval) if self.interval else None}


def rounded(value: float) -> float:
    """Return three significant digits: more would be noise, and what is shown is what is used."""
    return float(f"{value:.3g}")


def range_in_words(momentum: Mapping[str, float]) -> str:
    """Return a range of momentum as a person writes it; a constant one as one number."""
    high, low = momentum["max"], momentum["min"]
    return f"{high:g}" if high == low else f"{high:g} to {low:g}"


def _in_words(value: float | dict[str, float]) -> str:
    return range_in_words(value) if isinstance(value, dict) else f"{value:.3g}"


def _interval_in_words(interval: tuple[Any, Any]) -> str:
    return f"{_in_words(interval[0])} to {_in_words(interval[1])}"
