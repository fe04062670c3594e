"""What several commands show: values and where they came from, costs, folders."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onecycle_cli.commands.console.ending import number, table
from onecycle_cli.commands.console.result.closing import folder_rows
from onecycle_cli.commands.console.result.colours import by_verdict

if TYPE_CHECKING:
    from onecycle_cli.config import Config
    from onecycle_cli.experiments.hyper_parameters.values import Values
    from onecycle_cli.suggest import Suggestion
    from onecycle_cli.workbench.cost import Cost


MARK = "<- suggested"
"""The sign of the row that a finder suggests."""

_FEW = 50
"""One of so few examples moves an accuracy by two points and more."""

_LOPSIDED = 0.6
"""From this share of one class on, an accuracy seems high though nothing was learned."""


def known_values(config: Config, out: Path) -> Values:
    """Return the values that an experiment would use, without starting Keras.

    Asking it for a learning rate first spares the user the wait for an error.
    """
    from onecycle_cli.experiments.hyper_parameters.gathering import gather
    from onecycle_cli.observer import Observer

    return gather(config, out, Observer(), conditions={})


def used_rows(values: Values, decay: str, *keys: str) -> list[tuple[str, str]]:
    """Return the named values and where each came from, for a table.

    Args:
        values: all of them.
        decay: what a weight decay means: `l2` or `decoupled`.
        *keys: `max_lr`, `momentum` or `weight_decay`.
    """
    from onecycle_cli.experiments.hyper_parameters.values import in_words

    shown = {
        "max_lr": ("max_lr", number(values.max_lr)),
        "momentum": ("momentum", in_words(values.momentum)),
        "weight_decay": (f"weight decay, {decay}", number(values.weight_decay)),
    }
    return [(shown[key][0], f"{shown[key][1]} ({values.sources[key]})") for key in keys]


def rate_rows(rates: Sequence[float], sources: Sequence[str]) -> list[tuple[str, str]]:
    """Return the highest learning rate of each cycle and where it came from, for a table."""
    names = [f"max_lr, cycle {i}" for i in range(1, len(rates) + 1)] if rates[1:] else ["max_lr"]
    return [
        (name, f"{number(rate)} ({source})")
        for name, rate, source in zip(names, rates, sources, strict=True)
    ]


def cost_row(cost: Cost) -> tuple[str, str]:
    """Return what an experiment took, for a table."""
    return ("cost", f"{cost} in {cost.seconds:.1f} s")


def verdict_rows(found: Suggestion) -> list[tuple[str, str]]:
    """Return the verdict of a finder, coloured, and the reason for it, for a table."""
    return [("verdict", by_verdict(found.verdict, found.verdict)), ("reason", found.reason)]


def value_rows(
    texts: Mapping[float, str],
    suggested: float | None = None,
    verdict: str = "",
    names: Mapping[float, str] | None = None,
) -> list[tuple[str, str]]:
    """Return a row for each value that was tried, rising, and mark the suggested one, for a table.

    Args:
        texts: what is said of each value.
        suggested: the value to mark, which gets a row where it was not tried itself; `None`: none.
        verdict: on it, which decides its colour.
        names: of values, where these are not their names.
    """
    shown = dict(texts)
    near = [v for v in shown if suggested is not None and math.isclose(v, suggested, rel_tol=1e-3)]
    marked = near[0] if near else suggested
    if marked is not None:
        shown[marked] = f"{shown.get(marked, '')}  {MARK}".strip()
    rows = []
    for value, text in sorted(shown.items()):
        name = f"  {(names or {}).get(value, f'{value:.3g}')}"
        is_marked = value == marked
        rows.append(
            (by_verdict(name, verdict), by_verdict(text, verdict)) if is_marked else (name, text)
        )
    return rows


def write_table(rows: list[tuple[str, str]], folder: Path | None) -> None:
    """Print the result."""
    table([*rows, *folder_rows(folder)])


def accuracy_in_words(accuracy: float, per_class: Sequence[Mapping[str, Any]] | None) -> str:
    """Return an accuracy, of how many examples where they are few, and beside that of one answer.

    That is shown where always giving the same answer scores high.

    Args:
        accuracy: the share of right answers.
        per_class: as of `examination.by_class`; `None` where there are no classes.
    """
    counts = {entry["class"]: entry["examples"] for entry in per_class or ()}
    examples = sum(counts.values())
    said = f"{accuracy:.2%} of {examples} examples" if 0 < examples < _FEW else f"{accuracy:.2%}"
    if not counts or max(counts.values()) < _LOPSIDED * examples:
        return said
    most = max(counts, key=counts.__getitem__)
    return f"{said}; always answering {most} has {counts[most] / examples:.2%}"


_SCORES = {"auc": "AUC", "f1": "F1", "r2": "R2", "mae": "mean abs. error"}


def score_rows(scores: Mapping[str, Any], what: str = "") -> list[tuple[str, str]]:
    """Return a row for each measure of a task besides accuracy, means over labels or targets.

    Args:
        scores: as of `Examination.scores`.
        what: what they are of, such as `test `.
    """
    return [
        (f"{what}{name}", number(scores[key]))
        for key, name in _SCORES.items()
        if scores.get(key) is not None
    ]
