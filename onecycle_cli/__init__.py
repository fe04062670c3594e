"""Find the learning rate, momentum and weight decay to train with, then train with them.

Names are loaded when they are first used, so that importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from onecycle_cli.version import __version__

if TYPE_CHECKING:
    from onecycle_cli import schedules, suggest
    from onecycle_cli.callbacks.lr_finder import LRFinder
    from onecycle_cli.callbacks.one_cycle_lr import OneCycleLR
    from onecycle_cli.callbacks.scheduled import Scheduled
    from onecycle_cli.config import Config, load_config
    from onecycle_cli.errors import OnecycleError
    from onecycle_cli.experiments.evaluation.evaluate import Evaluation, evaluate
    from onecycle_cli.experiments.find_lr import FindLRResult, find_lr
    from onecycle_cli.experiments.find_momentum import find_momentum
    from onecycle_cli.experiments.find_wd import find_wd, find_weight_decay
    from onecycle_cli.experiments.recipe.result import RunResult
    from onecycle_cli.experiments.recipe.run import run
    from onecycle_cli.experiments.searches.comparing import ComparisonResult
    from onecycle_cli.experiments.train import train
    from onecycle_cli.experiments.trainings.result import TrainResult
    from onecycle_cli.observer import Observer
    from onecycle_cli.runs.curve import Curve
    from onecycle_cli.suggest import Suggestion

_HOMES = {
    "LRFinder": "onecycle_cli.callbacks.lr_finder",
    "OneCycleLR": "onecycle_cli.callbacks.one_cycle_lr",
    "Scheduled": "onecycle_cli.callbacks.scheduled",
    "ComparisonResult": "onecycle_cli.experiments.searches.comparing",
    "Config": "onecycle_cli.config",
    "Curve": "onecycle_cli.runs.curve",
    "Evaluation": "onecycle_cli.experiments.evaluation.evaluate",
    "FindLRResult": "onecycle_cli.experiments.find_lr",
    "Observer": "onecycle_cli.observer",
    "RunResult": "onecycle_cli.experiments.recipe.result",
    "Suggestion": "onecycle_cli.suggest",
    "TrainResult": "onecycle_cli.experiments.trainings.result",
    "load_config": "onecycle_cli.config",
    "OnecycleError": "onecycle_cli.errors",
    "evaluate": "onecycle_cli.experiments.evaluation.evaluate",
    "find_lr": "onecycle_cli.experiments.find_lr",
    "find_momentum": "onecycle_cli.experiments.find_momentum",
    "find_wd": "onecycle_cli.experiments.find_wd",
    "find_weight_decay": "onecycle_cli.experiments.find_wd",
    "run": "onecycle_cli.experiments.recipe.run",
    "train": "onecycle_cli.experiments.train",
    "schedules": "onecycle_cli",
    "suggest": "onecycle_cli",
}

__all__ = [
    "ComparisonResult",
    "Config",
    "Curve",
    "Evaluation",
    "FindLRResult",
    "LRFinder",
    "Observer",
    "OneCycleLR",
    "OnecycleError",
    "RunResult",
    "Scheduled",
    "Suggestion",
    "TrainResult",
    "__version__",
    "evaluate",
    "find_lr",
    "find_momentum",
    "find_wd",
    "find_weight_decay",
    "load_config",
    "run",
    "schedules",
    "suggest",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if _HOMES[name] == __name__:
        return import_module(f"{__name__}.{name}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
