"""A run as its folder shows it, finished or not."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from onecycle_cli.errors import ResultError
from onecycle_cli.kinds import KINDS, RUN, TRAIN, Kind
from onecycle_cli.runs import finding
from onecycle_cli.runs.files import read_json
from onecycle_cli.runs.folders.lock import is_locked
from onecycle_cli.runs.folders.numbers import number_of
from onecycle_cli.runs.reading.times import Moment, time_in, when
from onecycle_cli.runs.run_folder import JOURNAL, MANIFEST, RESUME, can_be_resumed
from onecycle_cli.runs.stores.urls import address
from onecycle_cli.runs.suggestions_file import RULES, is_usable
from onecycle_cli.suggest import ACCEPTED

RESULT, RECIPE = "result.json", "recipe.json"

_OVER = ("done", "refused")
_SETTLED = ("done", "reused", "skipped", "refused")

_SCORES = (
    *("test_accuracy", "test_loss", "test_scores", "val_accuracy_last", "val_accuracy_best"),
    *("val_loss_last", "val_loss_best", "best_epoch"),
)


@dataclass(frozen=True)
class SavedRun:
    """A run, a recipe included.

    Attributes:
        folder: where it lies, under its number or aside, as `.001-running`.
        kind: of the run.
        manifest: what `manifest.json` says.
        result: what `result.json` says; nothing before the end.
        recipe: what `recipe.json` says; nothing where it is no recipe.
    """

    folder: Path
    kind: Kind
    manifest: Mapping[str, Any]
    result: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> SavedRun:
        """Return the run in a folder.

        Raises:
            ResultError: when it is none, or its files are damaged, in one sentence.
        """
        kind = KINDS.get(folder.parent.name) or KINDS.get(finding.kind_of(folder) or "")
        if kind is None:
            raise ResultError(f"{folder}: is no run of onecycle.")
        manifest, result, recipe = (_read(folder / n) for n in (MANIFEST, RESULT, RECIPE))
        if not (manifest or result):
            raise ResultError(f"{folder}: has no {MANIFEST}, so nothing tells what it is.")
        run = cls(folder, kind, manifest, result, recipe)
        run._check()
        return run

    @property
    def number(self) -> int:
        """Of the run; 0 if its folder has none."""
        return number_of(self.folder)

    @property
    def experiment(self) -> str:
        """The name of the experiment."""
        return self.label.partition("/")[0]

    @cached_property
    def label(self) -> str:
        """What it is called, such as `digits/find-lr/001`: by its place, else as it says."""
        said = self.result.get("label")
        if self.folder.absolute().parent.name not in KINDS and isinstance(said, str):
            return said
        return f"{self.folder.absolute().parent.parent.name}/{self.kind.name}/{self.number:03d}"

    @cached_property
    def status(self) -> str:
        """`done`, `running`, `interrupted`, `failed`, or `refused`: it suggests nothing."""
        said = str((self.recipe or self.manifest).get("status", "done"))
        if self._is_aside or said == "running":
            return "running" if is_locked(self.folder) else "interrupted"
        suggestion = self.suggestion
        if said == "done" and suggestion and suggestion.get("verdict") not in ACCEPTED:
            return "refused"
        return said

    @property
    def suggestion(self) -> dict[str, Any] | None:
        """The value that it found, with interval, verdict and reason; `None` if it seeks none."""
        if self.kind is RUN:
            return self._refusal
        found = self.result.get("suggestion")
        return found if isinstance(found, dict) else None

    @property
    def scores(self) -> dict[str, Any] | None:
        """How good the model is that it trained; `None` if it has trained none."""
        if self.kind.finds is not None or _SCORES[0] not in self.result:
            return None
        return {key: self.result.get(key) for key in _SCORES}

    @cached_property
    def progress(self) -> str | None:
        """How far it has got, in words; `None` if it has a result, or nothing tells."""
        if self.result:
            return None
        if self.kind is RUN:
            stages = _stages(self.recipe)
            done = [stage for stage in stages if stage.get("status") in _SETTLED]
            return f"{len(done)} of {len(stages)} stages so far"
        if self.kind is TRAIN:
            return _counted(_rows_in(self.folder / "history.csv"), "epoch")
        return _counted(len(list((self.folder / JOURNAL).glob("*.json"))), "trial")

    @property
    def final(self) -> Path:
        """The folder under its number, where it is once it is over."""
        return self.folder.parent / f"{self.number:03d}" if self._is_aside else self.folder

    @cached_property
    def resume(self) -> str | None:
        """The command that goes on with it; `None` if it is over or at work.

        A stage goes on with its recipe.
        """
        if self.status not in ("interrupted", "failed") or self._is_from_python:
            return None
        if self.kind is RUN:
            return _command(RUN, self.folder)
        if not can_be_resumed(self.folder):
            return None
        recipe = self._recipe_folder
        return _command(RUN, recipe) if recipe else _command(self.kind, self.final)

    @property
    def when(self) -> Moment:
        """What sorts runs by time."""
        return when(self.folder, self.manifest)

    @property
    def started(self) -> datetime | None:
        """When it was started."""
        return time_in(self.manifest, "start")

    @property
    def ended(self) -> datetime | None:
        """When it ended, well or not; `None` while it is at work, or if it was killed."""
        if self.status == "running" or self.manifest.get("status") == "running":
            return None
        return time_in(self.manifest, "end")

    @cached_property
    def pictures(self) -> list[Path]:
        """Its pictures, that of the run first; of a recipe, those of its training."""
        found = sorted((self._training or self.folder).glob("*.png"))
        return sorted(found, key=lambda path: path.name != "plot.png")

    def _check(self) -> None:
        """Refuse what no run of this program says."""
        path = self.folder / RESULT
        if self.status == "done" and not self.result:
            raise ResultError(f"{path}: is missing, though the run is done; restore it.")
        found, key = self.suggestion, self.kind.finds
        value = found.get("value") if found else None
        if key and value is not None and not is_usable(key, value):
            raise ResultError(f"{path}: suggestion.value must be {RULES[key]}; got {value}.")
        for name, score in (self.scores or {}).items():
            if name != "test_scores" and not isinstance(score, int | float | None):
                raise ResultError(f"{path}: {name} must be a number; got {score}.")

    @property
    def _is_aside(self) -> bool:
        return self.folder.name.startswith(".")

    @property
    def _refusal(self) -> dict[str, Any] | None:
        """Return the suggestion of the stage for which a recipe has ended."""
        for stage in _stages(self.recipe):
            if self.recipe.get("status") == stage.get("status") == "refused":
                return {key: stage.get(key) for key in ("value", "interval", "verdict", "reason")}
        return None

    @cached_property
    def _resume_file(self) -> Mapping[str, Any]:
        return _read(self.folder / RESUME)

    @property
    def _is_from_python(self) -> bool:
        """Whether its model is one that was in hand, which no command line can name."""
        from onecycle_cli.config import IN_MEMORY

        config = self._resume_file.get("config")
        model = config.get("model") if isinstance(config, dict) else None
        return isinstance(model, dict) and model.get("name") == IN_MEMORY

    @property
    def _recipe_folder(self) -> Path | None:
        """The recipe that it is a stage of, if that is not over."""
        folder = self._beside(self._resume_file.get("recipe"))
        if folder is None or _read(folder / RECIPE).get("status", "done") in _OVER:
            return None
        return folder

    @property
    def _training(self) -> Path | None:
        """The training of a recipe, once it has one."""
        return next(
            (
                self._beside(s.get("folder"))
                for s in _stages(self.recipe)
                if s.get("name") == TRAIN.name
            ),
            None,
        )

    def _beside(self, label: object) -> Path | None:
        """Return the folder of another run, such as `digits/train/001`."""
        if not isinstance(label, str):
            return None
        above = self.folder if len(self.folder.parents) > 3 else self.folder.absolute()
        return above.parents[2] / label


def _stages(recipe: Mapping[str, Any]) -> list[dict[str, Any]]:
    stages = recipe.get("stages")
    return [s for s in stages.values() if isinstance(s, dict)] if isinstance(stages, dict) else []


def _counted(number: int, what: str) -> str | None:
    return f"{number} {what}{'s' if number > 1 else ''} so far" if number else None


def _rows_in(path: Path) -> int:
    """Return how many whole rows a table has below its header; 0 if there is none."""
    try:
        return max(0, path.read_bytes().count(b"\n") - 1)
    except OSError:
        return 0


def _command(kind: Kind, folder: Path) -> str:
    return f"onecycle {kind.name} --resume {shlex.quote(address(folder))}"


def _read(path: Path) -> dict[str, Any]:
    """Return what a JSON file says; nothing if there is none.

    Raises:
        ResultError: when it is damaged.
    """
    if not path.is_file():
        return {}
    found = read_json(path)
    if not isinstance(found, dict):
        raise ResultError(f"{path}: must have keys and values; restore it, or remove the run.")
    return found
