"""What a run says, as plain data: what was asked, what was found, and what is where."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePath
from typing import Any

from onecycle_cli.errors import ResultError, cause_of
from onecycle_cli.kinds import FIND_LR, RUN, SWEEP
from onecycle_cli.runs.files import read_yaml
from onecycle_cli.runs.reading.saved_run import SavedRun
from onecycle_cli.runs.stores.urls import address

_COST = ("steps", "epochs", "training_runs", "seconds")
_OF_A_STAGE = (
    *("status", "note", "value", "is_default", "interval", "verdict", "reason"),
    *("predicted", "cost", "scores"),
)
_MANIFEST_SAYS = ("seed", "backend", "precision", "devices")


def in_brief(run: SavedRun) -> dict[str, Any]:
    """Return where a run stands and what it has found."""
    return {
        "run": run.label,
        "experiment": run.experiment,
        "kind": run.kind.name,
        "number": run.number,
        "folder": address(run.folder),
        "status": run.status,
        "finds": run.kind.finds,
        "suggestion": run.suggestion,
        "scores": run.scores,
        "progress": run.progress,
        "started": _iso(run.started),
        "ended": _iso(run.ended),
        "pictures": [address(path) for path in run.pictures],
        "resume": run.resume,
    }


def account(run: SavedRun) -> dict[str, Any]:
    """Return all that a person or a program wants to know of a run.

    Raises:
        ResultError: when its files are damaged.
    """
    config = read_yaml(run.folder / "config.yaml")
    try:
        return in_brief(run) | _in_detail(run, config)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ResultError(
            f"{run.folder}: its files are damaged ({cause_of(error)}); restore them, or run the "
            f"command again."
        ) from None


def _in_detail(run: SavedRun, config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "asked": _asked(run, config),
        "values": [] if run.kind is RUN else _values(run, config),
        "stages": stages_of(run.recipe) if run.kind is RUN else None,
        "cost": _cost(run.result.get("cost")),
        "caveats": list(run.result.get("caveats") or []),
        "events": list(run.result.get("events") or []),
        "reports": [address(path) for path in sorted(run.folder.glob("*.html"))],
        "files": sorted(
            path.relative_to(run.folder).as_posix()
            for path in run.folder.rglob("*")
            if path.is_file() and not path.name.startswith(".")
        ),
    }


def stages_of(recipe: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the stages of a recipe, given as `recipe.json` has it."""
    stages = recipe.get("stages") or {}
    return [
        {"stage": name, "run": stage.get("folder")} | {key: stage.get(key) for key in _OF_A_STAGE}
        for name, stage in stages.items()
    ]


def _asked(run: SavedRun, config: Mapping[str, Any]) -> dict[str, Any]:
    in_hand = run.result.get("in_hand") or {}
    names = {part: _in(config, part, "name") for part in ("dataset", "model", "optimizer")}
    cycles = _in(config, "train", "cycles") or []
    return {
        "command": _command(run.manifest.get("command")),
        **(names | in_hand),
        "task": config.get("task"),
        "loss": _in(config, "loss", "name"),
        "batch_size": config.get("batch_size"),
        "epochs": sum(cycle["epochs"] for cycle in cycles) if cycles else None,
        "method": run.result.get("method"),
        **{key: run.manifest.get(key) for key in _MANIFEST_SAYS},
        "versions": run.manifest.get("versions"),
    }


def _command(words: object) -> str | None:
    if not isinstance(words, list) or not words:
        return None
    program, *rest = map(str, words)
    name = PurePath(program).name
    return shlex.join(["onecycle" if name == "__main__.py" else name, *rest])


def _values(run: SavedRun, config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the values in use, and where each came from, but for the one that is sought."""
    train = dict(config.get("train") or {})
    if run.kind is FIND_LR and run.result.get("method") == SWEEP:
        train["momentum"] = _in(run.result, "conditions", "momentum")
    rates = run.result.get("max_lr") or [
        cycle.get("max_lr") or train.get("max_lr") for cycle in train.get("cycles") or []
    ]
    origins, said = run.manifest.get("origins") or {}, run.result.get("sources") or {}
    sources = said.get("max_lr") or [origins.get("train.max_lr")] * len(rates)
    if run.kind.compares:
        rates, sources = rates[:1], sources[:1]
    found = [
        {"key": "max_lr", "cycle": i, "value": rate, "origin": source}
        for i, (rate, source) in enumerate(zip(rates, sources, strict=False), start=1)
    ]
    found += [
        {"key": key, "cycle": None, "value": train.get(key), "origin": origins.get(f"train.{key}")}
        for key in ("momentum", "weight_decay")
    ]
    return [value for value in found if value["key"] != run.kind.finds]


def _cost(cost: Any) -> dict[str, Any] | None:
    return {key: cost.get(key) for key in _COST} if isinstance(cost, Mapping) else None


def _in(config: Mapping[str, Any], section: str, key: str) -> Any:
    inside = config.get(section)
    return inside.get(key) if isinstance(inside, Mapping) else None


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
