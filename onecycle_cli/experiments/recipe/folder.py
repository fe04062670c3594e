"""The folder of a recipe: what it is started with, and what it says at the end."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from onecycle_cli.config import Config
from onecycle_cli.experiments.asked.resume import model_files
from onecycle_cli.experiments.manifest import manifest_of
from onecycle_cli.experiments.recipe.stages import FILE, KEYS, Recipe, total
from onecycle_cli.kinds import RUN
from onecycle_cli.runs import files, run_folder


def new_folder(recipe: Recipe, config: Config, out: Path) -> Path:
    """Make the recipe's folder, with what it takes to resume it from here on."""
    folder = run_folder.new_folder(out, config.name, RUN.name)
    header = "# What the recipe was started with; onecycle reads it as a config.\n"
    files.write_yaml(folder / "config.yaml", config.model_dump(), header)
    manifest = {"schema_version": run_folder.SCHEMA_VERSION, **manifest_of(config, {})}
    manifest |= {"start": files.now(), "end": files.now(), "status": "running"}
    manifest["model_files"] = model_files(config)
    files.write_json(folder / "manifest.json", manifest)
    files.write_json(folder / FILE, recipe.as_dict())
    return folder


def note_in_manifest(folder: Path, status: str, *, resumed: bool = False) -> None:
    """Have the manifest say how the recipe stands now; `resumed`: and that it was taken up."""
    manifest = manifest_in(folder)
    manifest |= {"end": files.now(), "status": status}
    if resumed:
        again = {"when": files.now(), "command": sys.argv}
        manifest["resumed"] = [*manifest.get("resumed", []), again]
    files.write_json(folder / "manifest.json", manifest)


def manifest_in(folder: Path) -> dict[str, Any]:
    """Return what the manifest says."""
    return dict(files.read_json(folder / "manifest.json"))


def result_of(recipe: Recipe, label: str) -> dict[str, Any]:
    """Return what `result.json` is to say."""
    return {
        "kind": RUN.name,
        "label": label,
        "status": recipe.status,
        **recipe.stages["train"].scores,
        **{key: recipe.stages[name].value for name, key in KEYS.items()},
        **recipe.stages["train"].conditions,
        "runs": {name: stage.folder for name, stage in recipe.stages.items()},
        "predicted": total(stage.predicted for stage in recipe.stages.values()),
        "cost": total(stage.cost for stage in recipe.stages.values()),
    }
