"""The trackers that there are, a row each."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from onecycle_cli.config import Config
from onecycle_cli.observer import Observer
from onecycle_cli.runs.trackers.guarded import Guarded
from onecycle_cli.runs.trackers.mlflow import MLflow
from onecycle_cli.runs.trackers.remembered import Remembered
from onecycle_cli.runs.trackers.tensorboard import TensorBoard
from onecycle_cli.runs.trackers.together import Trackers
from onecycle_cli.runs.trackers.tracker import Subject, Tracker
from onecycle_cli.runs.trackers.wandb import WandB

TRACKERS: dict[str, Callable[[Subject, Remembered], Tracker]] = {
    "tensorboard": lambda subject, _: TensorBoard(subject),
    "mlflow": MLflow,
    "wandb": WandB,
}
"""By the name of each, which is also that of its package and of the extra that installs it."""


def check_installed(config: Config) -> None:
    """Refuse a tracker whose package is not there; none is imported for it.

    Raises:
        ConfigError: saying how to install it.
    """
    for name in config.train.log_to:
        if not _is_installed(name):
            raise config.error(
                "train.log_to",
                f"train.log_to {name} needs the package {name}, which is not installed; run pip "
                f"install 'onecycle-cli[{name}]', or leave {name} out.",
            )


def _is_installed(name: str) -> bool:
    spec = find_spec(name)
    return spec is not None and spec.origin is not None  # a folder of that name is no package


def trackers_of(config: Config, subject: Subject, observer: Observer) -> Trackers:
    """Return the trackers that a configuration names.

    Args:
        config: the one.
        subject: the run that they follow.
        observer: hears where they are, and of those that fail.
    """
    return Trackers(
        [
            Guarded(name, TRACKERS[name](subject, Remembered(subject.folder, name)), observer)
            for name in config.train.log_to
        ]
    )
