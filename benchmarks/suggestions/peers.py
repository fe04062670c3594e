"""The suggestion rules of other tools, each from raw batch losses, with its own smoothing and stop.

Formulas from the sources: fastai `callback/schedule.py` and `callback/tracker.py`, Lightning
`tuner/lr_finder.py` before and after 2.5.3, pytorch-lr-finder `lr_finder.py`, keras-one-cycle
`clr.py`. Each takes learning rates and raw losses up to the first that is not finite, and returns
a learning rate, or `None` where the tool gives none.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def fastai(lrs: Array, losses: Array) -> tuple[Array, Array]:
    """Return what fastai's rules see: bias-corrected average .98, stopped at 4 times its best."""
    smoothed = averaged(losses, 0.98)
    end = stopped(smoothed, 4.0)
    skipped = len(losses) // 10
    return lrs[skipped : max(end - 5, 0)], smoothed[skipped : max(end - 5, 0)]


def valley(lrs: Array, losses: Array) -> float | None:
    x, y = fastai(lrs, losses)
    if len(y) < 2:
        return None
    lengths = np.ones(len(y), int)
    for i in range(1, len(y)):
        lengths[i] = max((lengths[j] + 1 for j in range(i) if y[i] < y[j]), default=1)
    end = int(lengths.argmax())
    begin = end - int(lengths[end])
    third = (end - begin) / 3
    return float(x[begin + int(third) + int(third / 2)])


def slide(lrs: Array, losses: Array) -> float | None:
    x, y = fastai(lrs, losses)
    if len(y) < 16:
        return None
    slope = np.gradient(y)
    right, left, found = -1, -16, x[-1]
    while left >= -len(y) and abs(slope[right] - slope[left]) > 0.005:
        found = x[left]
        right, left = right - 1, left - 1
    return float(found)


def steep(lrs: Array, losses: Array) -> float | None:
    x, y = fastai(lrs, losses)
    return float(x[np.argmin(np.diff(y) / np.diff(np.log(x)))]) if len(y) > 1 else None


def minimum(lrs: Array, losses: Array) -> float | None:
    x, y = fastai(lrs, losses)
    return float(x[y.argmin()] / 10) if len(y) else None


def lightning(lrs: Array, losses: Array) -> tuple[Array, Array]:
    """Return what Lightning's rule sees: its bias correction is one step ahead."""
    smoothed = averaged(losses, 0.98, ahead=1)
    end = stopped(smoothed, 4.0)
    return lrs[10 : end - 1], smoothed[10 : end - 1]


def lightning_old(lrs: Array, losses: Array) -> float | None:
    x, y = lightning(lrs, losses)
    return float(x[np.argmin(np.gradient(y))]) if len(y) > 1 else None


def lightning_new(lrs: Array, losses: Array) -> float | None:
    x, y = lightning(lrs, losses)
    return float(x[np.argmin(np.gradient(y, x))]) if len(y) > 1 else None


def torch_lr_finder(lrs: Array, losses: Array) -> float | None:
    smoothed = np.array(losses, float)
    for i in range(1, len(smoothed)):
        smoothed[i] = 0.05 * losses[i] + 0.95 * smoothed[i - 1]
    end = stopped(smoothed, 5.0)
    x, y = lrs[10 : end - 5], smoothed[10 : end - 5]
    return float(x[np.argmin(np.gradient(y))]) if len(y) > 1 else None


def keras_one_cycle(lrs: Array, losses: Array) -> float | None:
    """Return a tenth of the rate at the lowest loss that keras-one-cycle records.

    It leaves the choice to the eye; a tenth of the minimum is the usual advice. Its average does
    not average, its bias correction makes the first losses up to fifty times too large, and past 4
    times the best it records no more.
    """
    recorded = losses / (1 - 0.98 ** np.arange(1, len(losses) + 1))
    end = stopped(recorded, 4.0)
    return float(lrs[recorded[:end].argmin()] / 10) if end else None


def averaged(losses: Array, beta: float, ahead: int = 0) -> Array:
    """Return the exponential average, divided by 1 - beta ** (count + ahead)."""
    averages, average = [], 0.0
    for count, loss in enumerate(losses, start=1):
        average = beta * average + (1 - beta) * loss
        averages.append(average / (1 - beta ** (count + ahead)))
    return np.array(averages)


def stopped(losses: Array, factor: float) -> int:
    """Return how many losses there are before one exceeds `factor` times the best before it."""
    if not len(losses):
        return 0
    best = np.minimum.accumulate(losses)
    above = np.flatnonzero(losses > factor * best)
    return int(above[0]) if above.size else len(losses)


RULES = {
    "fastai valley": ("fastai", valley),
    "fastai slide": ("fastai", slide),
    "fastai steep": ("fastai", steep),
    "fastai minimum": ("fastai", minimum),
    "Lightning < 2.5.3": ("lightning", lightning_old),
    "Lightning >= 2.5.3": ("lightning", lightning_new),
    "pytorch-lr-finder": ("fastai", torch_lr_finder),
    "keras-one-cycle": ("onecycle", keras_one_cycle),
}
"""By name: which range the tool sweeps, and its rule."""
