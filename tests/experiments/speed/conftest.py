"""Machines that are as fast as they are told, and models to time on them."""

import pytest

from onecycle_cli.config import load_config
from onecycle_cli.experiments.speed import comparison
from onecycle_cli.observer import Observer
from onecycle_cli.workbench.bench import Workbench


@pytest.fixture
def bench():
    """Open workbenches that took half a second to compile a step."""
    opened = []

    def make(raw):
        made = Workbench(load_config(raw), Observer())
        made.replay = {"seconds": 0.5}
        opened.append(made)
        return made

    yield make
    for made in opened:
        made.close()


@pytest.fixture
def timing(monkeypatch):
    """Have a step take what a function says: from a bench, which way it is trained, and seconds.

    Returns a list of the ways that are timed. Any comparison is worth it, unless it is given what
    share of the time to come timing may take. `besides` names modules that time steps themselves.
    """

    def make(told, *besides, share=1e9):
        timed = []

        def seconds(bench, *, most=0, give_up=0):
            way, found = told(bench)
            timed.append(way)
            return found

        for module in (comparison, *besides):
            monkeypatch.setattr(module, "seconds_of_a_step", seconds)
        monkeypatch.setattr(comparison, "LARGEST_SHARE", share)
        return timed

    return make


@pytest.fixture
def trained():
    """Return the weights of a bench after three steps from where its model is."""

    def train(bench):
        bench.assign({"learning_rate": 0.1})
        bench.train(3, [])
        return bench.model.get_weights()

    return train
