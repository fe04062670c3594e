"""The schedule of a config, before anything is trained: what `onecycle plot CONFIG` shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onecycle_cli.commands.console.ending import number, table
from onecycle_cli.commands.console.rows import known_values, rate_rows, used_rows

if TYPE_CHECKING:
    from onecycle_cli.config import Config
    from onecycle_cli.experiments.hyper_parameters.values import Values
    from onecycle_cli.plotting import Figure

_MOST_STEPS = 5_000_000


@dataclass(frozen=True)
class _Preview:
    """A schedule, all cycles one after the other.

    Attributes:
        config: whose it is.
        values: what is known of its hyper-parameters.
        rates: the highest learning rate of each cycle.
        are_shares: whether learning rates are shares of a `max_lr` that is not known yet.
        steps_per_epoch: how many steps an epoch has.
        lrs: the learning rate of each step.
        momenta: the momentum of each step.
    """

    config: Config
    values: Values
    rates: Sequence[float]
    are_shares: bool
    steps_per_epoch: int
    lrs: list[float]
    momenta: list[float]

    @property
    def length(self) -> str:
        """How long it is, in words."""
        epochs = _epochs(self.config)
        return f"{epochs} epoch{'' if epochs == 1 else 's'}"

    @property
    def unit(self) -> str:
        """What its learning rates are."""
        return "share of max_lr" if self.are_shares else "learning rate"

    @property
    def shape(self) -> str:
        """The name of its shape, without the folders of a file."""
        from onecycle_cli.plugin_names import short

        return short(self.config.train.shape)

    @property
    def highest_at(self) -> int:
        """The step of the highest learning rate."""
        return self.lrs.index(max(self.lrs))

    def rows(self) -> list[tuple[str, str]]:
        """Return what it says in numbers, for a table."""
        times = " x max_lr" if self.are_shares else ""
        if self.are_shares:
            rates = [("max_lr", "not known yet; 'onecycle find-lr CONFIG' finds it")]
        else:
            rates = rate_rows(self.rates, self.values.cycle_rate_sources(self.config))
        return [
            ("steps", f"{len(self.lrs)} = {self.length} of {self.steps_per_epoch}"),
            ("first lr", number(self.lrs[0]) + times),
            ("highest lr", f"{number(max(self.lrs))}{times} at step {self.highest_at}"),
            ("last lr", number(self.lrs[-1]) + times),
            *rates,
            *used_rows(self.values, self.config.optimizer.decay_kind, "momentum"),
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return the same as plain data."""
        return {
            "shape": self.shape,
            "epochs": _epochs(self.config),
            "steps": len(self.lrs),
            "steps_per_epoch": self.steps_per_epoch,
            "unit": self.unit,
            "first_lr": self.lrs[0],
            "highest_lr": max(self.lrs),
            "highest_at_step": self.highest_at,
            "last_lr": self.lrs[-1],
            "momentum": self.values.momentum,
        }

    def figure(self) -> Figure:
        """Return its picture."""
        from onecycle_cli import plotting

        title = f"{self.config.name}: schedule of {self.length}, shape {self.shape}"
        if self.are_shares:
            title += "\nas shares of max_lr, which is not known yet"
        steps = self.steps_per_epoch
        return plotting.draw_schedule(
            self.lrs, self.momenta, title=title, steps_per_epoch=steps, rates=self.unit
        )


def preview(path: str, overrides: list[str], runs: str) -> tuple[str, Figure, dict[str, Any]]:
    """Print what the schedule of a config says in numbers.

    Args:
        path: of the config.
        overrides: of `--set`.
        runs: the folder or URL where suggestions are looked for.

    Returns:
        The config's name, the picture, and the numbers as plain data.

    Raises:
        ConfigError: when the config breaks a rule, or its schedule is too long to be drawn.
    """
    from onecycle_cli import registry
    from onecycle_cli.config import load_config
    from onecycle_cli.runs.stores.urls import local

    config = load_config(path, overrides)
    registry.check_files(config)
    seen = _preview_of(config, local(runs))
    table(seen.rows())
    return config.name, seen.figure(), seen.as_dict()


def _preview_of(config: Config, runs: Path) -> _Preview:
    from onecycle_cli.workbench.expected import expected_steps_per_epoch

    steps = expected_steps_per_epoch(config)
    _check_length(config, steps)
    values = known_values(config, runs)
    cycles = config.train.cycles
    are_shares = values.max_lr is None and any(cycle.max_lr is None for cycle in cycles)
    rates = [1.0] * len(cycles) if are_shares else values.cycle_rates(config)
    lrs, momenta = _curves(config, rates, values, steps)
    return _Preview(config, values, rates, are_shares, steps, lrs, momenta)


def _check_length(config: Config, steps_per_epoch: int) -> None:
    epochs = _epochs(config)
    if epochs * steps_per_epoch > _MOST_STEPS:
        raise config.error(
            "train.cycles",
            f"train.cycles: {epochs:,} epochs of {steps_per_epoch:,} steps are too many to draw; "
            f"a preview takes at most {_MOST_STEPS:,} steps.",
        )


def _epochs(config: Config) -> int:
    return sum(cycle.epochs for cycle in config.train.cycles)


def _curves(
    config: Config, rates: Sequence[float], values: Values, steps_per_epoch: int
) -> tuple[list[float], list[float]]:
    """Return learning rate and momentum of each step of all cycles, one after the other."""
    from onecycle_cli import schedules
    from onecycle_cli.registry import shapes

    train, momentum, shape = config.train, values.momentum, shapes.load(config.train.shape)
    lrs: list[float] = []
    momenta: list[float] = []
    for cycle, max_lr in zip(train.cycles, rates, strict=True):
        steps = cycle.epochs * steps_per_epoch
        end, options = train.end_percentage, train.shape_options
        lrs += schedules.learning_rates(
            steps,
            max_lr,
            shape=shape,
            end_percentage=end,
            scale_percentage=train.scale_percentage,
            **options,
        )
        momenta += schedules.momenta(
            steps, momentum["max"], momentum["min"], shape=shape, end_percentage=end, **options
        )
    return lrs, momenta
