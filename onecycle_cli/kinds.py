"""The kinds of experiment: all that differs between them, but for what they do, in a row each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Kind:
    """What is known of all experiments of a kind.

    Attributes:
        name: its command, and its folder within an experiment's: `find-lr`.
        finds: the key of `train`, and of `suggestions.yaml`, that it finds a value for; `None` if
            it finds none.
        tables: the CSV files that a run of it has by stem, each with the columns that must be
            there.
        picture: the module of `plotting` that draws it; "" for what is not drawn as one.
        subject: what is compared in its picture, in words.
        other_tables: the CSV files of a run by another `method`, by its name, which is also that
            of the module of `plotting` that draws it.
    """

    name: str
    finds: str | None = None
    tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    picture: str = ""
    subject: str = ""
    other_tables: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    def tables_by(self, method: object) -> Mapping[str, tuple[str, ...]]:
        """Return the CSV files of a run by a method, as its result names it; `None`: the usual."""
        return (
            self.other_tables.get(method, self.tables) if isinstance(method, str) else self.tables
        )

    def picture_by(self, method: object) -> str:
        """Return the module of `plotting` that draws a run by a method."""
        return str(method) if method in self.other_tables else self.picture

    @property
    def section(self) -> str:
        """Its section of the configuration, and the function that carries it out: `find_lr`."""
        return self.name.replace("-", "_")

    @property
    def compares(self) -> bool:
        """Whether it compares candidates by short trainings, which need a learning rate."""
        return "trials" in self.tables


def _comparison(name: str, finds: str, subject: str) -> Kind:
    tables = {"trials": (finds, "score"), "curves": ("trial", "step", "loss")}
    return Kind(name, finds, tables, "comparison", subject)


SWEEP, PROBES = "sweep", "probes"
"""The methods of `find-lr`."""

FIND_LR = Kind(
    "find-lr",
    "max_lr",
    {"curve": ("lr", "loss")},
    "range_test",
    "Learning rates",
    {
        PROBES: {
            "trials": ("trial", "max_lr", "stage", "steps", "held_out", "held_out_error"),
            "curves": ("trial", "step", "loss"),
        }
    },
)
FIND_WD = _comparison("find-wd", "weight_decay", "Weight decays")
FIND_MOMENTUM = _comparison("find-momentum", "momentum", "Momentum values")
TRAIN = Kind("train", None, {"steps": ("step", "lr", "loss"), "history": ("epoch",)}, "training")
RUN = Kind("run")
"""A recipe: its stages are runs of the other kinds, in this order."""

KINDS = {kind.name: kind for kind in (FIND_LR, FIND_WD, FIND_MOMENTUM, TRAIN, RUN)}
"""Every kind by its name, in the order in which a recipe carries them out."""

FINDERS = {kind.finds: kind for kind in KINDS.values() if kind.finds is not None}
"""The kinds that find a value, by its key: learning rate, weight decay, momentum."""

STAGES = tuple(kind.name for kind in KINDS.values() if kind is not RUN)
"""The kinds that train a model, each a stage of a recipe."""
