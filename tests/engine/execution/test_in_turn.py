"""Several steps in one execution, wherever a backend can run them; see also `test_one_cycle_lr`."""

import keras
import numpy as np
import pytest

from onecycle_cli.callbacks.recorded_cycle import RecordedCycle
from onecycle_cli.engine.instruments import INSTRUMENTS, Instruments
from onecycle_cli.engine.steering.names import LEARNING_RATE, MOMENTUM
from onecycle_cli.errors import TrainingError

pytestmark = pytest.mark.every_backend

MAX_LR, HIGH, LOW = 0.2, 0.9, 0.6
IN_TURN = keras.backend.backend() == "jax"
ONE_ONLY = keras.backend.backend() == "torch"


def sgd():
    return keras.optimizers.SGD(0.05, momentum=0.5, nesterov=True)


def trained(regression, steps, optimizer=None, **compiled):
    cycle = RecordedCycle(
        constants={"l2": 0.01}, max_lr=MAX_LR, maximum_momentum=HIGH, minimum_momentum=LOW
    )
    model = regression.model(optimizer or sgd(), steps_per_execution=steps, **compiled)
    regression.fit(model, [cycle])
    return model, cycle


@pytest.mark.samples(1)
@pytest.mark.skipif(ONE_ONLY, reason="PyTorch runs one step at a time")
@pytest.mark.parametrize("steps", [2, 7, 50])
def test_each_step_has_its_values_and_its_loss(regression, smith, steps):
    """Seven batches an epoch, the last of them smaller: executions are cut short by its end."""
    single, alone = trained(regression, 1)
    model, cycle = trained(regression, steps)
    reference = regression.reference("nesterov")
    reference.train(*smith(21, MAX_LR, HIGH, LOW), l2=np.full(21, 0.01))
    assert reference.error(model) < 1e-6
    np.testing.assert_allclose(cycle.log.losses, reference.losses, rtol=1e-5)
    assert cycle.log.losses == alone.log.losses
    for ours, theirs in zip(model.get_weights(), single.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.skipif(ONE_ONLY, reason="PyTorch runs one step at a time")
def test_an_epoch_ends_after_its_steps_where_the_data_go_on(regression):
    """Five steps an epoch of seven batches: the second one begins with the sixth."""

    def batches():
        while True:
            yield from regression.batches(7)

    def run(steps):
        model = regression.model(sgd(), steps_per_execution=steps)
        cycle = RecordedCycle(constants={}, max_lr=MAX_LR)
        model.fit(
            batches(), steps_per_epoch=5, epochs=2, shuffle=False, verbose=0, callbacks=[cycle]
        )
        return model.get_weights(), cycle.log.losses

    single, alone = run(1)
    weights, losses = run(3 if IN_TURN else 5)  # what TensorFlow is given has to end with them
    assert losses == alone
    for ours, theirs in zip(weights, single, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.samples(1)
@pytest.mark.skipif(ONE_ONLY, reason="PyTorch runs one step at a time")
@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.optimizers.Adam(0.01, gradient_accumulation_steps=3),
        lambda: keras.optimizers.LossScaleOptimizer(sgd(), initial_scale=2.0**10),
        lambda: keras.optimizers.SGD(0.05),  # its velocities are added
    ],
)
def test_of_optimizers_of_other_kinds(regression, make):
    weights = [trained(regression, steps, make())[0].get_weights() for steps in (1, 4)]
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.skipif(ONE_ONLY, reason="PyTorch runs one step at a time")
def test_a_step_of_the_models_own_has_its_loss_told(regression):
    class Twice(keras.Sequential):
        def compute_loss(self, *args, **kwargs):
            return 2 * super().compute_loss(*args, **kwargs)

    def losses(steps):
        dense = keras.layers.Dense(2)
        model = Twice([keras.Input((4,)), dense])
        model.set_weights(regression.weights)
        model.compile(sgd(), "mse", steps_per_execution=steps)
        cycle = RecordedCycle(constants={}, max_lr=0.1)
        regression.fit(model, [cycle])
        return cycle.log.losses

    assert losses(5) == losses(1)


class Watching(keras.callbacks.Callback):
    """Puts down how many steps were dispatched when the loss of one was read."""

    def __init__(self):
        super().__init__()
        self.dispatched, self.when_read = 0, []

    def on_train_begin(self, logs=None):
        execution = vars(self.model)[INSTRUMENTS]._execution
        step, watching = execution._step, self

        class Read(float):
            def __float__(self):
                watching.when_read.append(watching.dispatched)
                return super().__float__()

        def watched(*given):
            logs, state, loss = step(*given)
            self.dispatched += 1
            return logs, state, Read(loss)

        execution._step = watched


@pytest.mark.skipif(not IN_TURN, reason="elsewhere the steps are one program")
def test_no_loss_is_read_before_all_steps_of_an_execution_are_dispatched(regression):
    watching = Watching()
    cycle = RecordedCycle(constants={}, max_lr=0.1)
    model = regression.model(sgd(), steps_per_execution=7)
    regression.fit(model, [cycle, watching], epochs=2)
    assert watching.when_read == [7] * 7 + [14] * 7


class Loading(keras.callbacks.Callback):
    """Sets the learning rate of each step of an execution."""

    def __init__(self, instruments):
        super().__init__()
        self.instruments = instruments

    def on_train_batch_begin(self, batch, logs=None):
        rates = [{LEARNING_RATE: 0.1, MOMENTUM: 0.5}] * self.model.steps_per_execution
        self.instruments.load(rates)


@pytest.mark.skipif(not IN_TURN, reason="elsewhere each number of steps is traced anew")
def test_another_number_of_steps_is_not_compiled_anew(regression):
    model, owner, traced = regression.model(sgd()), object(), []
    step = model.train_step
    vars(model)["train_step"] = lambda *given: traced.append(1) or step(*given)
    instruments = Instruments.attach(model, [LEARNING_RATE, MOMENTUM], owner)
    for steps in (2, 7):
        instruments.execute(steps)
        regression.fit(model, [Loading(instruments)], epochs=1)
    assert len(traced) == 2  # a whole batch, and the last one of an epoch
    instruments.release(owner)


def test_afterwards_the_model_trains_as_a_stock_one(regression):
    steps = 1 if ONE_ONLY else 7
    model, _ = trained(regression, steps)
    held, expected = model.get_weights(), keras.models.clone_model(model)
    expected.set_weights(held)
    expected.compile(sgd(), "mse")
    for each in (model, expected):
        each.optimizer.learning_rate = 0.03
        for variable in each.optimizer.variables[2:]:  # the velocities
            variable.assign(np.zeros(variable.shape))
        regression.fit(each, epochs=1)
    for ours, theirs in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    assert float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)) == pytest.approx(0.03)


@pytest.mark.skipif(not ONE_ONLY, reason="the others run several")
def test_pytorch_refuses_them(regression):
    instruments = Instruments.attach(regression.model(sgd()), [LEARNING_RATE], owner=regression)
    with pytest.raises(TrainingError, match="steps_per_execution must be 1; got 4"):
        instruments.execute(4)
