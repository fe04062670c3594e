"""What a process does together with the others that train the same model, on JAX."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli.engine.backends.choice import name_of_backend
from onecycle_cli.engine.backends.without_tensorflow import set_random_seed
from onecycle_cli.engine.devices.processes import ADDRESSES, COUNT, PLACE, processes
from onecycle_cli.errors import ConfigError, ProcessError, cause_of

_OF_OTHERS = ("gloo", "nccl", "coordination service", "connection closed", "connection reset")
"""Words of JAX about a step that another process did not take part in."""

_PATIENCE = 240.0
"""Seconds that processes wait for each other at the start; JAX aborts after 300."""


def join(seed: int) -> None:
    """Meet the other processes, before JAX is asked for its devices. Idempotent.

    Args:
        seed: of all random numbers; Keras would have the processes agree on one.

    Raises:
        ConfigError: when Keras runs on another backend, or JAX has been at work already.
        ProcessError: when the others do not come.
    """
    if not processes().are_several:
        return
    if name_of_backend() != "jax":
        raise ConfigError(
            f"several processes train together on JAX only, and Keras runs on "
            f"{name_of_backend()}; set KERAS_BACKEND=jax, or remove {COUNT} to train by one."
        )
    jax = importlib.import_module("jax")
    if jax.distributed.is_initialized():
        return
    jax.config.update("jax_enable_preemption_service", False)  # which would take SIGTERM for itself
    failed = _initialize(seed)
    if failed is not None:
        raise ConfigError(
            f"the {processes().count} processes can't meet: {cause_of(failed)}."
        ) from failed


def _initialize(seed: int) -> Exception | None:
    """Have JAX wait for all processes, in a thread: it hears no signal, and ends by an abort.

    Returns what goes wrong, if anything does.
    """
    failed: list[Exception] = []

    def initialize() -> None:
        try:
            set_random_seed(seed)  # Keras remembers it for this thread, and else draws one of all
            importlib.import_module("keras").distribution.initialize()
        except Exception as error:
            failed.append(error)

    waiting = threading.Thread(target=initialize, daemon=True)
    waiting.start()
    waiting.join(_PATIENCE)
    if waiting.is_alive():
        raise ProcessError(
            f"the {processes().count} processes did not meet at {os.environ[ADDRESSES]} within "
            f"{_PATIENCE:g} seconds; start the same command with another {PLACE} for each, and see "
            f"whether all of them can reach the first address."
        )
    return failed[0] if failed else None


def devices_of_this_process() -> int:
    """Return how many of all devices are those of this process; this starts JAX."""
    return int(importlib.import_module("jax").local_device_count())


def largest_of_all(*numbers: int) -> list[int]:
    """Return the largest that any process gives for each number; all have to ask."""
    if not processes().are_several:
        return list(numbers)
    return [int(n) for n in _of_all(np.array(numbers, np.int32)).max(axis=0)]


def wait_for_all() -> None:
    """Go on when every process is here."""
    largest_of_all(0)


def check_alike(parts: Mapping[str, str]) -> None:
    """Make sure that all processes are about to do the same.

    Args:
        parts: what has to be the same in all, by name.

    Raises:
        ConfigError: when something differs, naming it; in every process.
    """
    if not processes().are_several:
        return
    digests = [hashlib.sha256(text.encode()).digest()[:8] for text in parts.values()]
    of_all = _of_all(np.frombuffer(b"".join(digests), np.uint32).reshape(len(parts), 2))
    differ = (of_all != of_all[:1]).any(axis=(0, 2))
    different = [name for name, is_one in zip(parts, differ, strict=True) if is_one]
    if different:
        raise ConfigError(
            f"the {processes().count} processes would not do the same: {' and '.join(different)} "
            f"differ between them; start the same command on each machine, with the same data and "
            f"versions."
        )


@contextlib.contextmanager
def noticing_losses() -> Iterator[None]:
    """Say so if what is done within fails because another process is gone.

    Raises:
        ProcessError: then.
    """
    try:
        yield
    except Exception as error:
        if processes().are_several and _is_of_others(error):
            raise ProcessError(
                f"another one of the {processes().count} processes that train together is gone, or "
                f"can't be reached."
            ) from error
        raise


def on_this_process(outputs: Any) -> NDArray[Any]:
    """Return an array whole of which each process has a share; all have to ask."""
    multihost = importlib.import_module("jax.experimental.multihost_utils")
    return np.asarray(multihost.process_allgather(outputs, tiled=True))


@contextlib.contextmanager
def placing_without_asking() -> Iterator[None]:
    """Have each process place its share of what all have, and not ask whether theirs is the same.

    Keras has JAX compare each array that is placed, with a message to all processes. That takes
    longer than a small step, and waits forever if not all of them place it.
    """
    jax = importlib.import_module("jax")
    library: Any = importlib.import_module("keras.src.backend.jax.distribution_lib")
    stock = library.distribute_tensor

    def distribute_tensor(tensor: Any, layout: Any) -> Any:
        is_array = isinstance(tensor, jax.Array)
        if isinstance(tensor, jax.core.Tracer) or (is_array and not tensor.is_fully_addressable):
            return stock(tensor, layout)
        values = np.asarray(tensor)
        values = values.astype(jax.dtypes.canonicalize_dtype(values.dtype), copy=False)
        sharding = getattr(layout, "backend_layout", layout)
        return jax.make_array_from_callback(values.shape, sharding, lambda share: values[share])

    library.distribute_tensor = distribute_tensor
    try:
        yield
    finally:
        library.distribute_tensor = stock


def _of_all(array: NDArray[Any]) -> NDArray[Any]:
    """Return what each process gives, along a new first axis."""
    multihost = importlib.import_module("jax.experimental.multihost_utils")
    with noticing_losses():
        return np.asarray(multihost.process_allgather(array))


def _is_of_others(error: Exception) -> bool:
    jax = importlib.import_module("jax")
    text = str(error).lower()
    is_of_jax = isinstance(error, jax.errors.JaxRuntimeError | ValueError)
    return is_of_jax and any(words in text for words in _OF_OTHERS)
