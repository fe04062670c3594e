import os
import signal
import threading

import pytest

from onecycle_cli.errors import Terminated
from onecycle_cli.training.interrupts import Interrupts


def press():
    os.kill(os.getpid(), signal.SIGINT)


def test_one_is_a_request_two_break_off_between_steps_three_at_once():
    with Interrupts() as interrupts:
        press()
        interrupts.check()
        assert interrupts.asked == 1
        press()
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()
        with pytest.raises(KeyboardInterrupt):
            press()


def test_termination_waits_for_the_end_of_the_step():
    with Interrupts() as interrupts:
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Terminated):
            interrupts.check()


def test_afterwards_signals_are_what_they_were():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with Interrupts():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_in_another_thread_there_are_none():
    before, seen = signal.getsignal(signal.SIGINT), []

    def work():
        with Interrupts() as interrupts:
            seen.append(signal.getsignal(signal.SIGINT))
            interrupts.check()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
