"""Which backend Keras runs on, decided before Keras is imported, and without importing any."""

from __future__ import annotations

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onecycle_cli.config import Config
    from onecycle_cli.observer import Observer

BACKENDS = ("tensorflow", "jax", "torch")
"""Those that can train; of several that are installed, the first is taken."""

VARIABLE = "KERAS_BACKEND"

_set_here: dict[str, str] = {}
"""What this module has set the environment variable to; else the user has set it."""


def name_of_backend() -> str:
    """Return the backend that Keras runs on or, before it is imported, the one that it will use.

    That is what the environment variable KERAS_BACKEND says, else Keras' own file keras.json, else
    the first one that is installed.
    """
    if "keras" in sys.modules:
        return str(sys.modules["keras"].backend.backend())
    return os.environ.get(VARIABLE) or _configured() or _first_installed()


def why_this_backend() -> str:
    """Say why `name_of_backend` returns what it does."""
    if "keras" in sys.modules:
        return "Keras runs on it"
    if os.environ.get(VARIABLE):
        return f"{VARIABLE} says so"
    if _configured():
        return f"{_keras_json()} says so"
    installed = [name for name in BACKENDS if find_spec(name)]
    return f"the first of those installed, {', '.join(installed)}" if installed else "none is there"


def backend_for(config: Config) -> str:
    """Return the backend that a configuration is carried out on; KERAS_BACKEND goes before it."""
    is_decided = config.backend == "auto" or "keras" in sys.modules or _said_by_user()
    return name_of_backend() if is_decided else config.backend


def settle_backend(config: Config) -> str:
    """Have Keras use the backend that a configuration names, unless KERAS_BACKEND says another.

    Returns:
        The backend.

    Raises:
        ConfigError: when Keras runs on another one in this process already.
    """
    asked, used = config.backend, backend_for(config)
    if asked not in ("auto", used) and _said_by_user() != used:
        raise config.error(
            "backend",
            f"backend: {asked} can't be used, as Keras runs on {used} in this process already; set "
            f"the environment variable {VARIABLE}={asked} before Keras is imported, or give "
            f"backend: auto.",
        )
    tell_keras(used)
    return used


def with_backend(config: Config, observer: Observer) -> Config:
    """Return a configuration that names the backend in use, and say so where it named another.

    Raises:
        ConfigError: as `settle_backend` does.
    """
    asked, used = config.backend, settle_backend(config)
    if asked not in ("auto", used):
        observer.note(f"backend {used}: {VARIABLE} goes before the config's {asked}")
    settled = config.model_copy(update={"backend": used})
    if asked == used or _said_by_user() != used:
        return settled
    return settled.with_origins(config.origins | {"backend": VARIABLE})


def tell_keras(backend: str) -> None:
    """Have Keras take a backend when it is imported, where it would take another by itself."""
    if "keras" in sys.modules or backend == _taken_by_keras():
        return
    os.environ[VARIABLE] = _set_here[VARIABLE] = backend


def _said_by_user() -> str | None:
    said = os.environ.get(VARIABLE)
    return None if said == _set_here.get(VARIABLE) else said


def _taken_by_keras() -> str:
    return os.environ.get(VARIABLE) or _configured() or BACKENDS[0]


def _configured() -> str | None:
    """Return what Keras' own configuration file says, unless it is what Keras writes by itself."""
    try:
        said = str(json.loads(_keras_json().read_text())["backend"])
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return None if said == BACKENDS[0] else said


def _keras_json() -> Path:
    return Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "keras.json"


def _first_installed() -> str:
    return next((name for name in BACKENDS if find_spec(name)), BACKENDS[0])
