"""What a saved run says, in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from onecycle_cli.commands.console.ending import number

if TYPE_CHECKING:
    from onecycle_cli.runs.reading.saved_run import SavedRun


_IN_BRIEF = {
    "test_accuracy": "test accuracy {:.2%}",
    "test_loss": "test loss {:.4g}",
    "val_accuracy_last": "validation accuracy {:.2%}",
    "val_loss_last": "validation loss {:.4g}",
}
"""What is said of a training in a few words: the first of these that it has."""


def found_in_words(run: SavedRun) -> str:
    """Return what a run has found, in a few words, or how far it has got."""
    suggestion, scores = run.suggestion, run.scores
    if suggestion is not None:
        if suggestion.get("value") is None:
            return str(suggestion["verdict"])
        return f"{run.kind.finds} {value_in_words(suggestion['value'])}, {suggestion['verdict']}"
    if scores is None:
        return run.progress or ""
    r2 = _r2_of(scores)
    if r2 is not None:
        return f"test R2 {r2:.4g}"
    for name, form in _IN_BRIEF.items():
        if scores[name] is not None:
            return form.format(scores[name])
    return "trained"


def _r2_of(scores: Mapping[str, Any]) -> float | None:
    """Return the share of the variance that is explained in the test set, of numbers only."""
    found = (scores.get("test_scores") or {}).get("r2")
    return found if isinstance(found, float) else None


def value_in_words(value: Any) -> str:
    """Return a number, or a range of momentum, as a person writes it."""
    if isinstance(value, Mapping):
        from onecycle_cli.suggest import range_in_words

        return range_in_words(value)
    return number(value)


def suggestion_in_words(suggestion: Mapping[str, Any]) -> str:
    """Return a suggested value and its interval."""
    text = value_in_words(suggestion["value"])
    if not suggestion.get("interval"):
        return text
    low, high = suggestion["interval"]
    return f"{text} ({low:.3g} to {high:.3g})"


def score_rows(scores: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return how good a model is, the test set first, then what it was validated on."""
    rows, r2 = [], _r2_of(scores)
    for name, accuracy, loss in (
        ("test", scores["test_accuracy"], scores["test_loss"]),
        ("validation, last", scores["val_accuracy_last"], scores["val_loss_last"]),
        ("validation, best", scores["val_accuracy_best"], scores["val_loss_best"]),
    ):
        parts = [] if accuracy is None else [f"accuracy {accuracy:.2%}"]
        parts += [f"R2 {number(r2)}"] if name == "test" and r2 is not None else []
        parts += [] if loss is None else [f"loss {number(loss)}"]
        if parts:
            rows.append((name, ", ".join(parts)))
    return rows


def age_of(run: SavedRun) -> str:
    """Return how long ago a run ended, or began if it has not ended."""
    from onecycle_cli.runs.reading.times import age

    return age(seconds_since(run))


def seconds_since(run: SavedRun) -> float:
    """Return the seconds since a run ended, or began if it has not ended."""
    return max(0.0, (datetime.now(UTC) - run.when[0]).total_seconds())
