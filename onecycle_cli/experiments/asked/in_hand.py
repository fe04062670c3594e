"""A model and data that are in hand in Python, as an experiment takes them."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypedDict, Unpack

from onecycle_cli.config import IN_MEMORY, Config, load_config
from onecycle_cli.errors import ConfigError, DataError, ModelError, did_you_mean
from onecycle_cli.kinds import FINDERS
from onecycle_cli.suggest import Suggestion

if TYPE_CHECKING:
    import keras

    from onecycle_cli.data import Dataset
    from onecycle_cli.workbench.subjects.in_hand import InHand

WHERE_USUAL: Final = "runs for a configuration, nowhere for a model"
"""Where a run is written if nobody says: in the folder `runs`, or not at all."""

_NAME = "in-memory"


class FitArguments(TypedDict, total=False):
    """What goes with a model and its data; most of it as for `fit`.

    Attributes:
        batch_size: examples in a batch; 32 if not given.
        epochs: the length of the training to come, or of this one; 10 if not given.
        validation_split: share of the examples to validate on; 0.1 if not given. Unlike in `fit`,
            they are drawn at random, the same share of each class.
        validation_data: validation data of your own: (x, y) or (x, y, sample_weight).
        groups: the group of each example; no group is divided by the split.
        sample_weight: a weight for each example.
        class_weight: a weight for each label.
        max_lr: the highest learning rate, or what `find_lr` found.
        momentum: {"max": ..., "min": ...}, or what `find_momentum` found.
        weight_decay: the weight decay, or what `find_weight_decay` found.
        steps_per_epoch: with a pipeline as x, the batches in an epoch; all of them if not given.
        validation_steps: the same for validation_data.
        seed: the seed of the order of the data, and of everything else that is drawn.
        name: the name of the experiment's folder below `out`.
        settings: all other keys of a configuration, such as {"find_lr": {"budget": 1}}.
    """

    batch_size: int
    epochs: int
    validation_split: float
    validation_data: Any
    groups: Any
    sample_weight: Any
    class_weight: Mapping[int, float]
    max_lr: Any
    momentum: Any
    weight_decay: Any
    steps_per_epoch: int
    validation_steps: int
    seed: int
    name: str
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Given:
    """What a function of an experiment was called with.

    Attributes:
        config: what it is to do; None on resuming without one.
        out: where runs are written; None: nowhere.
        model: the model in hand; None where the configuration names one.
        x: its inputs.
        y: its targets.
        fit: what goes with them.
    """

    config: Any
    out: str | Path | None
    model: Any = None
    x: Any = None
    y: Any = None
    fit: FitArguments | None = None

    @property
    def found_rate(self) -> dict[str, Any] | None:
        """The learning rate of a finder's result, with its conditions; None of anything else."""
        record = getattr((self.fit or {}).get("max_lr"), "record", None)
        return (
            None
            if record is None
            else record.result["suggestion"] | {"conditions": record.result.get("conditions")}
        )

    def in_hand(self, *, to_be_trained: bool) -> InHand | None:
        """Return model and data; None where the configuration names them.

        Raises:
            DataError: when the data do not fit each other.
        """
        if self.model is None or self.fit is None:
            return None
        from onecycle_cli.data.batches.stream import is_stream
        from onecycle_cli.data.sources.memory import dataset_in_hand
        from onecycle_cli.workbench.subjects.in_hand import InHand, ModelInHand

        fit = self.fit
        if is_stream(self.x):
            return InHand(ModelInHand(self.model), self._stream(self.fit), to_be_trained)
        dataset = dataset_in_hand(
            self.x,
            self.y,
            name=IN_MEMORY,
            sample_weight=fit.get("sample_weight"),
            class_weight=fit.get("class_weight"),
            validation_data=fit.get("validation_data"),
            validation_fraction=fit.get("validation_split", 0.1),
            groups=fit.get("groups"),
            seed=fit.get("seed", 0),
        )
        return InHand(ModelInHand(self.model), dataset, to_be_trained)

    def _stream(self, fit: FitArguments) -> Dataset:
        from onecycle_cli.data.sources.memory import stream_in_hand

        not_for_it = ("sample_weight", "class_weight", "validation_split", "groups")
        useless: list[str] = [key for key in not_for_it if key in fit]
        useless += ["y"] * (self.y is not None)
        if useless:
            raise DataError(
                f"{useless[0]} can't be given where x is a pipeline; let x give (x, y) or "
                f"(x, y, sample_weight), and give validation_data as another one."
            )
        return stream_in_hand(
            self.x,
            name=IN_MEMORY,
            validation_data=fit.get("validation_data"),
            steps=fit.get("steps_per_epoch"),
            validation_steps=fit.get("validation_steps"),
        )


