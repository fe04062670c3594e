"""Which value to use for each hyper-parameter, and where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onecycle_cli import results
from onecycle_cli.config import Config, MomentumRange
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
    if momentum is None:
        sources["momentum"] = "default"
        if searched not in ("max_lr", "momentum"):
            observer.warn(_no_suggestion("momentum", "0.95 to 0.85"))
    elif searched != "momentum":
        reference = (momentum["max"] + momentum["min"]) / 2
    if decay is None:
        decay = config.optimizer.weight_decay
        sources["weight_decay"] = f"optimizer.weight_decay, {config.origin(_OPTIMIZER_DECAY)}"
        if searched not in ("max_lr", "weight_decay"):
            observer.warn(_no_suggestion("weight_decay", f"{decay:g}"))
    if "max_lr" in used and searched == "momentum":
        reference = used["max_lr"].get("conditions", {}).get("momentum", reference)
    return Values(
        max_lr=None if max_lr is None else float(max_lr),
        momentum=momentum or _default_momentum(searched, reference),
        weight_decay=float(decay),
        reference_momentum=float(reference),
        sources=sources,
    )


def conditions_of(config: Config, fingerprint: str) -> dict[str, Any]:
    """Return what a suggestion depends on, besides the other suggestions."""
    return {
        "dataset": config.dataset.name,
        "data": fingerprint,
        "model": Path(config.model.name).name,
        "options": dict(config.model.options),
        "batch_size": config.batch_size,
        "optimizer": config.optimizer.name,
        "nesterov": config.optimizer.nesterov,
        "decay": config.optimizer.decay_kind,
        "precision": config.precision,
    }


def _default_momentum(searched: str, reference: float) -> dict[str, float]:
    """A range test holds momentum constant; everything else cycles it."""
    if searched == "max_lr":
        return {"max": reference, "min": reference}
    return dict(DEFAULT_MOMENTUM)


def _is_auto(config: Config, key: str) -> bool:
    return getattr(config.train, key) == "auto"


def _warn_of_other_conditions(
    key: str, entry: Mapping[str, Any], conditions: Mapping[str, Any], observer: Observer
) -> None:
    made_under = entry.get("conditions", {})
    for name, now in conditions.items():
        then = made_under.get(name, now)
        if then != now:
            observer.warn(
                f"the suggested {key} was made under another {name} ({then}, now {now}); run "
                f"'onecycle {_FINDERS[key]} CONFIG' again to be sure."
            )


def _no_suggestion(key: str, value: str) -> str:
    return (
        f"no suggestion for {key} yet, using {value}; 'onecycle {_FINDERS[key]} CONFIG' finds one."
    )


_OPTIMIZER_DECAY = "optimizer.weight_decay"
