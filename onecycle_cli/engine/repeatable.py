"""Trainings that give the same bits each time."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Sequence
from typing import Any

from onecycle_cli.engine.backends.without_tensorflow import set_random_seed
from onecycle_cli.engine.start import silent_stderr, start_keras


def make_repeatable(seed: int, *, jit_compile: bool = False) -> None:
    """Seed everything, and have TensorFlow use operations that give the same bits each time.

    With `jit_compile` it may use any: Keras does not compile by XLA where TensorFlow promises that.
    """
    keras = start_keras()
    with silent_stderr():  # TensorFlow may write to it when it is first seeded
        set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        settings = importlib.import_module("tensorflow.python.framework.config")
        choose = settings.disable_op_determinism if jit_compile else settings.enable_op_determinism
        choose()
        _sum_in_order(settings)


def _sum_in_order(settings: Any) -> None:
    """Have TensorFlow add several tensors one after another, as they are given.

    Its operation for sums of any number, AddN, begins with the first tensor whose memory nobody
    else is reading any more: with three and more, rounding depends on which other operations are
    done by then. Gradients of a tensor that is used in three places are such sums, and so are
    chains of additions, which the optimizer of graphs ("arithmetic optimization") puts together.
    A sum of two has the same bits either way. See AddNOp in tensorflow/core/kernels.
    """
    settings.set_optimizer_experimental_options({"arithmetic_optimization": False})
    _replace_add_n()


@functools.cache
def _replace_add_n() -> None:
    operations: Any = importlib.import_module("tensorflow.python.ops.gen_math_ops")
    operations.add_n = _in_order(operations.add_n)


def _in_order(add_n: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(add_n)
    def add(inputs: Sequence[Any], name: str | None = None) -> Any:
        if len(inputs) < 3:
            return add_n(inputs, name)
        *earlier, last = inputs
        return add_n([functools.reduce(lambda total, x: add_n([total, x]), earlier), last], name)

    return add
