"""Whether a learning rate that was found for one training can be used in another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onecycle_cli.config import IN_MEMORY, Config
from onecycle_cli.errors import ConfigError
from onecycle_cli.experiments.hyper_parameters.conditions import conditions_of, recorded_conditions
from onecycle_cli.experiments.hyper_parameters.gathering import Suggestions
from onecycle_cli.experiments.hyper_parameters.values import in_words, is_auto
from onecycle_cli.kinds import FIND_LR, TRAIN
from onecycle_cli.plugin_names import names_a_file

_ANOTHER_MATTER = {"optimizer": "optimizer", "model": "model", "dataset": "data set"}
"""What a learning rate can't be carried over from, in words."""


def check_rate(
    kind: str,
    config: Config,
    suggestions: Suggestions,
    *,
    force: bool = False,
    is_adopted: bool = False,
) -> None:
    """Refuse a suggested learning rate that says nothing about what is to be trained.

    The rate of another optimizer, model or data set may be off by powers of ten; one found under
    conditions that differ in a lesser way is used with a warning. A model that comes compiled has
    an optimizer that the configuration does not name, so that is compared once it is adopted.

    Args:
        kind: of the experiment: `find-lr`, `find-momentum`, `find-wd` or `train`.
        config: the configuration.
        suggestions: those on file.
        force: take it all the same.
        is_adopted: whether the configuration names the optimizer of a model that comes compiled.

    Raises:
        ConfigError: when it is of another kind, naming the difference.
    """
    if force or not _takes_the_suggested_rate(kind, config) or "max_lr" not in suggestions:
        return
    check_found(suggestions["max_lr"], config, is_adopted=is_adopted)


def check_found(entry: Mapping[str, Any], config: Config, *, is_adopted: bool = False) -> None:
    """Refuse a learning rate that was found with another optimizer, model or data set.

    Args:
        entry: its `value`, and the `conditions` that it was found under.
        config: the configuration.
        is_adopted: as for `check_rate`.

    Raises:
        ConfigError: naming the difference.
    """
    differences = _differences(recorded_conditions(entry), config, is_adopted=is_adopted)
    if not differences:
        return
    if config.model.name == IN_MEMORY:
        ways = "run find_lr with this model, give max_lr as a number, or use it all the same with"
        raise ConfigError(
            f"the suggested max_lr, {in_words(entry['value'])}, was found with "
            f"{' and '.join(differences)}; {ways} force=True."
        )
    raise ConfigError(
        f"{config.name}: the suggested max_lr, {in_words(entry['value'])}, was found with "
        f"{' and '.join(differences)}; run 'onecycle find-lr CONFIG' again, set train.max_lr to a "
        f"number, or use it all the same with --force (in Python: force=True)."
    )


def _differences(then: Mapping[str, Any], config: Config, *, is_adopted: bool) -> list[str]:
    now = conditions_of(config)
    may_come_compiled = config.model.name == IN_MEMORY or names_a_file(config.model.name)
    is_open = ("optimizer",) if may_come_compiled and not is_adopted else ()
    other = [n for n in _ANOTHER_MATTER if n not in is_open and then.get(n, now[n]) != now[n]]
    found = [f"the {_ANOTHER_MATTER[name]} {then[name]}, not {now[name]}" for name in other]
    if config.model.name == IN_MEMORY and then.get("options", now["options"]) != now["options"]:
        found.append("another model, whose weights have other shapes")
    return found


def _takes_the_suggested_rate(kind: str, config: Config) -> bool:
    if kind == FIND_LR.name or not is_auto(config, "max_lr"):
        return False
    return kind != TRAIN.name or any(cycle.max_lr is None for cycle in config.train.cycles)
