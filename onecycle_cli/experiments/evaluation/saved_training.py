"""A training that lies in its folder, found again without starting Keras."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onecycle_cli.config import Config, load_config
from onecycle_cli.errors import ResultError
from onecycle_cli.runs import files, finding
from onecycle_cli.runs.folders.latest import followed, is_latest
from onecycle_cli.runs.run_folder import BEST, LAST
from onecycle_cli.runs.stores.finished import fetched
from onecycle_cli.runs.stores.urls import is_url

_ANY_DATA = {"name": "digits"}


@dataclass(frozen=True)
class SavedTraining:
    """A model, and how it was trained.

    Attributes:
        folder: the run's folder.
        model: the file with the model.
        settings: the run's configuration, all but its data, which may have moved.
        data: the section `dataset` of the run's configuration, as it is written.
        inputs: how its inputs were prepared, see `inputs.inputs_of`; empty if that is not on
            record, as for a run that broke off.
        targets: how they were standardised, see `inputs.targets_of`; `None`: they were not.
        classes: the classes' names, in the order of the model's outputs; empty if not on record.
    """

    folder: Path
    model: Path
    settings: Config
    data: dict[str, Any]
    inputs: dict[str, Any]
    targets: dict[str, Any] | None
    classes: tuple[str, ...]

    def config(self, overrides: Sequence[str] = ()) -> Config:
        """Return the run's own configuration, data included.

        Raises:
            ConfigError: when it is not valid (any more).
        """
        return load_config(self.folder / "config.yaml", list(overrides))


def find_training(path: str | Path, *, best: bool = False) -> SavedTraining:
    """Return the training meant by a path: itself, or the newest one within.

    Args:
        path: the folder of a run or its URL, or one above it; of a recipe, for its training.
        best: the model of the best validation score, instead of the last one.

    Raises:
        ResultError: when there is none, or its files are damaged.
        ConfigError: when its configuration is not valid.
    """
    name = BEST if best else LAST
    if isinstance(path, str) and is_url(path):
        folder = fetched(path, holding=name)
    else:
        folder = _folder_with(followed(Path(path)), name)
    config = files.read_yaml(folder / "config.yaml")
    result = files.read_json(folder / "result.json") if _has_result(folder) else {}
    inputs, targets, classes = {}, None, []
    with contextlib.suppress(AttributeError, LookupError, TypeError):
        inputs = dict(result.get("inputs") or {})
        targets = result.get("targets")
        classes = [str(entry["class"]) for entry in result.get("per_class") or ()]
    return SavedTraining(
        folder=folder,
        model=folder / name,
        settings=load_config({**config, "dataset": _ANY_DATA}),
        data=config.get("dataset") or {},
        inputs=inputs,
        targets=targets,
        classes=tuple(classes),
    )


def _folder_with(folder: Path, name: str) -> Path:
    if folder.is_file():
        raise ResultError(f"{folder}: is a file; give the folder of a training.")
    if (folder / "recipe.json").is_file():
        folder = finding.find_run(folder)
    if _is_training(folder, name):
        return folder
    if not folder.is_dir():
        raise ResultError(
            f"{folder}: there is nothing at this path; give the folder of a run, such as "
            f"runs/NAME/train/001, or one above it."
        )
    models = [p for p in folder.glob(f"**/{name}") if not _is_hidden(p, folder)]
    models = [p for p in models if _is_training(p.parent, name) and not is_latest(p.parent)]
    if not models:
        raise ResultError(
            f"{folder}: holds no {name} with its config.yaml; give the folder of a training, such "
            f"as runs/NAME/train/001."
        )
    return max(models, key=lambda p: p.stat().st_mtime).parent


def _is_training(folder: Path, name: str) -> bool:
    return (folder / name).is_file() and (folder / "config.yaml").is_file()


def _is_hidden(path: Path, within: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(within).parts)


def _has_result(folder: Path) -> bool:
    return (folder / "result.json").is_file()
