"""Range tests and races whose answers are known, drawn by formulas."""

import numpy as np
import pytest

from onecycle_cli import suggest


@pytest.fixture(scope="session")
def drawn():
    """Draw a range test: flat at first, falling at `drop`, blowing up from `blow_up`."""
    return draw


def draw(
    seed, *, n=100, noise=0.1, drop=1e-2, blow_up=1.0, start=2.3, low=0.4, lrs=None, stop_factor=4.0
):
    """A range test: flat at `start`, falling at `drop`, growing by 35 % a step from `blow_up`."""
    lrs = np.geomspace(1e-5, 10, n) if lrs is None else lrs
    losses = low + (start - low) / (1 + (lrs / drop) ** 2)
    beyond = np.clip(np.arange(len(lrs)) - np.searchsorted(lrs, blow_up), 0, 100)
    losses = (losses + low * np.expm1(0.3 * beyond)) * np.exp(
        noise * np.random.default_rng(seed).normal(size=len(lrs))
    )
    if stop_factor is None:
        return lrs, losses
    means = np.convolve(losses, np.ones(5) / 5, "valid")
    over = np.flatnonzero(means > stop_factor * np.minimum.accumulate(means))
    end = over[0] + 5 if over.size else len(lrs)
    return lrs[:end], losses[:end]


@pytest.fixture(scope="session")
def flat():
    """Draw a range test of nothing but noise."""
    return draw_noise


def draw_noise(seed, n=100, noise=0.15):
    return np.geomspace(1e-5, 10, n), 2.3 + noise * np.random.default_rng(seed).normal(size=n)


@pytest.fixture(scope="session")
def falling():
    """Draw a range test whose loss falls, and does not rise again."""
    return draw_fall


def draw_fall(seed, n=100):
    lrs = np.geomspace(1e-5, 10, 100)
    return lrs[:n], draw(seed, lrs=lrs, blow_up=1e9, drop=1e-3)[1][:n]


@pytest.fixture(scope="session")
def smoothed():
    """Smooth a curve as the rules do: medians of three, then the kernel."""
    return smooth


def smooth(lrs, losses, bandwidth=0.35):
    neighbours = [np.r_[losses[2], losses[:-1]], losses, np.r_[losses[1:], losses[-1]]]
    return suggest.smooth(lrs, np.median(neighbours, axis=0), bandwidth)


@pytest.fixture(scope="session")
def runs():
    """Draw the losses of a candidate's replicates around a mean."""
    return draw_runs


def draw_runs(mean, *, count=2, n=60, noise=0.1, seed=0):
    """Replicates that share their batches: the same noise for every candidate, and some its own."""
    shared = np.random.default_rng(seed).normal(size=(count, n))
    own = np.random.default_rng([seed, int(mean * 1e6)]).normal(size=(count, n))
    return list(mean + noise * shared + 0.2 * noise * (own - own.mean()))


@pytest.fixture(scope="session")
def diverged():
    """The losses of two replicates that diverged."""
    return [np.full(60, np.inf)] * 2
