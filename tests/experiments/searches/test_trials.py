"""Rounds of trials, by an engine that finishes them in any order."""

import contextlib

import numpy as np
import pytest

from onecycle_cli.experiments.searches.jobs import Candidate, Outcome, Rules
from onecycle_cli.experiments.searches.trials import Trials
from onecycle_cli.runs.journal import Journal
from onecycle_cli.runs.run_folder import JOURNAL
from onecycle_cli.suggest import Round

RATES = (0.1, 0.2, 0.3, 0.4)
WAVE = Round("first", 3, RATES)
CANDIDATES = [Candidate(lr, lr, {"max": 0.9, "min": 0.8}, 0.0, "first") for lr in RATES]


class Engine:
    """Finishes trials in an order, and breaks off after so many of them."""

    def __init__(self, order=sorted, most=100):
        self.order, self.most, self.asked = order, most, []

    def run(self, jobs):
        self.asked.append([job.title for job in jobs])
        for number, place in enumerate(self.order(range(len(jobs)))):
            if number == self.most:
                raise KeyboardInterrupt
            lr = jobs[place].candidate.max_lr
            losses = [lr, lr / 2, lr / 3]
            gave = {"lrs": [lr] * 3, "momenta": [0.9] * 3, "losses": losses, "scored": [lr / 3]}
            yield place, Outcome(gave, "")


@pytest.fixture
def run(tmp_path, listener):
    """Run the round by an engine, and return all trials."""
    (tmp_path / JOURNAL).mkdir()

    def run(engine):
        trials = Trials(engine, Journal(tmp_path, listener), lambda: None, listener, Rules())
        with contextlib.suppress(KeyboardInterrupt):
            trials.run(WAVE, CANDIDATES, lambda candidate, number: f"{number}: {candidate.max_lr}")
        return trials.done

    return run


def backwards(places):
    return sorted(places, reverse=True)


def outward(places):
    return sorted(places, key=lambda place: (place % 2, place))


@pytest.mark.parametrize("order", [backwards, outward])
def test_they_are_in_the_order_of_the_candidates_however_they_arrive(run, order):
    found = run(Engine(order))
    assert [trial.candidate for trial in found] == CANDIDATES
    assert [trial.losses[0] for trial in found] == list(RATES)
    np.testing.assert_allclose([trial.score for trial in found], np.array(RATES) / 3)


def test_what_is_finished_when_it_breaks_off_stays_in_that_order(run):
    found = run(Engine(backwards, most=2))
    assert [trial.candidate.max_lr for trial in found] == [0.3, 0.4]


def test_what_arrived_is_not_asked_for_again(run, listener):
    recalled = []
    listener.recall = recalled.append
    run(Engine(outward, most=2))
    assert recalled == []
    engine = Engine(backwards)
    assert [trial.candidate for trial in run(engine)] == CANDIDATES
    assert engine.asked == [["2: 0.2", "4: 0.4"]]
    assert recalled == [3, 3]
