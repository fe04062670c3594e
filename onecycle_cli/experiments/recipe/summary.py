"""A recipe as a table, for a person to read."""

from __future__ import annotations

from typing import Any

from onecycle_cli.experiments.hyper_parameters.values import in_words
from onecycle_cli.experiments.recipe.stages import KEYS, Recipe, Stage, total
from onecycle_cli.runs.reading.times import duration
from onecycle_cli.workbench.cost import Cost

COLUMNS = ("stage", "value", "interval", "verdict", "run", "steps", "share", "time", "predicted")

BRIEF_COLUMNS = ("stage", "value", "verdict", "time", "predicted")

Row = tuple[str, ...]

_NOTICEABLE = 0.1


def rows(recipe: Recipe) -> list[Row]:
    """Return a row for each stage and one for all of them; what is unknown is empty.

    The share is that of the configured training.
    """
    stages = [
        (
            stage.name,
            in_words(stage.value),
            _interval(stage),
            _verdict(stage),
            stage.folder or "",
            *_costs(stage.cost, stage.predicted),
        )
        for stage in recipe.stages.values()
    ]
    costs = [stage.cost for stage in recipe.stages.values()]
    predicted = [stage.predicted for stage in recipe.stages.values()]
    return [*stages, ("in all", "", "", "", "", *_costs(total(costs), total(predicted)))]


def brief_rows(recipe: Recipe) -> list[Row]:
    """Return of each stage, and of all of them, what fits into a window: see `BRIEF_COLUMNS`."""
    whole = rows(recipe)
    share = whole[-1][COLUMNS.index("share")]
    values = [*map(_found, recipe.stages.values()), f"{share} of the training" if share else ""]
    return [
        (name, value, verdict, time, predicted)
        for value, (name, _, _, verdict, _, _, _, time, predicted) in zip(
            values, whole, strict=True
        )
    ]


def ending(stage: Stage) -> str:
    """Return in a line what a stage has found or achieved, how long it took, and in which run."""
    scores = [text for name, text in _scores(stage.scores) if name != "validation, best"][:1]
    what = scores or [_found(stage), _verdict(stage)]
    took = duration(stage.cost["seconds"]) if stage.cost else ""
    return f"{stage.name}: " + ", ".join(part for part in (*what, took, stage.folder) if part)


def _found(stage: Stage) -> str:
    """Return the value of a stage and the interval of a rate or a decay, in words."""
    interval = "" if isinstance(stage.value, dict) else _interval(stage)
    return f"{in_words(stage.value)}{f' ({interval})' if interval else ''}"


def forecast_rows(recipe: Recipe) -> list[tuple[str, str]]:
    """Return what each stage that remains is going to cost, and why others cost nothing.

    Where other programs keep the machine busy, times are given from that of a machine that is idle
    to that of one as busy as it is.
    """
    others = recipe.others if recipe.others > _NOTICEABLE else 0.0
    found = [(s.name, _foreseen(s, others)) for s in recipe.stages.values() if s.status != "done"]
    costs = _cost_in_words(total([stage.predicted for stage in recipe.pending]), others)
    why = f" (other programs take {100 * others:.0f} % of the processors)" if others else ""
    return [*found, ("in all", costs + why)]


def facts(recipe: Recipe) -> list[tuple[str, str]]:
    """Return what the training achieved, and why stages have no value of their own, by name."""
    return [*_scores(recipe.stages["train"].scores), *_notes(recipe)]


def in_brief(recipe: Recipe) -> list[tuple[str, str]]:
    """Return how far the recipe is, what each stage gave, and what the training achieved."""
    stages = [(s.name, f"{in_words(s.value)} {s.status}") for s in recipe.stages.values()]
    return [("status", recipe.status), *stages, *_scores(recipe.stages["train"].scores)]


def in_markdown(recipe: Recipe, label: str) -> str:
    """Return table and facts as Markdown."""
    lines = [COLUMNS, tuple("---" for _ in COLUMNS), *rows(recipe)]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    found = "\n".join(f"- {name}: {text}" for name, text in facts(recipe))
    return f"# {label}, {recipe.status}\n\n{table}\n" + (f"\n{found}\n" if found else "")


def _foreseen(stage: Stage, others: float) -> str:
    if not stage.is_settled:
        return _cost_in_words(stage.predicted, others)
    if stage.value is None or stage.is_default:
        return f"{stage.status}: {stage.note}"
    origin = ", ".join(part for part in (stage.folder, stage.note) if part)
    return f"{stage.status}: {in_words(stage.value)} ({origin})"


def _cost_in_words(cost: dict[str, Any], others: float) -> str:
    busy, idle = (duration(cost["seconds"] * share) for share in (1, 1 - others))
    return f"at most {Cost(**cost)}, about {busy if idle == busy else f'{idle} to {busy}'}"


def _interval(stage: Stage) -> str:
    if not stage.interval:
        return ""
    low, high = stage.interval
    return f"{in_words(low)} to {in_words(high)}" if not isinstance(low, dict) else ""


def _verdict(stage: Stage) -> str:
    if stage.status in ("done", "refused") and stage.name in KEYS:
        return stage.verdict or stage.status
    return stage.status


def _costs(cost: dict[str, float], predicted: dict[str, float]) -> Row:
    if not cost or not cost["steps"]:
        return ("", "", "", duration(predicted["seconds"]) if predicted.get("seconds") else "")
    share = f"{100 * cost['training_runs']:.3g} %"
    return (f"{cost['steps']:.0f}", share, duration(cost["seconds"]),
            duration(predicted["seconds"]))  # fmt: skip


def _scores(scores: dict[str, Any]) -> list[tuple[str, str]]:
    if not scores:
        return []
    shown = []
    if any(scores.get(f"test_{what}") for what in ("accuracy", "loss", "scores")):
        r2 = (scores.get("test_scores") or {}).get("r2")
        explained = "" if r2 is None else f"R2 {r2:.4g}, "
        tested = _score(scores["test_accuracy"], scores["test_loss"])
        shown.append(("test", explained + tested))
    for which in ("last", "best") if scores["best_epoch"] is not None else ():
        text = _score(scores[f"val_accuracy_{which}"], scores[f"val_loss_{which}"])
        epoch = f" (epoch {scores['best_epoch']})" if which == "best" else ""
        shown.append((f"validation, {which}", text + epoch))
    return shown


def _score(accuracy: float | None, loss: float | None) -> str:
    share = "" if accuracy is None else f"accuracy {accuracy:.2%}, "
    return f"{share}loss {'not finite' if loss is None else in_words(loss)}"


def _notes(recipe: Recipe) -> list[tuple[str, str]]:
    notes = []
    for stage in recipe.stages.values():
        text = "; ".join(part for part in (_refusal(stage), stage.note) if part)
        if text:
            notes.append((stage.name, text))
    return notes


def _refusal(stage: Stage) -> str:
    return (stage.reason or "").rstrip(".") if stage.status == "refused" else ""
