"""A cycle that is taken up in Keras' own ways goes on where it was broken off."""

import json

import keras
import numpy as np
import pytest

from onecycle_cli import LRFinder, OneCycleLR

every_backend = pytest.mark.every_backend

MAX_LR, EPOCHS, BROKEN = 0.08, 5, 2


def one_cycle(**more):
    return OneCycleLR(max_lr=MAX_LR, **{"verbose": False} | more)


def sgd():
    return keras.optimizers.SGD(0.05, momentum=0.5)


class Stop(keras.callbacks.Callback):
    """Ends the training after an epoch."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = epoch + 1 == BROKEN


class Crash(keras.callbacks.Callback):
    """Breaks the training off within an epoch."""

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == BROKEN and batch == 3:
            raise RuntimeError

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch


def uninterrupted(regression, smith, rule="sgd"):
    lrs, momenta = smith(7 * EPOCHS, MAX_LR)
    return regression.reference(rule).train(lrs, momenta), lrs, momenta


@every_backend
def test_at_an_initial_epoch_the_cycle_goes_on(regression, smith):
    expected, lrs, momenta = uninterrupted(regression, smith)
    model = regression.model(sgd())
    regression.fit(model, [one_cycle(), Stop()], epochs=EPOCHS)
    callback = one_cycle(num_epoch=EPOCHS, num_samples=50, batch_size=8)
    history = regression.fit(model, [callback], initial_epoch=BROKEN, epochs=EPOCHS).history
    np.testing.assert_allclose(callback.history["lr"], lrs[7 * BROKEN :], rtol=1e-12)
    np.testing.assert_allclose(callback.history["momentum"], momenta[7 * BROKEN :], rtol=1e-12)
    np.testing.assert_allclose(history["learning_rate"], lrs[7 * BROKEN + 6 :: 7], rtol=1e-12)
    assert callback.step == 7 * EPOCHS
    assert expected.error(model) < 1e-6


OPTIMIZERS = {
    "sgd": ("sgd", sgd),
    "momentum from zero": ("sgd", lambda: keras.optimizers.SGD(0.05)),
    "rmsprop": ("rmsprop", lambda: keras.optimizers.RMSprop(0.05)),
    "nadam": ("nadam", lambda: keras.optimizers.Nadam(0.05)),
    "loss scale": ("sgd", lambda: keras.optimizers.LossScaleOptimizer(sgd())),
}


@pytest.mark.samples(1)
@pytest.mark.parametrize(
    ("optimizer", "from_epoch_file"),
    [*((optimizer, True) for optimizer in OPTIMIZERS), ("sgd", False), ("nadam", False)],
)
def test_from_a_saved_model(regression, smith, tmp_path, optimizer, from_epoch_file):
    rule, make = OPTIMIZERS[optimizer]
    expected, _, _ = uninterrupted(regression, smith, rule)
    path, model = tmp_path / "model.keras", regression.model(make())
    saved = keras.callbacks.ModelCheckpoint(path)
    if from_epoch_file:
        with pytest.raises(RuntimeError):
            regression.fit(model, [one_cycle(), saved, Crash()], epochs=EPOCHS)
    else:
        regression.fit(model, [one_cycle(), Stop()], epochs=EPOCHS)
        model.save(path)
    model = keras.saving.load_model(path)
    regression.fit(model, [one_cycle()], initial_epoch=BROKEN, epochs=EPOCHS)
    assert expected.error(model) < 1e-5


@pytest.mark.samples(1)
@pytest.mark.parametrize(
    "optimizer",
    [
        pytest.param("sgd", marks=every_backend),
        pytest.param("momentum from zero", marks=every_backend),
        "rmsprop",
        "nadam",
        "loss scale",
    ],
)
def test_by_backup_and_restore(regression, smith, tmp_path, optimizer):
    rule, make = OPTIMIZERS[optimizer]
    expected, lrs, _ = uninterrupted(regression, smith, rule)

    def callbacks():
        return [one_cycle(), keras.callbacks.BackupAndRestore(str(tmp_path))]

    with pytest.raises(RuntimeError):
        regression.fit(regression.model(make()), [*callbacks(), Crash()], epochs=EPOCHS)
    model, again = regression.model(make()), callbacks()
    regression.fit(model, again, epochs=EPOCHS)
    np.testing.assert_allclose(again[0].history["lr"], lrs[7 * BROKEN :], rtol=1e-12)
    assert expected.error(model) < 1e-5


@every_backend
@pytest.mark.parametrize("breaking", [Stop, Crash])
def test_velocities_that_only_the_cycle_needs_go_on(regression, smith, breaking):
    expected, lrs, momenta = uninterrupted(regression, smith)
    model = regression.model(keras.optimizers.SGD(0.05))
    if breaking is Stop:
        regression.fit(model, [one_cycle(), Stop()], epochs=EPOCHS)
        first = 7 * BROKEN
    else:
        with pytest.raises(RuntimeError):
            regression.fit(model, [one_cycle(), Crash()], epochs=EPOCHS)
        first = 7 * BROKEN + 4
        expected = regression.reference("sgd").train(lrs[:first], momenta[:first])
        expected.train(lrs[7 * BROKEN :], momenta[7 * BROKEN :])
    regression.fit(model, [one_cycle()], initial_epoch=BROKEN, epochs=EPOCHS)
    assert expected.error(model) < 1e-6
    assert len(model.optimizer.variables) == 2


def test_velocities_that_are_lost_are_said_to_be(regression, tmp_path):
    model = regression.model(keras.optimizers.SGD(0.05))
    regression.fit(model, [one_cycle(), Stop()], epochs=EPOCHS)
    model.save(tmp_path / "model.keras")
    model = keras.saving.load_model(tmp_path / "model.keras")
    with pytest.warns(UserWarning, match=r"without the velocities .* Compile with a momentum abov"):
        regression.fit(model, [one_cycle()], initial_epoch=BROKEN, epochs=EPOCHS)


def test_a_new_cycle_begins_with_new_velocities(regression, smith):
    model = regression.model(keras.optimizers.SGD(0.05))
    regression.fit(model, [one_cycle()], epochs=1)
    regression.fit(model, [one_cycle()], epochs=1)
    lrs, momenta = smith(7, MAX_LR)
    expected = regression.reference("sgd").train(lrs, momenta)
    expected.slots = [{}, {}]
    assert expected.train(lrs, momenta).error(model) < 1e-6


def test_by_backup_and_restore_before_the_cycle_in_the_list(regression, smith, tmp_path):
    expected, _, _ = uninterrupted(regression, smith)
    for breaking in ([Crash()], []):
        model = regression.model(sgd())
        callbacks = [keras.callbacks.BackupAndRestore(str(tmp_path)), one_cycle(), *breaking]
        try:
            regression.fit(model, callbacks, epochs=EPOCHS)
        except RuntimeError:
            continue
    assert expected.error(model) < 1e-6


@every_backend
def test_within_an_epoch_by_the_state_of_the_callback(regression, smith, each_batch):
    def stop(callback, step):
        callback.model.stop_training = step == 15

    expected, lrs, _ = uninterrupted(regression, smith)
    model, callback = regression.model(sgd()), one_cycle()
    regression.fit(model, [callback, each_batch(end=stop)], epochs=EPOCHS)
    state = json.loads(json.dumps(callback.get_state()))
    assert state == {"step": 16, "num_steps": 35}

    callback = one_cycle()
    callback.set_state(state)
    rest = (batch for i, batch in enumerate(regression.batches(35)) if i >= 16)
    model.fit(rest, steps_per_epoch=19, shuffle=False, verbose=0, callbacks=[callback])
    np.testing.assert_allclose(callback.history["lr"], lrs[16:], rtol=1e-12)
    assert expected.error(model) < 1e-6
    regression.fit(model, [callback], epochs=1)
    assert callback.get_state() == {"step": 7, "num_steps": 7}  # the next fit is a new cycle


another_rate = pytest.mark.filterwarnings("ignore:the optimizer comes with the learning rate")


@pytest.mark.parametrize("rate", [0.05, 0.03])
def test_an_optimizer_that_no_such_cycle_has_left_is_said(regression, smith, rate):
    model = regression.model(keras.optimizers.SGD(rate, momentum=0.5))
    regression.fit(model, epochs=BROKEN)
    callback = one_cycle()
    with pytest.warns(
        UserWarning, match=rf"rate {rate}, .* after step 14 of 35 .* without initial"
    ):
        regression.fit(model, [callback], initial_epoch=BROKEN, epochs=EPOCHS)
    lrs, _ = smith(7 * EPOCHS, MAX_LR)
    np.testing.assert_allclose(callback.history["lr"], lrs[7 * BROKEN :], rtol=1e-12)


def test_another_cycle_is_said_too(regression):
    """Half as long, it has the rates of every second step of this one."""
    model = regression.model(sgd())
    regression.fit(model, [one_cycle()], epochs=BROKEN)
    with pytest.warns(UserWarning, match="which this cycle does not have here"):
        regression.fit(model, [one_cycle()], initial_epoch=BROKEN, epochs=2 * BROKEN)


@another_rate
def test_a_state_of_another_length_than_fit_is_said(regression):
    callback = one_cycle()
    callback.set_state({"step": 16, "num_steps": 35})
    with pytest.warns(UserWarning, match=r"has 19 steps to go, but fit runs 14; .* max_lr / 1000"):
        regression.fit(regression.model(sgd()), [callback], epochs=2)
    assert callback.step == 30


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"step": 3},
        {"step": 8, "num_steps": 7},
        {"step": -1, "num_steps": 7},
        {"step": 0.5, "num_steps": 7},
        {"step": True, "num_steps": 7},
        None,
    ],
)
def test_a_state_that_is_none_is_refused(state):
    with pytest.raises(ValueError, match="a state is what get_state returns"):
        one_cycle().set_state(state)


def test_a_state_before_the_first_fit_starts_a_cycle(regression, smith):
    callback = one_cycle()
    callback.set_state(callback.get_state())
    regression.fit(regression.model(sgd()), [callback])
    np.testing.assert_allclose(callback.history["lr"], smith(21, MAX_LR)[0], rtol=1e-12)


def test_several_steps_in_one_execution_go_on_too(regression, smith):
    expected, _, _ = uninterrupted(regression, smith)
    model = regression.model(sgd(), steps_per_execution=3)
    regression.fit(model, [one_cycle(), Stop()], epochs=EPOCHS)
    regression.fit(model, [one_cycle()], initial_epoch=BROKEN, epochs=EPOCHS)
    assert expected.error(model) < 1e-6


@another_rate
def test_it_says_where_it_goes_on(regression, capsys):
    model = regression.model(sgd())
    callback = OneCycleLR(max_lr=MAX_LR)
    model.fit(
        regression.x,
        regression.y,
        batch_size=8,
        initial_epoch=BROKEN,
        epochs=EPOCHS,
        verbose=2,
        callbacks=[callback],
    )
    assert "OneCycleLR: going on after step 14 of 35" in capsys.readouterr().out


@every_backend
def test_a_range_test_starts_at_its_beginning(regression):
    finder = LRFinder(min_lr=1e-3, max_lr=0.1, verbose=False)
    regression.fit(regression.model(sgd()), [finder], initial_epoch=3, epochs=4)
    np.testing.assert_allclose(finder.lrs, np.geomspace(1e-3, 0.1, 7), rtol=1e-12)
