"""Which stages of a recipe remain to be done, and with what those begin that are left out.

It needs no Keras, so that a recipe which can't be started is refused at once.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from onecycle_cli.config import Config
from onecycle_cli.errors import ConfigError
from onecycle_cli.experiments.asked.carried_over import check_rate
from onecycle_cli.experiments.asked.installed import check_installed
from onecycle_cli.experiments.hyper_parameters.conditions import premises, warn_of_other_conditions
from onecycle_cli.experiments.hyper_parameters.gathering import (
    Suggestions,
    gather,
    suggestions_on_file,
)
from onecycle_cli.experiments.hyper_parameters.values import is_auto
from onecycle_cli.experiments.recipe.stages import KEYS, Recipe, Stage
from onecycle_cli.kinds import KINDS, STAGES
from onecycle_cli.observer import Observer


def plan(
    config: Config,
    out: str | Path | None,
    observer: Observer,
    skip: Collection[str] = (),
    *,
    force: bool = False,
) -> Recipe:
    """Return the stages that a recipe of this configuration has.

    What the configuration fixes is not searched. For a stage that is left out, its suggestion on
    file is used, if there is one.

    Raises:
        ConfigError: when there is no such stage, none remains, or a package or a learning rate is
            missing; or the rate, without `force`, was suggested for another optimizer, model, data.
        ResultError: when `suggestions.yaml` is damaged.
    """
    _check_names(skip)
    check_installed(config)
    recipe = Recipe({name: Stage(name) for name in STAGES})
    on_file = suggestions_on_file(config, out)
    for name, key in KEYS.items():
        stage = recipe.stages[name]
        if not is_auto(config, key):
            stage.status, stage.note = "skipped", f"train.{key}, {config.origin(f'train.{key}')}"
            stage.value = config.model_dump()["train"][key]
        elif name in skip and key in on_file:
            stage.take(on_file[key], "skipped", "left out; the saved suggestion is used")
        elif name in skip:
            stage.status, stage.note = "skipped", "left out"
            stage.take_default(config)
    if "train" in skip:
        recipe.stages["train"].status, recipe.stages["train"].note = "skipped", "left out"
    _leave_out_a_rate_that_nobody_needs(recipe, config)
    if not recipe.pending:
        raise ConfigError("nothing is left to do: every stage is skipped or fixed by the config.")
    if recipe.stages["find-lr"].is_settled and _needs_a_rate(recipe, config):
        gather(config, None, observer, conditions={}, suggestions=recipe.suggestions()
        ).known_max_lr(config)  # fmt: skip
        check_rate("run", config, on_file, force=force)
    return recipe


def check_adopted(recipe: Recipe, config: Config, on_file: Suggestions) -> None:
    """Refuse a rate on file of another matter, once the optimizer of the model is known."""
    if recipe.stages["find-lr"].is_settled and _needs_a_rate(recipe, config):
        check_rate("run", config, on_file, is_adopted=True)


def warn_of_what_is_on_file(recipe: Recipe, config: Config, observer: Observer) -> None:
    """Say where suggestions on file that are used were made under other conditions."""
    for name, key in KEYS.items():
        stage = recipe.stages[name]
        if stage.status == "skipped" and stage.conditions and is_auto(config, key):
            entry = {"conditions": stage.conditions}
            warn_of_other_conditions(key, entry, recipe.conditions, observer)


def reuse(recipe: Recipe, config: Config, on_file: Suggestions) -> None:
    """Settle those searches whose suggestion on file was made under exactly these conditions.

    These include the values found before; so once a search is to be done, so are those after it.
    """
    for name, key in KEYS.items():
        stage = recipe.stages[name]
        if stage.is_settled:
            continue
        values = gather(
            config, None, Observer(), conditions={}, searched=key, suggestions=recipe.suggestions()
        )
        wanted = recipe.conditions | premises(values, key)
        if key not in on_file or on_file[key].get("conditions") != wanted:
            return
        stage.take(on_file[key], "reused", "found under the same conditions")


def _check_names(skip: Collection[str]) -> None:
    for name in skip:
        if name not in STAGES:
            raise ConfigError(f"--skip {name}: must be one of {', '.join(STAGES)}.")


def _needs_a_rate(recipe: Recipe, config: Config) -> bool:
    """Tell whether a stage to come needs the learning rate that the cycles have in common."""
    compares = any(KINDS[stage.name].compares for stage in recipe.pending)
    trains = not recipe.stages["train"].is_settled
    return compares or (trains and any(c.max_lr is None for c in config.train.cycles))


def _leave_out_a_rate_that_nobody_needs(recipe: Recipe, config: Config) -> None:
    stage, trains = recipe.stages["find-lr"], not recipe.stages["train"].is_settled
    if not stage.is_settled and trains and not _needs_a_rate(recipe, config):
        stage.status, stage.note = "skipped", "each cycle has a max_lr of its own"