def given(
    config: Any, x: Any, y: Any, out: str | Path | None, **fit: Unpack[FitArguments]
) -> Given:
    """Sort out what a function was called with: a configuration, or a model with its data.

    Raises:
        ConfigError: when arguments of the one go with the other.
        ModelError: when the model is not built or not compiled.
    """
    if _is_model(config):
        if x is None:
            raise ConfigError(
                "a model needs the data to train it with: call this with the model, the inputs and "
                "the targets, as in find_lr(model, x, y)."
            )
        _check_model(config)
        out = None if out == WHERE_USUAL else out
        return Given(_config_for(config, fit), out, config, x, y, fit)
    if x is not None or y is not None or fit:
        more = ", ".join(["x"] * (x is not None) + ["y"] * (y is not None) + list(fit))
        raise ConfigError(f"{more} can be given with a compiled keras.Model only, not a config.")
    return Given(config, "runs" if out == WHERE_USUAL else out)


def _is_model(candidate: Any) -> bool:
    keras = sys.modules.get("keras")
    return keras is not None and isinstance(candidate, keras.Model)


def _check_model(model: keras.Model) -> None:
    if not model.compiled:
        raise ModelError("the model is not compiled; call model.compile(optimizer, loss) first.")
    if not model.built:
        raise ModelError(
            "the model is not built, so it has no weights yet; start it with keras.Input(shape), "
            "or call it once with a batch."
        )


def _config_for(model: keras.Model, fit: FitArguments) -> Config:
    """Return the configuration that the arguments amount to."""
    unknown = set(fit) - set(FitArguments.__annotations__)
    if unknown:
        name, known = min(unknown), sorted(FitArguments.__annotations__)
        raise ConfigError(f"there is no argument {name}{did_you_mean(name, known)}")
    train: dict[str, Any] = {"cycles": [{"epochs": fit.get("epochs", 10)}]}
    train |= {
        key: _value(key, fit[key])
        for key in ("max_lr", "momentum", "weight_decay")
        if fit.get(key) is not None
    }
    settings = {
        key: dict(value) if isinstance(value, Mapping) else value
        for key, value in (fit.get("settings") or {}).items()
    }
    config = load_config(
        {
            **settings,
            "name": fit.get("name", _NAME),
            "seed": fit.get("seed", 0),
            "batch_size": fit.get("batch_size", 32),
            "dataset": {
                "name": IN_MEMORY,
                "normalise": False,
                **({} if "validation_data" in fit else _share(fit)),
            },
            "model": {"name": IN_MEMORY, "options": {"variables": _digest(model)}},
            "train": settings.pop("train", {}) | train,
        }
    )
    if config.search.engine != "local":
        raise ConfigError(
            f"search.engine {config.search.engine} is for a model that a config names, which each "
            f"worker can build; a model in hand is searched in this process, by engine local."
        )
    return config


def _share(fit: FitArguments) -> dict[str, float]:
    share = fit.get("validation_split", 0.1)
    return {"validation_fraction": share} if share else {}


def _value(key: str, given: Any) -> Any:
    """Return a value, or what a finder has suggested for it."""
    record, finder = getattr(given, "record", None), FINDERS[key]
    if record is not None and record.kind != finder.name:
        raise ConfigError(
            f"{key} can't be taken from what {record.kind} has found; give a number, or what "
            f"{finder.name} finds."
        )
    suggestion = getattr(given, "suggestion", given)
    if not isinstance(suggestion, Suggestion):
        return given
    if suggestion.value is None:
        raise ConfigError(
            f"{key} can't be taken from a finder that suggests nothing ({suggestion.verdict}: "
            f"{suggestion.reason}); give a number."
        )
    return suggestion.value


def _digest(model: keras.Model) -> str:
    """Return what tells one model's variables from another's: their shapes and types, in order."""
    forms = [(tuple(v.shape), str(v.dtype)) for v in model.variables]
    return hashlib.sha256(repr(forms).encode()).hexdigest()[:16]
