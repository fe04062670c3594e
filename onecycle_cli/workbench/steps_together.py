"""How many training steps are run in one execution."""

from __future__ import annotations

from typing import Any

import keras

from onecycle_cli.engine.devices.data_parallel import in_use
from onecycle_cli.engine.layers import every_layer
from onecycle_cli.workbench.bench import Workbench

_MOST = 64
_IN_A_TRIAL = 16
_SMALL = 3e7
_FLAT = 2


def steps_together(bench: Workbench) -> int:
    """Return `steps_per_execution`: what the configuration says, or what `auto` stands for.

    With `auto`, several steps are run together where Python's part of a step would matter: on
    TensorFlow and JAX, for networks of dense layers whose weights times the batch size are at most
    3e7, a step of which takes a millisecond or two. It is the largest divisor of an epoch's steps
    up to 64, so that signals and stop rules are heard within a fraction of a second. The bits are
    the same with any number.

    Raises:
        ConfigError: when the number asked for does not divide an epoch, or does not go with another
            option or with the backend.
    """
    asked = bench.config.steps_per_execution
    hindrance = _hindrance(bench)
    if asked == "auto":
        return 1 if hindrance or not _is_small(bench) else _largest_divisor(bench.steps_per_epoch)
    if asked != 1 and hindrance:
        raise bench.config.error(
            "steps_per_execution",
            f"steps_per_execution must be 1 with {hindrance}; got {asked}; use auto.",
        )
    if bench.steps_per_epoch % asked:
        fitting = [str(n) for n in range(1, _MOST + 1) if bench.steps_per_epoch % n == 0]
        raise bench.config.error(
            "steps_per_execution",
            f"steps_per_execution must divide the {bench.steps_per_epoch} steps of an epoch; got "
            f"{asked}; possible are {', '.join(fitting)}.",
        )
    return asked


def trial_steps_together(bench: Workbench) -> int:
    """Return how many steps of a search's trial are run in one execution.

    As many as the configuration says; with `auto`, several where `steps_together` would run
    several. They need not divide the trial's steps: its batches end with it. A pipeline's don't.
    """
    if _hindrance(bench) or bench.dataset.stream is not None:
        return 1
    asked = bench.config.steps_per_execution
    if asked == "auto":
        return _IN_A_TRIAL if _is_small(bench) else 1
    return asked


def _hindrance(bench: Workbench) -> str:
    """Return what needs to see every step, in words; nothing if nothing does."""
    train = bench.config.train
    if keras.backend.backend() == "torch":
        return "PyTorch, which runs one at a time"
    if in_use() > 1:
        return "several devices"
    if train.ema is not None:
        return "train.ema"
    return "train.log_grad_norm" if train.log_grad_norm else ""


def _is_small(bench: Workbench) -> bool:
    model: Any = bench.model
    is_dense = all(len(v.shape) <= _FLAT for v in model.trainable_variables)
    loops = any(isinstance(layer, keras.layers.RNN) for layer in every_layer(model))
    return is_dense and not loops and model.count_params() * bench.config.batch_size <= _SMALL


def _largest_divisor(steps: int) -> int:
    return max(n for n in range(1, min(_MOST, steps) + 1) if steps % n == 0)
