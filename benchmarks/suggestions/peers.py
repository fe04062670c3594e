"""The suggestion rules of other tools, each from raw batch losses, with its own smoothing and stop.

Formulas from the sources: fastai 2.8 `callback/schedule.py` and `learner.py`, Lightning
`tuner/lr_finder.py` before and after 2.5.3, pytorch-lr-finder 0.2 `lr_finder.py`, keras-one-cycle
`clr.py`. Each takes the learning rates and raw losses of a whole sweep, NaN from where the training
broke off, as a tool would see them that does not stop there, and returns a learning rate, or `None`
where the tool gives none. All but keras-one-cycle record the loss that makes them stop, before they
leave out points at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Array = np.ndarray


def fastai_average(losses: Array) -> Array:
    return averaged(losses, 0.98)


def lightning_average(losses: Array) -> Array:
    return averaged(losses, 0.98, ahead=1)  # its bias correction is one step ahead


def torch_lr_finder_average(losses: Array) -> Array:
    smoothed = np.array(losses, float)
    for i in range(1, len(smoothed)):
        smoothed[i] = 0.05 * losses[i] + 0.95 * smoothed[i - 1]
    return smoothed


def fastai(lrs: Array, losses: Array) -> tuple[Array, Array]:
    """Return what fastai's rules see: bias-corrected average .98, stopped at 4 times its best.

    Without a tenth of the planned steps at the beginning and 5 points at the end, and then without
    those from the first NaN on.
    """
    smoothed = fastai_average(losses)
    seen = slice(len(losses) // 10, recorded(smoothed, 4.0) - 5)
    x, y = lrs[seen], smoothed[seen]
    known = int(np.append(~np.isnan(y), False).argmin())
    return x[:known], y[:known]


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
    with np.errstate(invalid="ignore"):  # an infinite loss has no slope
        slope = np.gradient(y)
        right, left = -1, -16
        found = x[left]
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
    """Return what Lightning's rule sees.

    Without 10 points at the beginning, one at the end, and those that are not finite.
    """
    smoothed = lightning_average(losses)
    seen = slice(10, recorded(smoothed, 4.0) - 1)
    x, y = lrs[seen], smoothed[seen]
    return x[np.isfinite(y)], y[np.isfinite(y)]


def lightning_old(lrs: Array, losses: Array) -> float | None:
    x, y = lightning(lrs, losses)
    return float(x[np.argmin(np.gradient(y))]) if len(y) > 1 else None


def lightning_new(lrs: Array, losses: Array) -> float | None:
    x, y = lightning(lrs, losses)
    return float(x[np.argmin(np.gradient(y, x))]) if len(y) > 1 else None


def torch_lr_finder(lrs: Array, losses: Array) -> float | None:
    """Return the steepest point of an average of .95; where that is NaN, the first such point."""
    smoothed = torch_lr_finder_average(losses)
    seen = slice(10, recorded(smoothed, 5.0) - 5)
    x, y = lrs[seen], smoothed[seen]
    with np.errstate(invalid="ignore"):
        return float(x[np.argmin(np.gradient(y))]) if len(y) > 1 else None


def keras_one_cycle(lrs: Array, losses: Array) -> float | None:
    """Return a tenth of the rate at the lowest loss that keras-one-cycle records.

    It leaves the choice to the eye; a tenth of the minimum is the usual advice. Its average does
    not average, and its bias correction makes the first losses up to fifty times too large. It
    never stops: a batch above 4 times the best so far is left out and does not raise the rate, so
    that the next batch is recorded at its rate.
    """
    shown = losses / (1 - 0.98 ** np.arange(1, len(losses) + 1))
    best, kept = np.inf, []
    for loss in shown:
        if loss > 4 * best:
            continue
        kept.append(loss if np.isfinite(loss) else np.inf)
        best = min(best, kept[-1])
    return float(lrs[int(np.argmin(kept))] / 10) if np.isfinite(best) else None


def averaged(losses: Array, beta: float, ahead: int = 0) -> Array:
    """Return the exponential average, divided by 1 - beta ** (count + ahead)."""
    averages, average = [], 0.0
    for count, loss in enumerate(losses, start=1):
        average = beta * average + (1 - beta) * loss
        averages.append(average / (1 - beta ** (count + ahead)))
    return np.array(averages)


def recorded(losses: Array, factor: float) -> int:
    """Return how many losses there are up to, and with, the first above `factor` times the best."""
    best = np.fmin.accumulate(losses)
    above = np.flatnonzero(losses > factor * best)
    return int(above[0]) + 1 if above.size else len(losses)


@dataclass(frozen=True)
class Peer:
    """A rule of another tool.

    Attributes:
        range: which range the tool sweeps.
        rule: from learning rates and raw losses to a learning rate, or `None`.
        average: what its stop rule looks at.
        factor: it stops above so many times the best of that; `None`: never.
    """

    range: str
    rule: Callable[[Array, Array], float | None]
    average: Callable[[Array], Array]
    factor: float | None

    def steps(self, losses: Array) -> int:
        """Return how many steps the tool takes."""
        return len(losses) if self.factor is None else recorded(self.average(losses), self.factor)


RULES = {
    "fastai valley": Peer("fastai", valley, fastai_average, 4.0),
    "fastai slide": Peer("fastai", slide, fastai_average, 4.0),
    "fastai steep": Peer("fastai", steep, fastai_average, 4.0),
    "fastai minimum": Peer("fastai", minimum, fastai_average, 4.0),
    "Lightning < 2.5.3": Peer("lightning", lightning_old, lightning_average, 4.0),
    "Lightning >= 2.5.3": Peer("lightning", lightning_new, lightning_average, 4.0),
    "pytorch-lr-finder": Peer("fastai", torch_lr_finder, torch_lr_finder_average, 5.0),
    "keras-one-cycle": Peer("onecycle", keras_one_cycle, np.asarray, None),
}
"""By name."""
