"""A recipe: the stages on the way to a trained model, and how far they have got."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from onecycle_cli.config import Config
from onecycle_cli.errors import ResultError
from onecycle_cli.experiments.hyper_parameters.gathering import gather
from onecycle_cli.experiments.hyper_parameters.values import in_words
from onecycle_cli.kinds import FINDERS, RUN, STAGES
from onecycle_cli.observer import Observer
from onecycle_cli.runs import files, run_folder

KEYS = {kind.name: key for key, kind in FINDERS.items()}
"""What each search finds, in the order of the searches."""

FILE = "recipe.json"
_SETTLED = ("done", "reused", "skipped", "refused")
_OVER = ("done", "refused")


@dataclass
class Stage:
    """One stage of a recipe.

    Attributes:
        name: `find-lr`, `find-wd`, `find-momentum` or `train`.
        status: `pending`, `running`, `done`, `reused` (an earlier suggestion), `skipped`,
            `refused` (the search suggests nothing), `interrupted` or `failed`.
        note: why, in words, where that needs saying.
        value: the value that the following stages use; a `{max, min}` for momentum.
        is_default: whether that is what is used where nothing was found.
        interval: in which it lies, as its search says.
        verdict: of its search.
        reason: for that verdict.
        folder: of its run, relative to the folder of all runs; `NAME/find-lr/001`.
        conditions: under which it was found; of the training, the values that it had.
        predicted: the cost foreseen: steps, epochs, training_runs, seconds.
        cost: the cost in the end; its seconds are those of the whole stage.
        scores: of the training: test_accuracy, test_loss, val_accuracy_last and so on.
    """

    name: str
    status: str = "pending"
    note: str = ""
    value: Any = None
    is_default: bool = False
    interval: list[Any] | None = None
    verdict: str | None = None
    reason: str | None = None
    folder: str | None = None
    conditions: dict[str, Any] = field(default_factory=dict)
    predicted: dict[str, float] = field(default_factory=dict)
    cost: dict[str, float] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)

    @property
    def is_settled(self) -> bool:
        """Whether nothing remains to be done."""
        return self.status in _SETTLED

    def take(self, entry: Mapping[str, Any], status: str, note: str = "") -> None:
        """Take a value from an entry of `suggestions.yaml`."""
        self.status, self.note, self.value = status, note, entry["value"]
        self.interval, self.verdict = entry.get("interval"), entry.get("verdict")
        self.reason, self.folder = entry.get("reason"), entry.get("run")
        conditions = entry.get("conditions")
        self.conditions = dict(conditions) if isinstance(conditions, Mapping) else {}

    def take_default(self, config: Config) -> None:
        """Take what is used where nothing was found; there is no default learning rate."""
        values = gather(config, None, Observer(), conditions={}, suggestions={})
        self.value = getattr(values, KEYS[self.name])
        self.is_default = self.value is not None
        if self.is_default:
            used = f"the default {in_words(self.value)} is used"
            self.note = f"{self.note}; {used}" if self.note else used


@dataclass
class Recipe:
    """All stages, in order.

    Attributes:
        stages: by name.
        status: `running`, `done`, `refused` (without a learning rate), `interrupted` or `failed`.
        conditions: what the suggestions depend on; known once the data are loaded.
        others: of the processors, what other programs took when the cost was predicted, 0 to 1.
    """

    stages: dict[str, Stage]
    status: str = "running"
    conditions: dict[str, Any] = field(default_factory=dict)
    others: float = field(default=0.0, compare=False)

    @property
    def is_over(self) -> bool:
        """Whether nothing remains to be done."""
        return self.status in _OVER

    @property
    def pending(self) -> list[Stage]:
        """The stages that remain to be done."""
        return [stage for stage in self.stages.values() if not stage.is_settled]

    def suggestions(self) -> dict[str, dict[str, Any]]:
        """Return what is known so far, as `suggestions.yaml` would have it."""
        found = {}
        for name, key in KEYS.items():
            stage = self.stages[name]
            if stage.is_settled and stage.value is not None and not stage.is_default:
                entry = {"value": stage.value, "conditions": stage.conditions}
                found[key] = entry | ({"run": stage.folder} if stage.folder else {})
        return found

    def as_dict(self) -> dict[str, Any]:
        """Return the recipe as plain data."""
        return {
            "schema_version": run_folder.SCHEMA_VERSION,
            "status": self.status,
            "conditions": self.conditions,
            "stages": {name: asdict(stage) for name, stage in self.stages.items()},
        }

    @classmethod
    def read(cls, folder: Path) -> Recipe:
        """Return the recipe in a folder.

        Raises:
            ResultError: when there is none, or it is damaged.
        """
        path = folder / FILE
        if not path.is_file():
            raise ResultError(
                f"{folder}: holds no recipe; give a folder such as runs/NAME/{RUN.name}/001."
            )
        data = files.read_json(path)
        known = {f.name for f in fields(Stage)}
        try:
            version = data["schema_version"]
            stages = {
                name: Stage(**{k: v for k, v in data["stages"][name].items() if k in known})
                for name in STAGES
            }
            recipe = cls(stages, data["status"], data["conditions"])
        except (LookupError, TypeError, AttributeError):
            raise ResultError(f"{path}: is damaged; start again without --resume.") from None
        if version != run_folder.SCHEMA_VERSION:
            raise ResultError(
                f"{path}: was written by another version of onecycle (schema {version}, here "
                f"{run_folder.SCHEMA_VERSION}); start again without --resume."
            )
        return recipe


def total(costs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the sum of costs, in steps, epochs, training_runs and seconds."""
    costs = list(costs)
    names = ("steps", "epochs", "training_runs", "seconds")
    return {name: round(sum(cost.get(name, 0) for cost in costs), 4) for name in names}
