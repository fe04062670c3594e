"""What goes with a model and its data in Python, and the configuration that it amounts to."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from onecycle_cli.config import IN_MEMORY, Config, load_config
from onecycle_cli.errors import ConfigError, did_you_mean
from onecycle_cli.kinds import FINDERS
from onecycle_cli.suggest import Suggestion

if TYPE_CHECKING:
    import keras

_NAME = "in-memory"

_AS_COMPILED = "is what the model was compiled with"
_OF_THE_DATA = "is for data that a config names; prepare x and y yourself"
_SAID_ELSEWHERE = {
    "batch_size": "has an argument of its own: batch_size=",
    "seed": "has an argument of its own: seed=",
    "name": "has an argument of its own: name=",
    "train.cycles": "has an argument of its own: epochs=",
    "optimizer": _AS_COMPILED,
    "loss": _AS_COMPILED,
    "jit_compile": _AS_COMPILED,
    "train.label_smoothing": "belongs into the loss that the model is compiled with",
    "task": "is what the model's loss sets",
    "model": "is for models that a config names",
    "dataset": _OF_THE_DATA,
}
"""What `settings` can't say of a model in hand, and why not."""

_OF_FIT = {
    "callbacks": "the training has its own; for others call fit with OneCycleLR among them.",
    "verbose": "take progress=True or progress=False.",
    "shuffle": "arrays are always shuffled, and pipelines come as they are.",
}
"""Arguments of `fit` that do not exist here, and what there is instead."""

_ARGUMENTS = {
    "train.cycles.0.epochs": "epochs",
    "train.max_lr": "max_lr",
    "train.momentum": "momentum",
    "train.weight_decay": "weight_decay",
    "dataset.validation_fraction": "validation_split",
    "batch_size": "batch_size",
    "seed": "seed",
    "name": "name",
}
"""Which arguments the keys of the configuration are."""


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


def config_for(model: keras.Model, fit: FitArguments) -> Config:
    """Return the configuration that the arguments amount to.

    Raises:
        ConfigError: when one of them breaks a rule, or settings say what they can't.
    """
    unknown = sorted(set(fit) - set(FitArguments.__annotations__))
    if unknown:
        raise ConfigError("\n".join(map(_unknown, unknown)))
    settings = _settings(fit)
    try:
        config = load_config(settings | _of_arguments(model, fit, settings.get("train", {})))
    except ConfigError as error:
        raise ConfigError(_in_python(str(error))) from None
    if config.search.engine != "local":
        raise ConfigError(
            f"search.engine {config.search.engine} is for a model that a config names, which each "
            f"worker can build; a model in hand is searched in this process, by engine local."
        )
    return config.with_origins(
        {
            key: _origin(key, fit, settings)
            for key in config.leaves()
            if config.origin(key) != "default"
        }
    )


def _of_arguments(model: keras.Model, fit: FitArguments, train: dict[str, Any]) -> dict[str, Any]:
    cycles = {"cycles": [{"epochs": fit.get("epochs", 10)}]}
    given = {key: fit.get(key) for key in FINDERS}
    values = {key: _value(str(key), value) for key, value in given.items() if value is not None}
    return {
        "name": fit.get("name", _NAME),
        "seed": fit.get("seed", 0),
        "batch_size": fit.get("batch_size", 32),
        "dataset": {
            "name": IN_MEMORY,
            "normalise": False,
            **({} if "validation_data" in fit else _share(fit)),
        },
        "model": {"name": IN_MEMORY, "options": {"variables": _digest(model)}},
        "train": cycles | train | values,
    }


def _settings(fit: FitArguments) -> dict[str, Any]:
    """Return the settings.

    Refuse those that would change nothing, as the model, the data or an argument says it.
    """
    settings = dict(_mapping("settings", fit.get("settings") or {}))
    if "train" in settings:
        settings["train"] = dict(_mapping("settings: train", settings["train"]))
    for key in (*settings, *(f"train.{key}" for key in settings.get("train", {}))):
        if key == "train.cycles" and "epochs" not in fit:
            continue
        if key in _SAID_ELSEWHERE:
            raise ConfigError(f"settings: {key} {_SAID_ELSEWHERE[key]}; remove it from settings.")
    return settings


def _mapping(what: str, given: Any) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise ConfigError(f"{what} must be a mapping of a config's keys; got {given!r}.")
    return given


def _unknown(name: str) -> str:
    """Return what to do about an argument that there is not."""
    if name in _OF_FIT:
        return f"there is no argument {name} here, unlike in fit; {_OF_FIT[name]}"
    return f"there is no argument {name}{did_you_mean(name, sorted(FitArguments.__annotations__))}"


def _in_python(message: str) -> str:
    """Say it of arguments, and write mappings as Python does."""
    for key, name in _ARGUMENTS.items():
        message = re.sub(rf"^config: {re.escape(key)}(?= )", name, message, flags=re.MULTILINE)
    message = re.sub(r"^config: ", "settings: ", message, flags=re.MULTILINE)
    return re.sub(r"\{[^{}]*\}", lambda m: re.sub(r"\b(\w+)(?=:)", r'"\1"', m[0]), message)


def _origin(key: str, fit: FitArguments, settings: dict[str, Any]) -> str:
    """Return where a value came from, in words."""
    section, name = (*key.split("."), "")[:2]
    if section != "train":
        return "settings" if section in settings else "argument"
    given: Any = fit.get(name)
    if given is None:
        return "settings" if name in settings.get("train", {}) else "argument"
    record = getattr(given, "record", None)
    return "argument" if record is None else f"found by {record.kind}"


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
