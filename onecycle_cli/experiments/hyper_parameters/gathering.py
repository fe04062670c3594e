"""Each value taken from the configuration, else from a suggestion, else from the defaults."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onecycle_cli.config import IN_MEMORY, Config, MomentumRange
from onecycle_cli.experiments.hyper_parameters.conditions import (
    recorded_conditions,
    warn_of_other_conditions,
)
from onecycle_cli.experiments.hyper_parameters.values import Values, in_words, is_auto
from onecycle_cli.kinds import FINDERS, SWEEP
from onecycle_cli.observer import Observer
from onecycle_cli.runs import suggestions_file
from onecycle_cli.suggest import DEFAULT_MOMENTUM, rounded

Suggestions = Mapping[str, Mapping[str, Any]]
"""Entries of `suggestions.yaml` by key: `max_lr`, `momentum`, `weight_decay`."""


def gather(
    config: Config,
    out: str | Path | None,
    observer: Observer,
    *,
    conditions: Mapping[str, Any],
    searched: str = "",
    suggestions: Suggestions | None = None,
    found: Mapping[str, Any] | None = None,
) -> Values:
    """Take each value from the configuration, else from a suggestion, else from the defaults.

    Args:
        config: the configuration.
        out: the folder of runs, whose suggestions are read; `None`: there are none.
        observer: hears of defaults, and of suggestions made under other conditions.
        conditions: those of the experiment about to start.
        searched: the key that the experiment is about to find; its own suggestion is not needed.
        suggestions: take these instead of those on file, and warn of nothing: whoever gives them
            answers for them.
        found: the suggestion, with its conditions, that the configuration's `max_lr` is.

    Raises:
        ResultError: when `suggestions.yaml` is damaged.
    """
    if suggestions is not None:
        return _Gathering(config, suggestions, searched, found).values()
    gathering = _Gathering(config, suggestions_on_file(config, out), searched, found)
    for key, entry in gathering.used.items():
        if key != searched:
            warn_of_other_conditions(key, entry, conditions, observer)
    values = gathering.values()
    missing = {k: v for k, v in gathering.defaults.items() if k in _found_before(searched)}
    warn_of_defaults(missing, observer, in_hand=config.model.name == IN_MEMORY)
    return values


def suggestions_on_file(config: Config, out: str | Path | None) -> Suggestions:
    """Return what `suggestions.yaml` says; nothing if `out` is `None`.

    Raises:
        ResultError: when it is damaged.
    """
    return {} if out is None else suggestions_file.read_suggestions(Path(out) / config.name)


class _Gathering:
    """The values on their way from their sources.

    Attributes:
        used: the suggestions for what the configuration leaves open.
        sources: where each value came from, in words.
        defaults: the values that nobody has said or found, in words.
        found_with: the mean momentum that the learning rate was found with, if that is known.
    """

    def __init__(
        self,
        config: Config,
        suggestions: Suggestions,
        searched: str,
        found: Mapping[str, Any] | None,
    ) -> None:
        self.config, self.searched = config, searched
        self.used = {key: entry for key, entry in suggestions.items() if is_auto(config, key)}
        rate = self.used.get("max_lr", found or {})
        self.found_with: float | None = recorded_conditions(rate).get("momentum")
        self.sources: dict[str, str] = {}
        self.defaults: dict[str, str] = {}

    def values(self) -> Values:
        max_lr, momentum = self._pick("max_lr"), self._pick("momentum")
        if isinstance(momentum, MomentumRange):
            momentum = momentum.model_dump()
        reference = self._reference_momentum(momentum)
        momentum = self._momentum_in_use(momentum, reference)
        return Values(
            max_lr=None if max_lr is None else self._at_momentum(float(max_lr), momentum),
            momentum={end: float(value) for end, value in momentum.items()},
            weight_decay=float(self._weight_decay()),
            reference_momentum=float(reference),
            sources=self.sources,
            follows_momentum=self.found_with is not None,
        )

    def _pick(self, key: str) -> Any:
        """Return what the configuration or else a suggestion says; `None` if neither does."""
        if not is_auto(self.config, key):
            self.sources[key] = self.config.origin(f"train.{key}")
            return getattr(self.config.train, key)
        if key in self.used:
            run = self.used[key].get("run", "an earlier run")
            self.sources[key] = f"suggestion of {run}"
            return self.used[key]["value"]
        return None

    def _reference_momentum(self, momentum: dict[str, float] | None) -> float:
        """Return the constant momentum that goes with the learning rate."""
        if self.searched == "momentum":
            own = self.config.optimizer.momentum
            return own if self.found_with is None else self.found_with
        return self.config.optimizer.momentum if momentum is None else _middle(momentum)

    def _momentum_in_use(
        self, momentum: dict[str, float] | None, reference: float
    ) -> dict[str, float]:
        if self.searched == "max_lr" and self.config.find_lr.method == SWEEP:
            return self._constant_momentum(momentum, reference)
        if momentum is not None:
            return momentum
        self.sources["momentum"] = "default"
        self.defaults["momentum"] = f"{DEFAULT_MOMENTUM['max']:g} to {DEFAULT_MOMENTUM['min']:g}"
        return dict(DEFAULT_MOMENTUM)

    def _constant_momentum(
        self, momentum: dict[str, float] | None, reference: float
    ) -> dict[str, float]:
        """Return what a range test runs with; it uses the reference only."""
        if momentum is None:
            origin = self.config.origin("optimizer.momentum")
            self.sources["momentum"] = f"optimizer.momentum, {origin}"
            return {"max": reference, "min": reference}
        if momentum["max"] > momentum["min"]:
            middle = f"middle of {momentum['max']:g} to {momentum['min']:g}"
            self.sources["momentum"] = f"{middle}, {self.sources['momentum']}"
        return momentum

    def _at_momentum(self, max_lr: float, momentum: Mapping[str, float]) -> float:
        """Return a suggested rate for the momentum in use, if it was found with another.

        Steps of one size take lr / (1 - momentum) of one size; so find-momentum compares.
        """
        middle, then = _middle(momentum), self.found_with
        grows = self.config.optimizer.step_grows_with_momentum
        if then in (None, middle) or self.searched in ("max_lr", "momentum") or not grows:
            return max_lr
        times = (1 - middle) / (1 - then)
        self.sources["max_lr"] += (
            f": {in_words(max_lr)} at momentum {then:g}, so x {times:.3g} around {middle:g}"
        )
        return rounded(max_lr * times)

    def _weight_decay(self) -> float:
        decay = self._pick("weight_decay")
        if decay is None:
            decay = self.config.optimizer.weight_decay
            origin = self.config.origin("optimizer.weight_decay")
            self.sources["weight_decay"] = f"optimizer.weight_decay, {origin}"
            self.defaults["weight_decay"] = f"{decay:g}"
        return decay


def _found_before(searched: str) -> list[str]:
    """Return the keys that are usually found before one; for a training, "", all of them."""
    keys = list(FINDERS)
    return keys[: keys.index(searched)] if searched else keys


def _middle(momentum: Mapping[str, float]) -> float:
    return round((momentum["max"] + momentum["min"]) / 2, 9)


def warn_of_defaults(
    defaults: Mapping[str, str], observer: Observer, *, in_hand: bool = False
) -> None:
    """Name the values, given in words, that nobody has found, and the commands that would.

    To a model that is in hand, they are functions.
    """
    if defaults:
        values = " and ".join(f"{key} ({value} is used)" for key, value in defaults.items())
        how = "{.section}(model, x, y)" if in_hand else "'onecycle {.name} CONFIG'"
        finders = " and ".join(how.format(FINDERS[key]) for key in defaults)
        find = "finds one" if len(defaults) == 1 else "find them"
        observer.warn(f"no suggestion yet for {values}; {finders} {find}.")
