"""What is known of an optimizer beforehand: which learning rates are usual with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """Optimizers that take learning rates of about the same size.

    Attributes:
        first: the learning rate that a search starts around.
        shift: decades that the best rate of a whole training lies above that of one a few times
            shorter. Measured for SGD and Adam, as benchmarks/suggestions/README.md says.
    """

    first: float
    shift: float


_SGD = Family(first=0.1, shift=0.1)
_ADAPTIVE = Family(first=0.018, shift=-0.1)
_SIGN = Family(first=0.0018, shift=-0.1)
_FAMILIES = {
    "SGD": _SGD,
    "Ftrl": _SGD,
    "Adagrad": _SGD,
    "Adadelta": Family(first=1.0, shift=0.1),
    "Lion": _SIGN,
    "Muon": _ADAPTIVE,
}


def family_of(class_names: Iterable[str], *, adapts: bool) -> Family:
    """Return what is known of an optimizer.

    Args:
        class_names: of its class and those that it inherits from, the nearest first.
        adapts: whether it divides each step by the size of the gradients, as Adam and RMSprop do;
            decides for classes that are not known.
    """
    known = (_FAMILIES[name] for name in class_names if name in _FAMILIES)
    return next(known, _ADAPTIVE if adapts else _SGD)
