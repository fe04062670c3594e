"""A recipe that broke off: found again, and compared with what it was started with.

It needs no Keras, so that a recipe which can't be resumed is refused at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onecycle_cli.config import Config, load_config
from onecycle_cli.errors import ConfigError, OnecycleError
from onecycle_cli.experiments.asked.backend import on_its_backend
from onecycle_cli.experiments.asked.resume import refuse_changes
from onecycle_cli.experiments.recipe.stages import FILE, Recipe
from onecycle_cli.kinds import RUN
from onecycle_cli.runs import finding, run_folder
from onecycle_cli.runs.stores.unfinished import here


def find_recipe(path: str | Path) -> Path:
    """Return the folder of the recipe to be resumed.

    Args:
        path: a recipe's folder, or its URL; or one above it, such as `runs/digits` or
            `runs/digits/run`: then the newest recipe there that is not finished.

    Raises:
        ConfigError: when there is none.
        ResultError: when it is damaged.
    """
    folder = Path(here(path, RUN.name))
    if (folder / FILE).is_file() or (folder / run_folder.MANIFEST).is_file():
        _check_is_recipe(folder)
        Recipe.read(folder)
        return folder
    for parent in (folder, folder / RUN.name):
        numbered = (path for path in parent.glob("[0-9]*") if path.name.isdecimal())
        for found in sorted(numbered, key=lambda path: int(path.name), reverse=True):
            with contextlib.suppress(OnecycleError):
                if not Recipe.read(found).is_over:
                    return found
    raise ConfigError(
        f"{path}: holds no unfinished recipe; give the folder of one, such as "
        f"runs/NAME/{RUN.name}/001, or start one without --resume."
    )


def _check_is_recipe(folder: Path) -> None:
    """Refuse to take a run of a single stage up as a recipe."""
    kind = finding.kind_of(folder)
    if kind not in (RUN.name, None):
        raise ConfigError(
            f"{folder}: is a run of {kind} and no recipe; use 'onecycle {kind} --resume {folder}', "
            f"or give a recipe, such as runs/NAME/{RUN.name}/001."
        )


def config_of(folder: Path) -> Config:
    """Return the configuration that a recipe was started with, to go on with."""
    return on_its_backend(folder, load_config(folder / "config.yaml"))


def check_config(folder: Path, config: Config) -> Config:
    """Make sure that a config that is given again is the recipe's, and return how it goes on.

    Raises:
        ConfigError: when it is not, naming the difference.
    """
    instead = "start again without --resume; --reuse keeps what still holds"
    return refuse_changes(folder, config_of(folder), config, instead=instead)


def check_conditions(folder: Path, recipe: Recipe, conditions: Mapping[str, Any]) -> None:
    """Make sure that the data are those that the recipe was started with.

    Raises:
        ConfigError: when they are not.
    """
    if recipe.conditions != conditions:
        changed = [k for k, now in conditions.items() if recipe.conditions.get(k) != now]
        what = "the data" if changed == ["data"] else ", ".join(changed)
        raise ConfigError(
            f"{folder}: was started with other data: {what} changed since; start again without "
            f"--resume."
        )
