"""From short trainings over several ranges of momentum to the one to train with."""

from __future__ import annotations

from collections.abc import Sequence

from onecycle_cli.suggest.comparison import Scores, no_finite_candidate, rank
from onecycle_cli.suggest.suggestion import Suggestion, range_in_words

DEFAULT_MOMENTUM = {"max": 0.95, "min": 0.85}
"""L. N. Smith's range."""

WIDTH = 0.1
"""Of a range, from its lowest momentum to its highest."""

_HIGHEST = 0.99


def momentum_range(middle: float, width: float = WIDTH) -> dict[str, float]:
    """Return the range of momentum around a value, within 0 and 0.99 unless the value is above.

    Args:
        middle: of the range, from 0 up to 1.
        width: from its lowest to its highest, >= 0; 0 holds momentum constant.
    """
    high = min(max(_HIGHEST, middle), middle + width / 2)
    return {"max": round(high, 6), "min": round(max(0.0, middle - width / 2), 6)}


def suggest_momentum(
    rounds: Sequence[Scores], *, width: float = WIDTH, reference: float | None = None
) -> Suggestion:
    """Suggest the range of momentum whose short trainings have the lowest loss.

    While the range that the learning rate was found with can't be told apart from the best one, it
    is the answer: at another one the rate would change too, and short trainings survive rates that
    longer ones don't.

    Args:
        rounds: data losses of the middle of each range, as in `rank`.
        width: of the ranges.
        reference: the middle of the range that the learning rate was found with, if it is known.

    Returns:
        The suggestion, with the mapping of `momentum_range` as its value. `undecided` where others
        can't be told apart from the best; `non_finite` where every loss was.
    """
    try:
        best, differences = rank(*rounds)
    except ValueError:
        return no_finite_candidate()
    tied = [best, *(middle for middle, d in differences.items() if d.tied)]
    stays = len(tied) > 1 and reference in tied
    middle: float = reference if reference is not None and stays else best
    value = momentum_range(middle, width)
    ranges = [momentum_range(middle, width) for middle in tied]
    interval = (min(r["min"] for r in ranges), max(r["max"] for r in ranges))
    if len(tied) == 1:
        reason = f"{range_in_words(value)} has the lowest loss, beyond the noise."
        return Suggestion(value, interval, "ok", reason)
    names = ", ".join(range_in_words(r) for r in sorted(ranges, key=lambda r: r["max"]))
    safe = "is the safe choice, because the learning rate was found with it"
    choice = safe if stays else "has the lowest loss"
    if reference is not None and reference in differences and not stays:
        found_with = range_in_words(momentum_range(reference, width))
        choice += f"; {found_with}, which the learning rate was found with, is clearly worse"
    reason = (
        f"{names} can't be told apart; {range_in_words(value)} {choice}. Raise "
        f"find_momentum.repeats or find_momentum.steps to decide."
    )
    return Suggestion(value, interval, "undecided", reason)
