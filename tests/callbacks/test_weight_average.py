import keras
import numpy as np
import pytest

from onecycle_cli.callbacks.weight_average import WeightAverage

X = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
Y = np.random.default_rng(1).integers(0, 2, 40)


def built(learning_rate=0.3):
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4),
            keras.layers.BatchNormalization(momentum=0.6),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.SGD(learning_rate), "sparse_categorical_crossentropy")
    return model


class Diary(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.weights = []

    def on_train_batch_end(self, batch, logs=None):
        self.weights.append(self.model.get_weights())


def fit(model, callbacks, epochs=3):
    model.fit(X, Y, batch_size=4, epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks)


def by_hand(weights, start, decay, every):
    average = start
    for step in range(every, len(weights) + 1, every):
        keep = min(decay, (1 + step) / (10 + step)) ** every
        now = weights[step - 1]
        average = [keep * a + (1 - keep) * w for a, w in zip(average, now, strict=True)]
    return average


@pytest.mark.samples(1)
@pytest.mark.parametrize(("decay", "every"), [(0.9, 1), (0.9, 4), (0.3, 5)])
def test_it_is_the_average_of_what_was_trained(decay, every):
    model = built()
    start = model.get_weights()
    average, diary = WeightAverage(model, decay, every=every), Diary()
    fit(model, [average, diary])
    assert len(diary.weights) == 30
    with average.in_force():
        found = model.get_weights()
    expected = by_hand(diary.weights, start, decay, every)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-6)
    assert not np.allclose(found[0], diary.weights[-1][0], rtol=1e-3)


def test_training_goes_on_from_its_own_weights():
    with_average, without = built(), built()
    average = WeightAverage(with_average, 0.9)
    fit(with_average, [average], epochs=1)
    with average.in_force():
        with_average.predict(X, verbose=0)
    fit(with_average, [average], epochs=1)
    fit(without, [], epochs=1)
    fit(without, [], epochs=1)
    for ours, theirs in zip(with_average.get_weights(), without.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_weights_come_back_after_an_error_too():
    model = built()
    average = WeightAverage(model, 0.9)
    fit(model, [average])
    before = model.get_weights()
    with pytest.raises(KeyboardInterrupt), average.in_force():
        assert not np.array_equal(model.get_weights()[0], before[0])
        raise KeyboardInterrupt
    for ours, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_initial_weights_do_not_dominate_a_short_training():
    model = built(learning_rate=0.0)
    average = WeightAverage(model, 0.999)
    model.layers[0].kernel.assign(np.full((3, 4), 100.0))  # as far away as can be, at once
    fit(model, [average])
    with average.in_force():
        np.testing.assert_allclose(model.get_weights()[0], 100.0, rtol=1e-3)


def test_its_variables_are_all_that_is_needed_to_go_on():
    whole, broken, taken_up = built(), built(), built()
    at_once = WeightAverage(whole, 0.9)
    fit(whole, [at_once], epochs=3)

    before = WeightAverage(broken, 0.9)
    fit(broken, [before], epochs=1)
    taken_up.set_weights(broken.get_weights())
    after = WeightAverage(taken_up, 0.9)
    for ours, theirs in zip(after.variables, before.variables, strict=True):
        ours.assign(theirs)
    fit(taken_up, [after], epochs=2)
    for ours, theirs in zip(at_once.variables, after.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


@pytest.mark.every_backend
def test_it_can_be_judged_after_each_epoch_of_a_training():
    """Evaluation on JAX uses up the arrays that it is given, which must not be the average's."""
    model = built()
    average = WeightAverage(model, 0.9, every=2)
    taken = []

    class Judge(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            with average.in_force():
                self.model.evaluate(X, Y, verbose=0)
                taken.append(self.model.get_weights())

    fit(model, [average, Judge()])
    assert len(taken) == 3
    with average.in_force():
        for ours, theirs in zip(model.get_weights(), taken[-1], strict=True):
            np.testing.assert_array_equal(ours, theirs)
