"""Which value to use for each hyper-parameter, and where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from onecycle_cli import results
from onecycle_cli.config import Config, MomentumRange
from onecycle_cli.data import augmentation
from onecycle_cli.errors import ConfigError
from onecycle_cli.experiments.observer import Observer
from onecycle_cli.suggest import DEFAULT_MOMENTUM

_FINDERS = {"max_lr": "find-lr", "momentum": "find-momentum", "weight_decay": "find-wd"}


@dataclass(frozen=True)
class Values:
    """The values in use.

    Attributes:
        max_lr: the highest learning rate, or `None` where none is known yet.
        momentum: momentum where the rate is low (`max`) and where it peaks (`min`).
        weight_decay: the weight decay, in the configured convention.
        reference_momentum: the constant momentum that goes with `max_lr`.
        sources: where each came from, in words.
    """

    max_lr: float | None
    momentum: dict[str, float]
    weight_decay: float
    reference_momentum: float
    sources: dict[str, str]

    def known_max_lr(self, config: Config) -> float:
        """Return the highest learning rate.

        Raises:
            ConfigError: when there is none, naming the command that finds one.
        """
        if self.max_lr is None:
            raise ConfigError(
                f"{config.name}: train.max_lr is auto and there is no suggestion yet; run "
                f"'onecycle find-lr CONFIG' first, or set train.max_lr to a number."
            )
        return self.max_lr

    def cycle_rates(self, config: Config) -> list[float]:
        """Return the highest learning rate of each cycle: its own, or else the common one.

        Raises:
            ConfigError: when a cycle has none.
        """
        return [cycle.max_lr or self.known_max_lr(config) for cycle in config.train.cycles]

    def cycle_rate_sources(self, config: Config) -> list[str]:
        """Return where the highest learning rate of each cycle came from, in words."""
        return [
            self.sources["max_lr"] if cycle.max_lr is None else _source_of_cycle(config, i)
            for i, cycle in enumerate(config.train.cycles)
        ]


def gather(
    config: Config,
    out: str | Path | None,
    observer: Observer,
    *,
    conditions: Mapping[str, Any],
    searched: str = "",
) -> Values:
    """Take each value from the configuration, else from a suggestion, else from the defaults.

    Args:
        config: the configuration.
        out: the folder of runs, whose suggestions are read; `None`: there are none.
        observer: hears of defaults, and of suggestions made under other conditions.
        conditions: those of the experiment about to start.
        searched: the key that the experiment is about to find; its own suggestion is not needed.

    Raises:
        ResultError: when `suggestions.yaml` is damaged.
    """
    folder = None if out is None else Path(out) / config.name
    suggestions = {} if folder is None else results.read_suggestions(folder)
    used = {key: entry for key, entry in suggestions.items() if _is_auto(config, key)}
    for key, entry in used.items():
        if key != searched:
            _warn_of_other_conditions(key, entry, conditions, observer)
    sources: dict[str, str] = {}
    defaults: dict[str, str] = {}

    def pick(key: str) -> Any:
        if not _is_auto(config, key):
            sources[key] = config.origin(f"train.{key}")
            return getattr(config.train, key)
        if key in used:
            sources[key] = f"suggestion of {used[key].get('run', 'an earlier run')}"
            return used[key]["value"]
        return None

    max_lr, momentum, decay = pick("max_lr"), pick("momentum"), pick("weight_decay")
    if isinstance(momentum, MomentumRange):
        momentum = momentum.model_dump()
    reference = config.optimizer.momentum
    if momentum is not None and searched != "momentum":
        reference = _middle(momentum)
    if searched == "max_lr":  # a range test holds momentum constant
        if momentum is None:
            momentum = {"max": reference, "min": reference}
            sources["momentum"] = f"optimizer.momentum, {config.origin('optimizer.momentum')}"
        elif momentum["max"] > momentum["min"]:
            middle = f"middle of {momentum['max']:g} to {momentum['min']:g}"
            sources["momentum"] = f"{middle}, {sources['momentum']}"
    elif momentum is None:
        momentum = dict(DEFAULT_MOMENTUM)
        sources["momentum"] = "default"
        defaults["momentum"] = f"{momentum['max']:g} to {momentum['min']:g}"
    if decay is None:
        decay = config.optimizer.weight_decay
        origin = config.origin("optimizer.weight_decay")
        sources["weight_decay"] = f"optimizer.weight_decay, {origin}"
        defaults["weight_decay"] = f"{decay:g}"
    if searched != "max_lr":
        _warn_of_defaults({k: v for k, v in defaults.items() if k != searched}, observer)
    if "max_lr" in used and searched == "momentum":
        reference = _conditions_of(used["max_lr"]).get("momentum", reference)
    return Values(
        max_lr=None if max_lr is None else float(max_lr),
        momentum={end: float(value) for end, value in momentum.items()},
        weight_decay=float(decay),
        reference_momentum=float(reference),
        sources=sources,
    )


def conditions_of(config: Config, fingerprint: str | None = None) -> dict[str, Any]:
    """Return what a suggestion depends on, besides the other suggestions.

    Args:
        config: the configuration.
        fingerprint: of the data; `None` while they are not loaded.
    """
    augment = augmentation(config.dataset)
    conditions = {
        "dataset": config.dataset.name,
        "data": fingerprint,
        "augment": None if augment is None else asdict(augment),
        "model": Path(config.model.name).name,
        "options": dict(config.model.options),
        "batch_size": config.batch_size,
        "optimizer": config.optimizer.name,
        "nesterov": config.optimizer.nesterov,
        "decay": config.optimizer.decay_kind,
        "precision": config.precision,
    }
    if fingerprint is None:
        del conditions["data"]
    return conditions


def _source_of_cycle(config: Config, index: int) -> str:
    key = f"train.cycles.{index}.max_lr"
    return f"{key}, {config.origin(key)}"


def _middle(momentum: Mapping[str, float]) -> float:
    return round((momentum["max"] + momentum["min"]) / 2, 9)


def _is_auto(config: Config, key: str) -> bool:
    return bool(getattr(config.train, key) == "auto")


def _conditions_of(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    conditions = entry.get("conditions")
    return conditions if isinstance(conditions, Mapping) else {}


def _warn_of_other_conditions(
    key: str, entry: Mapping[str, Any], conditions: Mapping[str, Any], observer: Observer
) -> None:
    made_under = _conditions_of(entry)
    other = {name: made_under.get(name, now) for name, now in conditions.items()}
    other = {name: then for name, then in other.items() if then != conditions[name]}
    if "dataset" in other:
        other.pop("data", None)  # goes without saying
    if other:
        differences = ", ".join(_difference(n, then, conditions[n]) for n, then in other.items())
        observer.warn(
            f"the suggested {key} was made under other conditions: {differences}; run "
            f"'onecycle {_FINDERS[key]} CONFIG' again to be sure."
        )


def _difference(name: str, then: Any, now: Any) -> str:
    if name == "data":
        return "other examples, or another split of them"
    return f"{name} {then}, now {now}"


def _warn_of_defaults(defaults: Mapping[str, str], observer: Observer) -> None:
    if defaults:
        values = " and ".join(f"{key} ({value} is used)" for key, value in defaults.items())
        finders = " and ".join(f"'onecycle {_FINDERS[key]} CONFIG'" for key in defaults)
        find = "finds one" if len(defaults) == 1 else "find them"
        observer.warn(f"no suggestion yet for {values}; {finders} {find}.")
