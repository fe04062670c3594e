import random

import keras
import numpy as np
import pytest
from keras import ops

from onecycle_cli.engine.state.snapshot import Snapshot, reinitialise, reseed

every_backend = pytest.mark.every_backend


@pytest.mark.samples(1)
@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.SGD(0.1, momentum=0.9),
        lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.1)),
        lambda: keras.optimizers.SGD(0.1, use_ema=True, gradient_accumulation_steps=2),
    ],
    ids=["sgd", "loss-scale", "ema"],
)
def test_a_snapshot_brings_back_every_bit(noisy, state_of, optimizer):
    model = noisy.model(optimizer())
    noisy.fit(model, epochs=1)
    held, snapshot = state_of(model), Snapshot(model)
    metrics = [ops.convert_to_numpy(v).copy() for v in model.metrics_variables]
    for _ in range(2):
        noisy.fit(model, epochs=1)
        changed = [not np.array_equal(a, b) for a, b in zip(held, state_of(model), strict=True)]
        assert sum(changed) > 10
        snapshot.restore()
        for before, after in zip(held, state_of(model), strict=True):
            np.testing.assert_array_equal(after, before)
        for before, after in zip(metrics, model.metrics_variables, strict=True):
            np.testing.assert_array_equal(ops.convert_to_numpy(after), before)


@every_backend
def test_a_snapshot_holds_the_slots_of_an_optimizer_that_has_not_begun(regression, state_of):
    model = regression.model(keras.optimizers.SGD(0.1, momentum=0.9))
    snapshot = Snapshot(model)
    before = state_of(model)
    assert len(before) == 2 + 2 + 2
    regression.fit(model)
    snapshot.restore()
    for old, new in zip(before, state_of(model), strict=True):
        np.testing.assert_array_equal(new, old)


@every_backend
def test_a_snapshot_brings_back_the_random_generators(regression):
    keras.utils.set_random_seed(5)
    draws = [random.random, np.random.random, lambda: keras.random.uniform(()), *backend_draws()]
    for draw in draws:  # so that the global seed generator is there
        draw()
    snapshot = Snapshot(regression.model("sgd"))
    first = [float(draw()) for draw in draws]
    snapshot.restore()
    assert [float(draw()) for draw in draws] == first


@every_backend
def test_a_snapshot_remembers_that_there_was_no_global_seed_generator(regression):
    keras.utils.clear_session()
    keras.utils.set_random_seed(5)
    snapshot = Snapshot(regression.model("sgd"))
    first = float(keras.random.uniform(()))
    keras.random.uniform(())
    snapshot.restore()
    assert float(keras.random.uniform(())) == first


def backend_draws():
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.random.set_global_generator(tf.random.Generator.from_seed(5))
        return [lambda: tf.random.uniform(()), lambda: tf.random.get_global_generator().normal(())]
    if keras.backend.backend() == "torch":
        import torch

        return [lambda: torch.rand(())]
    return []


def test_reinitialise_gives_the_state_of_a_twin(noisy):
    def fresh(seed):
        keras.utils.set_random_seed(seed)
        return noisy.model(keras.optimizers.SGD(0.1))

    model, twin = fresh(0), fresh(1)
    noisy.fit(model)
    reinitialise(model, twin)
    for mine, theirs in zip(model.variables, twin.variables, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    x = noisy.x[:8]
    np.testing.assert_array_equal(model(x, training=True), twin(x, training=True))


@every_backend
def test_a_seed_keeps_the_global_generator_that_traced_steps_hold():
    """Keras would make another one, and steps that are traced would go on with the old one."""
    kept = reseed(2**31 + 5)
    draw = traced(lambda: keras.random.normal((3,)))
    first = [np.array(draw()) for _ in range(2)]
    reseed(4)
    other = np.array(draw())
    keras.utils.set_random_seed(1)
    reseed(2**31 + 5, keeping=kept)
    again = [np.array(draw()) for _ in range(2)]
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(other, first[0])


def traced(function):
    """Have a function traced once, where the backend does so."""
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    return tf.function(function)
