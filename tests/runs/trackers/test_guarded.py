"""A tracker may fail at any time and in any way; the run never does."""

import pytest

from onecycle_cli.runs.trackers.guarded import Guarded
from onecycle_cli.runs.trackers.remembered import Remembered
from onecycle_cli.runs.trackers.together import Trackers
from onecycle_cli.runs.trackers.tracker import DONE, Ending
from onecycle_cli.throttle import Throttle

END = Ending(DONE)


class Flaky:
    """Takes the length of a log, and fails at what it is told to."""

    def __init__(self, *fails):
        self.fails, self.calls = list(fails), []

    def _do(self, what):
        if self.fails and self.fails[0] == what:
            self.fails.pop(0)
            raise OSError(28, "No space left on device")
        self.calls.append(what)

    def start(self):
        self._do("start")
        return "in a file"

    def write(self, log):
        self._do(len(log))

    def write_trials(self, trials):
        self._do(f"{len(trials)} trials")

    def end(self, ending):
        self._do(ending.status)


@pytest.fixture
def heard(listener):
    """The warnings."""
    return listener.warnings


@pytest.fixture
def guard(monkeypatch, listener):
    """Guard a tracker whose work takes no time."""

    def guard(tracker):
        guarded = Guarded("mlflow", tracker, listener)
        monkeypatch.setattr(guarded._throttle, "is_due", lambda: True)
        return guarded

    return guard


def test_while_nothing_fails_everything_is_passed_on(guard, listener, trained):
    tracker = Flaky()
    guarded = guard(tracker)
    guarded.start()
    guarded.write(trained(epochs=1))
    guarded.write(trained(epochs=2))
    guarded.end(END)
    assert tracker.calls == ["start", 3, 6, "done"]
    assert (listener.notes, listener.warnings) == (["mlflow: in a file"], [])


@pytest.mark.parametrize(
    ("fails", "calls"),
    [
        (["start"], ["start", 9, "done"]),
        ([3], ["start", 9, "done"]),
        ([6], ["start", 3, 9, "done"]),
    ],
)
def test_it_warns_once_and_makes_up_for_it_at_the_end(guard, heard, trained, fails, calls):
    tracker, log = Flaky(*fails), trained(epochs=0)
    guarded = guard(tracker)
    guarded.start()
    for _ in range(3):
        guarded.write(trained(log))
    guarded.end(END)

    assert tracker.calls == calls
    assert heard == [
        "mlflow failed (OSError: [Errno 28] No space left on device); the run goes on without it, "
        "and it is tried once more at the end."
    ]


@pytest.mark.parametrize("fails", [["start", "start"], [3, 3], ["start", 3], ["done"]])
def test_what_fails_at_the_end_is_said(guard, heard, trained, fails):
    guarded = guard(Flaky(*fails))
    guarded.start()
    guarded.write(trained(epochs=1))
    guarded.end(END)
    assert len(heard) == len(fails)
    assert heard[-1].startswith("mlflow could not take all numbers of this run (OSError")


def test_no_more_than_a_hundredth_of_the_time_is_spent_on_it(listener, monkeypatch, trained):
    """What was put off is done at the end."""
    now = [0.0]
    guarded = Guarded("mlflow", tracker := Flaky(), listener)
    guarded._throttle = Throttle(lambda: now[0])
    write = tracker.write

    def write_slowly(log):
        write(log)
        now[0] += 1.0

    monkeypatch.setattr(tracker, "write", write_slowly)
    log = trained(epochs=0)
    for _ in range(450):
        trained(log, epochs=0, more=1)
        guarded.write(log)
        now[0] += 1.0
    assert len(tracker.calls) == 5
    guarded.end(END)
    assert tracker.calls[-2:] == [450, "done"]


def test_interrupts_pass(guard):
    tracker = Flaky()
    tracker.start = lambda: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        guard(tracker).start()


def test_each_of_several_is_told_and_none_that_was_never_started(guard, heard, trials):
    trackers = [Flaky("start"), Flaky()]
    together = Trackers([guard(tracker) for tracker in trackers])
    together.end(END)
    assert [tracker.calls for tracker in trackers] == [[], []]
    together.start()
    together.write_trials(trials)
    together.end(END)
    assert [tracker.calls for tracker in trackers] == [["start", "2 trials", "done"]] * 2
    assert len(heard) == 1


def test_each_remembers_what_is_its_own(tmp_path):
    mlflow, wandb = (Remembered(tmp_path, name) for name in ("mlflow", "wandb"))
    assert mlflow.read() == {}
    mlflow.write(run_id="a", experiment_id="1")
    wandb.write(run_id="b")
    mlflow.write(run_id="c")
    assert (mlflow.read(), wandb.read()) == ({"run_id": "c"}, {"run_id": "b"})
