"""Keras, started without the noise that TensorFlow makes."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import platform
import re
import sys
from collections.abc import Iterator
from typing import Any

from onecycle_cli.engine.backends.choice import BACKENDS, name_of_backend, tell_keras
from onecycle_cli.engine.backends.without_tensorflow import save_without_tensorflow
from onecycle_cli.engine.devices.growth import grow_memory
from onecycle_cli.engine.memory import keep_memory
from onecycle_cli.errors import ConfigError
from onecycle_cli.version import __version__

SUPPORTED_KERAS = ((3, 8), (3, 16))
"""The oldest version that is tested, and the next one that is not, as pyproject.toml says."""


def start_keras() -> Any:
    """Import Keras and return it; TensorFlow's start-up messages go nowhere, real errors do.

    The messages are written by native code to the file descriptor, and no setting stops them all.
    From then on the process may keep the memory that it frees, see `keep_memory`, and takes that of
    GPUs as it needs it, see `grow_memory`.

    Raises:
        ConfigError: when Keras is set to a backend that can't train, is not installed, or has a
            version that is not supported; or $ONECYCLE_KEEP_MEMORY is wrong.
    """
    backend = name_of_backend()
    keras = sys.modules.get("keras") or _imported(backend)
    save_without_tensorflow(backend)
    return keras


def _imported(backend: str) -> Any:
    if backend not in BACKENDS:
        raise ConfigError(
            f"Keras is set to the backend '{backend}', and training needs one of "
            f"{', '.join(BACKENDS)}; set the environment variable KERAS_BACKEND."
        )
    check_version()
    keep_memory(backend)
    grow_memory(backend)
    tell_keras(backend)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with silent_stderr(), _no_garbage_collected():
            return importlib.import_module("keras")
    except ImportError as error:
        raise ConfigError(
            f"Keras can't be started on the backend '{backend}': {error}. Install it by "
            f"pip install '{_package_of(backend)}', or choose another backend by the environment "
            f"variable KERAS_BACKEND, or by the config's key backend."
        ) from error


def _package_of(backend: str) -> str:
    return backend if backend == "tensorflow" else f"onecycle-cli[{backend}]"


def check_version() -> None:
    """Make sure that the version of Keras is one that is supported, without importing it.

    Raises:
        ConfigError: when it is another one.
    """
    found = versions().get("keras")
    match = re.match(r"(\d+)\.(\d+)", found or "")
    oldest, untested = SUPPORTED_KERAS
    if match and not oldest <= (int(match[1]), int(match[2])) < untested:
        bounds = f">={oldest[0]}.{oldest[1]},<{untested[0]}.{untested[1]}"
        raise ConfigError(
            f"Keras must have a version {bounds}, got {found} in {sys.prefix}; run "
            f"pip install 'keras{bounds}'."
        )


def has_accelerator() -> bool:
    """Tell whether the backend sees a GPU or TPU."""
    name = start_keras().backend.backend()
    if name == "tensorflow":
        tensorflow = importlib.import_module("tensorflow")
        return bool(tensorflow.config.list_logical_devices("GPU"))
    if name == "jax":
        return str(importlib.import_module("jax").default_backend()) != "cpu"
    return bool(importlib.import_module("torch").cuda.is_available())


def on_cpu_of_tensorflow() -> bool:
    """Tell whether the backend is TensorFlow, and computes on the processor."""
    return bool(start_keras().backend.backend() == "tensorflow") and not has_accelerator()


def runs_each_step() -> bool:
    """Tell whether Python runs at each step here and now, instead of being traced once.

    What is traced has both branches of a condition in it; what runs takes one.
    """
    name = start_keras().backend.backend()
    if name == "tensorflow":
        return bool(importlib.import_module("tensorflow").executing_eagerly())
    return bool(name == "torch")


def versions() -> dict[str, str]:
    """Return the versions that decide the bits of a run, from package metadata alone."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"onecycle": __version__, "python": platform.python_version()}
    for package in ("keras", "tensorflow", "jax", "torch", "numpy"):
        with contextlib.suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


@contextlib.contextmanager
def _no_garbage_collected() -> Iterator[None]:
    """Put off looking for garbage: there is little, and it means going through all that is kept."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextlib.contextmanager
def silent_stderr() -> Iterator[None]:
    """Send to nowhere what is written to the file descriptor of stderr, by native code too."""
    try:
        sys.stderr.flush()
        saved = os.dup(2)
    except (AttributeError, OSError):  # there is no stderr
        yield
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)
