"""The report of a recipe: its stages in a table, and each of them below."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onecycle_cli.errors import ResultError
from onecycle_cli.kinds import RUN, STAGES, TRAIN
from onecycle_cli.report import facts, sentences
from onecycle_cli.report.document import Document, Grid, Link, Part, Section, Text
from onecycle_cli.report.run import evidence
from onecycle_cli.report.snippets import snippets
from onecycle_cli.runs.files import read_json
from onecycle_cli.runs.reading.saved_run import SavedRun
from onecycle_cli.runs.reading.times import duration
from onecycle_cli.runs.records import Record, read_record

Stages = Mapping[str, Mapping[str, Any]]

_HEADINGS = {
    "find-lr": "Learning rate",
    "find-wd": "Weight decay",
    "find-momentum": "Momentum",
    "train": "Training",
}


def document_of_recipe(folder: Path, recipe: Mapping[str, Any] | None = None) -> Document:
    """Return the report of a recipe, from its files and from those of its stages.

    Args:
        folder: of the recipe.
        recipe: what its `recipe.json` is going to say; `None`: what it says.

    Raises:
        ResultError: when they are damaged.
    """
    stages, status = _stages(folder, recipe)
    saved = SavedRun.read(folder) if recipe is None else None
    if saved:
        stages, status = _as_found(stages, saved.status), saved.status
    manifest = read_json(folder / "manifest.json")
    runs = {name: run for name in STAGES if (run := _run_of(folder, stages[name])) is not None}
    label = f"{folder.absolute().parents[1].name}/{RUN.name}/{folder.name}"
    sections = [
        Section("answer", "The answer", [*_answer(runs), *_how_to_go_on(saved), _table(stages)])
    ]
    if TRAIN.name in runs:
        code = snippets(runs[TRAIN.name], _manifest_of(folder, stages[TRAIN.name]))
        sections += [Section("use", "Use it", code)] if code else []
    for name, record in runs.items():
        sections += _sections(name, record, _manifest_of(folder, stages[name]))
    background = _background(manifest, runs)
    if background:
        sections.append(Section("background", "The whole recipe", background))
    subtitle = f"From no values to a trained model: {_STATUS.get(status, status)}"
    return Document(label, subtitle, sections)


_STATUS = {
    "done": "every stage is done",
    "refused": "no learning rate was found, so nothing was trained",
    "running": "still at work",
    "interrupted": "interrupted; it can be resumed",
    "failed": "a stage failed; it can be resumed",
}


def _stages(folder: Path, recipe: Mapping[str, Any] | None) -> tuple[Stages, str]:
    path = folder / "recipe.json"
    data = read_json(path) if recipe is None else recipe
    try:
        return {name: dict(data["stages"][name]) for name in STAGES}, str(data["status"])
    except (LookupError, TypeError, ValueError):
        raise ResultError(f"{path}: is damaged; restore it, or run the recipe again.") from None


def _as_found(stages: Stages, status: str) -> Stages:
    """Return the stages; one that a killed recipe left at work is what the recipe is."""
    return {
        name: {**stage, "status": status} if stage.get("status") == "running" else stage
        for name, stage in stages.items()
    }


def _folder_of(folder: Path, stage: Mapping[str, Any]) -> Path | None:
    where = stage.get("folder")
    return None if not where else folder.absolute().parents[2] / str(where)


def _run_of(folder: Path, stage: Mapping[str, Any]) -> Record | None:
    """Return the run of a stage; `None` if it has none, or none that is there."""
    where = _folder_of(folder, stage)
    if where is None or not (where / "result.json").is_file():
        return None
    return read_record(where)


def _manifest_of(folder: Path, stage: Mapping[str, Any]) -> Mapping[str, Any]:
    where = _folder_of(folder, stage)
    path = None if where is None else where / "manifest.json"
    return read_json(path) if path is not None and path.is_file() else {}


def _answer(runs: Mapping[str, Record]) -> list[Part]:
    if TRAIN.name in runs:
        return sentences.answer(runs[TRAIN.name])
    if "find-lr" in runs:
        return sentences.answer(runs["find-lr"])
    return [Text("No stage has a result yet.")]


def _how_to_go_on(saved: SavedRun | None) -> list[Part]:
    if saved is None or not saved.resume:
        return []
    return [Text(f"This recipe is not finished; '{saved.resume}' goes on with it.", "doubtful")]


def _table(stages: Stages) -> Grid:
    columns = ("stage", "value", "interval", "verdict", "steps", "time", "run")
    rows = []
    for name, stage in stages.items():
        cost = stage.get("cost") or {}
        has_run = bool(stage.get("folder"))
        rows.append(
            [
                Link(_HEADINGS[name], f"#{name}") if has_run else _HEADINGS[name],
                sentences.value_in_words(stage.get("value")),
                sentences.interval_in_words(stage.get("interval")),
                _verdict(stage),
                cost.get("steps"),
                duration(cost["seconds"], decimals=1) if cost.get("seconds") else "",
                stage.get("folder") or stage.get("note") or "",
            ]
        )
    return Grid("The stages", columns, rows)


def _verdict(stage: Mapping[str, Any]) -> str:
    if stage.get("status") in ("done", "refused") and stage.get("verdict"):
        return str(stage["verdict"])
    return str(stage.get("status") or "")


def _sections(name: str, record: Record, manifest: Mapping[str, Any]) -> list[Section]:
    parts = [*sentences.question(record), *sentences.answer(record)]
    where = [*facts.values_grid(record, manifest), *facts.settings_grid(record, manifest)]
    title = _HEADINGS[name]
    return [
        Section(name, title, parts),
        Section(f"{name}-evidence", f"{title}: the evidence", evidence(record, f"{name}-"), 3),
        Section(f"{name}-background", f"{title}: where it comes from", where, 3),
    ]


def _background(manifest: Mapping[str, Any], runs: Mapping[str, Record]) -> list[Part]:
    costs = [record.result.get("cost") or {} for record in runs.values()]
    total = {
        key: sum(cost.get(key) or 0 for cost in costs) for key in ("steps", "epochs", "seconds")
    }
    result = {"cost": total} if any(total.values()) else {}
    return facts.cost_grid(Record(RUN.name, "", result), manifest)
