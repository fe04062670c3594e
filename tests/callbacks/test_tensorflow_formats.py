"""TensorFlow's own formats hold a model that a callback has steered as if it had never been."""

import keras
import numpy as np
import pytest

from onecycle_cli import LRFinder, OneCycleLR

OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.05, momentum=0.5),
    "momentum from zero": lambda: keras.optimizers.SGD(0.05),
    "adam": lambda: keras.optimizers.Adam(0.05),
    "centered": lambda: keras.optimizers.RMSprop(0.05, centered=True),
    "loss scale": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.05)),
}


def cycled(regression, model):
    regression.fit(model, [OneCycleLR(max_lr=0.1, verbose=False)], epochs=1)


def range_tested(regression, model):
    regression.fit(model, [LRFinder(num_steps=5, verbose=False)], epochs=1)


def broken_off(regression, model):
    def fail(batch, logs):
        raise RuntimeError

    callback = OneCycleLR(max_lr=0.1, verbose=False)
    breaking = keras.callbacks.LambdaCallback(on_train_batch_end=fail)
    with pytest.raises(RuntimeError):
        regression.fit(model, [callback, breaking])
    callback.release()


def both(regression, model):
    cycled(regression, model)
    range_tested(regression, model)
    regression.fit(model, epochs=1)


CASES = [
    *((optimizer, cycled) for optimizer in OPTIMIZERS),
    *(("momentum from zero", case) for case in (range_tested, broken_off, both)),
]


@pytest.mark.samples(1)
@pytest.mark.parametrize(("optimizer", "train"), CASES)
def test_every_format_can_be_written_and_read(regression, state_of, tmp_path, optimizer, train):
    import tensorflow as tf

    model = regression.model(OPTIMIZERS[optimizer]())
    train(regression, model)

    checkpoint = tf.train.Checkpoint(model=model, optimizer=model.optimizer)
    path = checkpoint.save(str(tmp_path / "checkpoint"))
    other = regression.model(OPTIMIZERS[optimizer]())
    other.optimizer.build(other.trainable_variables)
    restored = tf.train.Checkpoint(model=other, optimizer=other.optimizer)
    restored.restore(path).assert_existing_objects_matched()
    for ours, theirs in zip(state_of(other), state_of(model), strict=True):
        np.testing.assert_array_equal(ours, theirs)

    outputs = model(regression.x).numpy()
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        keras.saving.load_model(tmp_path / "model.keras")(regression.x), outputs
    )
    model.export(tmp_path / "exported", verbose=False)
    exported = tf.saved_model.load(str(tmp_path / "exported"))
    np.testing.assert_allclose(exported.serve(regression.x), outputs, rtol=1e-6)
    tf.saved_model.save(model, str(tmp_path / "saved"))
    saved = tf.saved_model.load(str(tmp_path / "saved"))
    served = saved.signatures["serving_default"](tf.constant(regression.x))
    np.testing.assert_allclose(served["output_0"], outputs, rtol=1e-6)


def test_a_checkpoint_in_the_middle_of_a_cycle_fits_a_stock_model(
    regression, each_batch, state_of, tmp_path
):
    import tensorflow as tf

    model = regression.model(keras.optimizers.RMSprop(0.05, momentum=0.5, centered=True))
    held = []

    def write(_, step):
        if step == 4:
            checkpoint = tf.train.Checkpoint(model=model, optimizer=model.optimizer)
            held.append(checkpoint.save(str(tmp_path / "middle")))
            held.append(model.get_weights())
            held.append(model.optimizer._average_gradients[0].numpy())

    regression.fit(model, [OneCycleLR(max_lr=0.1, verbose=False), each_batch(end=write)])
    path, weights, averages = held
    other = regression.model(keras.optimizers.RMSprop(0.05, momentum=0.5, centered=True))
    other.optimizer.build(other.trainable_variables)
    restored = tf.train.Checkpoint(model=other, optimizer=other.optimizer)
    restored.restore(path).assert_existing_objects_matched()
    for ours, theirs in zip(other.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(other.optimizer._average_gradients[0], averages)
    assert int(other.optimizer.iterations) == 5
