"""Learning rates of their own for groups of layers, as multiples of the one that is scheduled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from keras import ops

from onecycle_cli.engine.steering.optimizers import core
from onecycle_cli.errors import OptimizerError, did_you_mean


class LayerRates:
    """Multiplies the learning rate of some variables, in the very optimizer of a compiled model.

    Decoupled weight decay, `w -= lr * weight_decay * w`, goes with the rate that is multiplied.

    Args:
        model: a model whose optimizer is built.
        factors: by pattern, see `by_variable`.

    Raises:
        OptimizerError: when a pattern does nothing.
    """

    def __init__(self, model: Any, factors: Mapping[str, float]) -> None:
        self.factors = dict(factors)
        self._optimizer = optimizer = core(model.optimizer)
        self._by_key = {
            optimizer._var_key(variable): factor
            for variable, factor in by_variable(model.trainable_variables, factors)
        }
        self._present = 1.0
        self._undo: list[Callable[[], None]] = []
        self._override("update_step", self._scaled_step(optimizer.update_step))
        self._override("_apply_weight_decay", self._in_groups(optimizer._apply_weight_decay))
        self._override("_get_current_learning_rate", self._rate(optimizer._learning_rate))
        if hasattr(optimizer, "_parallel_update_step"):  # PyTorch: all variables in one call
            whole = optimizer._parallel_update_step
            self._override("_parallel_update_step", self._parallel_step(whole))

    def release(self) -> None:
        """Give all variables the same learning rate again. Idempotent."""
        while self._undo:
            self._undo.pop()()

    def _factor(self, variable: Any) -> float:
        return self._by_key.get(self._optimizer._var_key(variable), 1.0)

    def _scaled_step(self, inner: Callable[..., Any]) -> Callable[..., Any]:
        def update_step(gradient: Any, variable: Any, learning_rate: Any) -> Any:
            return inner(gradient, variable, _times(learning_rate, self._factor(variable)))

        return update_step

    def _parallel_step(self, inner: Callable[..., Any]) -> Callable[..., Any]:
        def parallel_update_step(grads: Any, variables: Any, learning_rate: Any) -> None:
            product = getattr(self._optimizer, "_u_product", None)  # Nadam's, once a step
            before = None if product is None else ops.copy(product)
            for factor, rows in self._groups(variables).items():
                if product is not None:
                    product.assign(before)
                ours = [variables[i] for i in rows]
                inner([grads[i] for i in rows], ours, _times(learning_rate, factor))

        return parallel_update_step

    def _in_groups(self, inner: Callable[..., Any]) -> Callable[..., Any]:
        def apply_weight_decay(variables: Sequence[Any]) -> None:
            for factor, rows in self._groups(variables).items():
                self._present = factor
                try:
                    inner([variables[i] for i in rows])
                finally:
                    self._present = 1.0

        return apply_weight_decay

    def _rate(self, rate: Any) -> Callable[[], Any]:
        return lambda: _times(rate, self._present)

    def _groups(self, variables: Sequence[Any]) -> dict[float, list[int]]:
        groups: dict[float, list[int]] = {}
        for i, variable in enumerate(variables):
            groups.setdefault(self._factor(variable), []).append(i)
        return groups

    def _override(self, name: str, method: Callable[..., Any]) -> None:
        own = vars(self._optimizer)
        before = {name: own[name]} if name in own else {}
        own[name] = method
        self._undo += [lambda: own.update(before), lambda: own.pop(name)]


def by_variable(variables: Iterable[Any], factors: Mapping[str, float]) -> list[tuple[Any, float]]:
    """Return each variable that a pattern fits, with the factor of the first that does.

    A pattern is matched, `*` standing for anything, with the name of a layer or a variable, or with
    a path of them: `conv1`, `conv*`, `*_bn`, `block_2/*`, `conv1/bias`.

    Args:
        variables: trainable variables of a model.
        factors: what the learning rate is multiplied by, from 0, which freezes; by pattern.

    Raises:
        OptimizerError: when a pattern fits nothing, or nothing that an earlier one does not fit.
    """
    found: list[tuple[Any, float]] = []
    unused, names = dict.fromkeys(factors), dict[str, None]()
    for variable in variables:
        paths = _paths(variable.path)
        names |= dict.fromkeys(variable.path.split("/")[:-1])
        first = next((p for p in factors if any(fnmatchcase(path, p) for path in paths)), None)
        if first is not None:
            unused.pop(first, None)
            found.append((variable, factors[first]))
    for pattern in unused:
        if any(fnmatchcase(path, pattern) for v, _ in found for path in _paths(v.path)):
            raise OptimizerError(
                f"all that {pattern!r} fits is taken by patterns before it, and the "
                f"first one counts; put it before them."
            )
        raise OptimizerError(
            f"no trainable layer fits {pattern!r}{did_you_mean(pattern, [*names])}"
        )
    return found


def _paths(path: str) -> list[str]:
    """Return every stretch of a path: `a/b/c` has `a`, `a/b`, `a/b/c`, `b`, `b/c` and `c`."""
    parts = path.split("/")
    count = len(parts)
    return ["/".join(parts[i:j]) for i in range(count) for j in range(i + 1, count + 1)]


def _times(rate: Any, factor: float) -> Any:
    return rate if factor == 1 else ops.multiply(rate, factor)
