"""Runs of the command line in forked processes, which need not import Keras anew.

The parent imports everything and runs no operation; each child calls the app once. Threads that
TensorFlow starts with its first operation would not survive a fork, so the parent never runs one.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_MODULES = (
    *(f"onecycle_cli.experiments.{name}" for name in ("find_lr", "find_momentum", "find_wd")),
    *(f"onecycle_cli.experiments.{name}" for name in ("train", "run", "suggest_again")),
    *("matplotlib.pyplot", "matplotlib.backends.backend_agg", "PIL.Image"),
    *("onecycle_cli.main", "onecycle_models.mlp"),
)


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        code: its exit code, or minus the signal that killed it.
        stdout: what it printed.
        stderr: what it said.
        seconds: how long it lived.
    """

    code: int
    stdout: str
    stderr: str
    seconds: float


class Child:
    """A command line at work in a forked process."""

    def __init__(
        self, command: Sequence[str], folder: Path, prepare: Callable[[], None] | None = None
    ) -> None:
        """Start it.

        Args:
            command: what follows `onecycle`.
            folder: the current folder; what it says is put into files beside it.
            prepare: called in the child before the command.
        """
        self.out, self.err = folder.with_suffix(".out"), folder.with_suffix(".err")
        self._started = time.monotonic()
        self.pid = os.fork()
        if not self.pid:
            _run(command, folder, self.out, self.err, prepare)

    def kill(self) -> None:
        """End it without warning."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def wait(self, seconds: float = 300.0) -> Ended:
        """Wait for its end; kill it when that takes too long."""
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            lived = time.monotonic() - self._started
            if pid:
                code = os.waitstatus_to_exitcode(status)
                texts = [_text(path) for path in (self.out, self.err)]
                return Ended(code, texts[0], texts[1], lived)
            if lived > seconds:
                self.kill()
            time.sleep(0.005)


def _text(path: Path) -> str:
    """Return what was written; a child that is killed at once has not even a file."""
    return path.read_text(errors="replace") if path.exists() else ""


def import_everything() -> None:
    """Import what the commands import, once, in the parent."""
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    for name in _MODULES:
        importlib.import_module(name)


def _run(
    command: Sequence[str],
    folder: Path,
    out: Path,
    err: Path,
    prepare: Callable[[], None] | None,
) -> None:
    """Be the child: never return."""
    code = 99
    try:
        os.chdir(folder)
        for path, number in ((out, 1), (err, 2)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        from onecycle_cli.main import app

        sys.argv = ["onecycle", *command]
        if prepare is not None:
            prepare()
        app(list(command))
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        os._exit(code)
