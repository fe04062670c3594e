"""What an experiment costs, before and after."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

from onecycle_cli.suggest import FEWEST_STEPS

if TYPE_CHECKING:
    from onecycle_cli.workbench.bench import Workbench

_FEWEST_STEPS, _MOST_STEPS = 100, 300
_PROBES_SHARE, _LONGEST_PROBE, _LONGEST_SHARE = 5, 200, 10
_MEMORY_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Cost:
    """What an experiment took.

    Attributes:
        steps: training steps.
        epochs: the same in passes over the training data.
        training_runs: the same as a share of the training that is configured.
        seconds: wall time of the search, without loading data and building the model.
    """

    steps: int
    epochs: float
    training_runs: float
    seconds: float

    @classmethod
    def of(cls, bench: Workbench, steps: int, seconds: float) -> Cost:
        """Return the cost of so many steps in so many seconds."""
        return cls(
            steps=steps,
            epochs=round(steps / bench.steps_per_epoch, 3),
            training_runs=round(steps / training_steps(bench), 4),
            seconds=round(seconds, 2),
        )

    @classmethod
    def forecast(cls, bench: Workbench, steps: int) -> str:
        """Return in words what so many steps will cost."""
        return f"at most {cls.of(bench, steps, 0)}"

    def __str__(self) -> str:
        epochs = f"{_short(self.epochs)} epoch{'' if self.epochs == 1 else 's'}"
        return f"{self.steps} steps = {epochs} = {_share(self.training_runs)} configured training"

    def as_dict(self) -> dict[str, Any]:
        """Return the cost as plain data."""
        return asdict(self)


def training_steps(bench: Workbench) -> int:
    """Return the steps of the training that is configured."""
    return bench.steps_per_epoch * sum(cycle.epochs for cycle in bench.config.train.cycles)


def resolved_steps(bench: Workbench, section: str) -> int:
    """Return the steps of the range tests of `find_lr`, or of the probes of a comparison."""
    configured = getattr(bench.config, section).steps
    if section == "find_lr":
        return short_run_steps(configured, bench.steps_per_epoch)
    return probe_steps(configured, training_steps(bench))


def short_run_steps(configured: int | str, steps_per_epoch: int) -> int:
    """Return the length of a short run: one epoch, but at least 100 and at most 300 steps."""
    if isinstance(configured, int):
        return configured
    return max(_FEWEST_STEPS, min(_MOST_STEPS, steps_per_epoch))


def probe_steps(configured: int | str, training: int) -> int:
    """Return the length of the short trainings that compare values.

    A fifth of the training, but at least 24 steps, and at most 200, or a tenth of the training if
    that is more.
    """
    if isinstance(configured, int):
        return configured
    longest = max(_LONGEST_PROBE, training // _LONGEST_SHARE)
    return max(FEWEST_STEPS, min(training // _PROBES_SHARE, longest))


def _share(runs: float) -> str:
    if runs >= 1.5:
        return f"{_short(runs)} times the"
    return f"{_short(100 * runs)} % of the"


def _short(value: float) -> str:
    """Return two significant digits, or all digits before the point."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def peak_memory() -> int | None:
    """Return the most memory that this process has held so far, in bytes; `None` on Windows.

    It is main memory; what lies on an accelerator is not in it.
    """
    if resource is None:
        return None
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * _MEMORY_UNIT
