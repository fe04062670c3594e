import math

import numpy as np
import pytest

from onecycle_cli.suggest import LADDER, Bounds, Probe

CHANCE = 2.3


def losses_to(end, steps, start=CHANCE):
    """Fall, or rise, evenly for four fifths, and stay there, but for a ripple."""
    tail = max(1, round(steps / 5))
    ripple = 0.01 * abs(end) * (-1.0) ** np.arange(tail)
    return np.concatenate([np.linspace(start, end, steps - tail), end + ripple - ripple.mean()])


@pytest.fixture
def probe():
    """Make a probe that ends at a loss, or breaks off where that is infinite."""

    def make(lr, end, stage=LADDER, steps=20, start=CHANCE, held_out=None):
        if math.isinf(end):
            return Probe(lr, stage, steps, np.array([start, start, 9 * start]), held_out)
        return Probe(lr, stage, steps, losses_to(end, steps, start), held_out)

    return make


@pytest.fixture
def search(probe):
    """Run a plan in a world where a rate and a number of steps lead to a loss."""

    def run(plan, world, chance=CHANCE, start=CHANCE):
        probes = []
        while (wave := plan.next_round(probes, Bounds(0.0, chance))) is not None:
            assert wave.values == tuple(sorted(wave.values))
            probes += [
                probe(lr, world(lr, wave.steps), wave.stage, wave.steps, start)
                for lr in wave.values
            ]
        return probes

    return run


def valley(best, width=1.0, cliff=0.6):
    """A world whose loss is lowest at a rate, and infinite so many decades above it."""

    def world(lr, steps):
        x = math.log10(lr / best)
        if x > cliff:
            return math.inf
        return CHANCE * min(1.0, 0.2 + 0.5 * (x / width) ** 2)

    return world
