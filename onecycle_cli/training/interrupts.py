"""Ctrl-C and SIGTERM, heard between two steps and not within one."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

from onecycle_cli.engine.devices.distributed import largest_of_all
from onecycle_cli.errors import Terminated


class Interrupts:
    """Within a `with`, signals become requests that a training asks for after each step.

    In a thread other than the main one, where Python hears no signals, there are no requests. A
    third Ctrl-C is not put off any more.

    Attributes:
        asked: how many times Ctrl-C was pressed.
        terminated: whether SIGTERM came.
    """

    def __init__(self) -> None:
        self.asked = 0
        self.terminated = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for number, handler in ((signal.SIGINT, self._ask), (signal.SIGTERM, self._terminate)):
                self._before[number] = signal.signal(number, handler)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def listen(self) -> None:
        """Hear of what the other processes were asked for, so that all do it at the same step."""
        self.asked, terminated = largest_of_all(self.asked, int(self.terminated))
        self.terminated = bool(terminated)

    def check(self) -> None:
        """Break off if that is asked for.

        Raises:
            Terminated: after SIGTERM.
            KeyboardInterrupt: after the second Ctrl-C.
        """
        if self.terminated:
            raise Terminated
        if self.asked > 1:
            raise KeyboardInterrupt

    def _ask(self, _signal: int, _frame: FrameType | None) -> None:
        self.asked += 1
        if self.asked > 2:
            raise KeyboardInterrupt

    def _terminate(self, _signal: int, _frame: FrameType | None) -> None:
        self.terminated = True
