"""What `auto` stands for, where it depends on the machine."""

from __future__ import annotations

import keras

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli.config import Config
from onecycle_cli.engine.start import has_accelerator, on_cpu_of_tensorflow


def decide_jit(config: Config) -> bool:
    """Return what `auto` stands for: with TensorFlow, repeatable bits go before any speed of XLA.

    TensorFlow promises them for its own operations only.
    """
    if config.jit_compile != "auto":
        return config.jit_compile
    backend = keras.backend.backend()
    return backend == "jax" or (backend == "torch" and has_accelerator())


def decide_fusion(config: Config) -> bool:
    """Return what `auto` stands for until both ways are timed: on for TensorFlow on a CPU."""
    if config.fused_batch_norm == "auto":
        return on_cpu_of_tensorflow()
    if config.fused_batch_norm and keras.backend.backend() != "tensorflow":
        raise config.error(
            "fused_batch_norm",
            f"the fused kernel is TensorFlow's, and Keras runs on {keras.backend.backend()}; use "
            f"auto.",
        )
    return config.fused_batch_norm
