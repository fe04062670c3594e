"""The devices that the backend has on this machine."""

from __future__ import annotations

import contextlib
import importlib
import os
from typing import Any

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli.engine.backends.choice import name_of_backend
from onecycle_cli.engine.start import has_accelerator

XLA_FLAG = "--xla_force_host_platform_device_count"
"""What a user sets in $XLA_FLAGS to have JAX take the processor for several devices."""


def names_of_devices() -> list[str]:
    """Return the names of the GPUs or TPUs that TensorFlow or JAX sees; without any, of processors.

    This starts the backend; there is one processor, unless `split_processor` was called before.
    """
    if name_of_backend() == "jax":
        keras = importlib.import_module("keras")
        return list(keras.distribution.list_devices())
    kind = "GPU" if has_accelerator() else "CPU"
    return [device.name for device in _tensorflow().config.list_logical_devices(kind)]


def split_processor(count: int) -> None:
    """Let the processor pass for so many devices, as one without accelerators is to train on them.

    What the user has set stays, and nothing happens once the backend has started.
    """
    if name_of_backend() == "jax":
        jax = importlib.import_module("jax")
        if XLA_FLAG not in os.environ.get("XLA_FLAGS", "") and jax.config.jax_num_cpu_devices < 1:
            with contextlib.suppress(RuntimeError):  # it has started
                jax.config.update("jax_num_cpu_devices", count)
    elif name_of_backend() == "tensorflow":
        config = _tensorflow().config
        (processor,) = config.list_physical_devices("CPU")
        if config.get_logical_device_configuration(processor) is None:
            parts = [config.LogicalDeviceConfiguration() for _ in range(count)]
            with contextlib.suppress(RuntimeError):  # it has started
                config.set_logical_device_configuration(processor, parts)


def _tensorflow() -> Any:
    return importlib.import_module("tensorflow")
