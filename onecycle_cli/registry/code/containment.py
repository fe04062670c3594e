"""Somebody else's code, run so that the rest of the program goes on as if it had not."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from onecycle_cli.engine.safe_mode import same_safe_mode
from onecycle_cli.errors import ModelError, OnecycleError

__all__ = ["contained", "same_folder"]

_WAYS_OUT = ("_exit", "abort", "execv", "execve")


@contextlib.contextmanager
def contained(what: str = "model", error: type[OnecycleError] = ModelError) -> Iterator[None]:
    """Undo what code leaves behind in the process, and keep it from ending the process.

    The current folder, the streams, the command line, what signals do, the filters of warnings,
    NumPy's handling of errors and, where Keras is in use, its safe mode and limits of training are
    afterwards as they were.

    Args:
        what: whose code it is, for the error.
        error: raised when it has changed a setting of Keras that decides what a model computes.

    Raises:
        SystemExit: when the code calls `os._exit` or another such function.
    """
    import numpy as np

    with contextlib.ExitStack() as kept:
        kept.enter_context(same_folder())
        kept.enter_context(contextlib.redirect_stdout(sys.stdout))
        kept.enter_context(contextlib.redirect_stderr(sys.stderr))
        kept.enter_context(_same_arguments())
        kept.enter_context(_same_signals())
        kept.enter_context(warnings.catch_warnings())
        kept.enter_context(np.errstate())
        if "keras" in sys.modules:
            kept.enter_context(_same_limits())
            kept.enter_context(_same_numbers(what, error))
        for name in _WAYS_OUT:
            stock = getattr(os, name)
            kept.callback(setattr, os, name, stock)
            setattr(os, name, _refused(stock))
        yield


def _refused(function: Callable[..., Any]) -> Callable[..., Any]:
    process = os.getpid()

    def refuse(*given: Any, **named: Any) -> Any:
        if os.getpid() != process:  # a process that the code has started may end itself
            return function(*given, **named)
        shown = ", ".join(map(repr, given))
        raise SystemExit(f"os.{function.__name__}({shown}) would end the program")

    return refuse


@contextlib.contextmanager
def same_folder() -> Iterator[None]:
    """Go back to the current folder, wherever the code goes."""
    try:
        folder = Path.cwd()
    except FileNotFoundError:  # it has been removed
        yield
        return
    try:
        yield
    finally:
        os.chdir(folder)


@contextlib.contextmanager
def _same_arguments() -> Iterator[None]:
    arguments = list(sys.argv)
    try:
        yield
    finally:
        sys.argv = arguments


@contextlib.contextmanager
def _same_signals() -> Iterator[None]:
    """Keep what Ctrl-C and SIGTERM do; in a thread, code can't change it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:  # which is one that was not set from Python
                signal.signal(number, handler)


@contextlib.contextmanager
def _same_limits() -> Iterator[None]:
    """Keep what Keras allows of loading and how long it trains."""
    from keras import config

    limits = ("max_epochs", "max_steps_per_epoch")
    before = {name: getattr(config, name)() for name in limits if hasattr(config, name)}
    try:
        with same_safe_mode():
            yield
    finally:
        for name, value in before.items():  # older versions of Keras have none
            getattr(config, f"set_{name}")(value)


@contextlib.contextmanager
def _same_numbers(what: str, error: type[OnecycleError]) -> Iterator[None]:
    """Keep the settings that decide what a model computes, and refuse code that changes them."""
    from keras import config

    settings: dict[str, tuple[Callable[[], Any], Callable[[Any], None], str]] = {
        "dtype_policy": (
            config.dtype_policy,
            config.set_dtype_policy,
            "set precision in the config instead",
        ),
        "floatx": (config.floatx, config.set_floatx, "set precision in the config instead"),
        "image_data_format": (
            config.image_data_format,
            config.set_image_data_format,
            "images come with their channels last",
        ),
        "epsilon": (config.epsilon, config.set_epsilon, "give it to the layers that need it"),
    }
    before = {name: read() for name, (read, _, _) in settings.items()}
    try:
        yield
    finally:
        after = {name: read() for name, (read, _, _) in settings.items()}
        for name, (_, write, _) in settings.items():
            write(before[name])
    for name, value in before.items():
        was, is_now = (getattr(v, "name", v) for v in (value, after[name]))
        if is_now != was:
            raise error(
                f"the {what}'s code changes Keras' global {name} from {was} to {is_now}, so that "
                f"what is computed would not be what the config says; take that out: "
                f"{settings[name][2]}."
            )
