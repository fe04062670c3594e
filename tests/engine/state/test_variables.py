import keras
import numpy as np
import pytest
from keras import ops

from onecycle_cli import LRFinder
from onecycle_cli.engine.state.snapshot import Snapshot
from onecycle_cli.engine.state.variables import read, variables_of

every_backend = pytest.mark.every_backend
backend = keras.backend.backend()
on_tensorflow = pytest.mark.skipif(backend != "tensorflow", reason="a tf.Variable needs it")
on_torch = pytest.mark.skipif(backend != "torch", reason="a PyTorch module needs it")


class Plain:
    """Somebody's object that Keras does not look into."""

    def __init__(self, **held):
        vars(self).update(held)


def tf_variable():
    import tensorflow as tf

    return tf.Variable(0.0, trainable=False)


HIDING_PLACES = {
    "attribute": (lambda v: v, lambda held: held),
    "list": (lambda v: [1, [v]], lambda held: held[1][0]),
    "dict": (lambda v: {"a": (v,)}, lambda held: held["a"][0]),
    "object": (lambda v: Plain(inner=Plain(count=v)), lambda held: held.inner.count),
    "function": (lambda v: lambda: v, lambda held: held()),
}


def counting(hide, find):
    class Counting(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.hidden = hide(tf_variable())

        def call(self, x):
            count = find(self.hidden)
            count.assign_add(1.0)
            return x * (1.0 + 0.01 * count)

    return Counting()


@pytest.mark.samples(2)
@on_tensorflow
@pytest.mark.parametrize(("hide", "find"), HIDING_PLACES.values(), ids=HIDING_PLACES)
def test_a_tf_variable_comes_back_from_wherever_it_is_kept(regression, hide, find):
    layer = counting(hide, find)
    model = regression.model("sgd", layers=[layer])
    regression.fit(model, epochs=1)
    before, outputs = float(find(layer.hidden)), model.predict(regression.x, verbose=0)
    find(layer.hidden).assign(before)  # predict has counted too
    counts = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            counts.append(float(find(layer.hidden)))

    regression.fit(model, [LRFinder(num_steps=5, verbose=False), Watch()], epochs=1)
    assert counts == [before + i for i in range(1, 6)]
    assert float(find(layer.hidden)) == before
    np.testing.assert_array_equal(model.predict(regression.x, verbose=0), outputs)


@on_tensorflow
def test_state_behind_a_loss_that_the_model_was_given_comes_back(regression):
    model, count = regression.model("sgd"), tf_variable()
    inner = model.compute_loss

    def compute_loss(*arguments, **more):
        count.assign_add(1.0)
        return inner(*arguments, **more)

    model.compute_loss = compute_loss
    regression.fit(model, epochs=1)
    before = float(count)
    regression.fit(model, [LRFinder(num_steps=5, verbose=False)], epochs=1)
    assert before > 0
    assert float(count) == before


@on_tensorflow
def test_a_generator_of_tensorflow_draws_the_same_again(regression):
    import tensorflow as tf

    class Drawing(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.random = Plain(generator=tf.random.Generator.from_seed(3))

        def call(self, x):
            return x + self.random.generator.normal(())

    layer = Drawing()
    model = regression.model("sgd", layers=[layer])
    snapshot = Snapshot(model)
    first = [model.predict(regression.x[:2], verbose=0) for _ in range(2)]
    snapshot.restore()
    again = [model.predict(regression.x[:2], verbose=0) for _ in range(2)]
    np.testing.assert_array_equal(first, again)
    assert np.abs(first[0] - first[1]).max() > 0


@every_backend
def test_a_seed_generator_in_a_plain_object_draws_the_same_again(regression):
    class Drawing(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.helper = Plain(seeds=keras.random.SeedGenerator(3))

        def call(self, x):
            return x

    layer = Drawing()
    snapshot = Snapshot(regression.model("sgd", layers=[layer]))
    first = layer.helper.seeds.next()
    snapshot.restore()
    np.testing.assert_array_equal(
        ops.convert_to_numpy(layer.helper.seeds.next()), ops.convert_to_numpy(first)
    )


@every_backend
def test_optimizers_and_losses_that_keep_state_of_their_own(regression):
    class Centred(keras.losses.Loss):
        def __init__(self):
            super().__init__()
            self.centre = Plain(value=keras.Variable(0.5))

        def call(self, y, y_pred):
            return ops.mean(ops.square(y - y_pred), axis=-1)

    model = regression.model("sgd")
    loss, other = Centred(), keras.optimizers.SGD(0.1, momentum=0.5)
    other.build(model.trainable_variables)
    model.compile("sgd", loss)
    model.discriminator_optimizer = other
    held = variables_of(model)
    for each in (loss.centre.value, *other.variables):
        assert sum(v is each for v in held) == 1


@every_backend
def test_a_model_without_hidden_state_has_what_keras_tracks_and_no_more(noisy):
    model = noisy.model("adam")
    noisy.fit(model, epochs=1)
    tracked = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    assert len(variables_of(model)) == len({id(v) for v in tracked})


@every_backend
def test_what_hangs_on_a_model_by_accident_is_not_looked_into(regression):
    model = regression.model("sgd")
    count = len(variables_of(model))
    model.somebodys_log = Plain(module=np, cls=Plain, text=["x"] * 9, cycle=None)
    model.somebodys_log.cycle = model.somebodys_log
    assert len(variables_of(model)) == count


@on_tensorflow
def test_hidden_state_goes_into_checkpoints(regression):
    model = regression.model("sgd", layers=[counting(*HIDING_PLACES["object"])])
    begin = Snapshot(model)
    regression.fit(model, epochs=1)
    end = Snapshot(model)
    outputs = model.predict(regression.x, verbose=0)
    other = begin.with_contents(end.arrays, end.generators)
    begin.restore()
    assert np.abs(model.predict(regression.x, verbose=0) - outputs).max() > 0
    other.restore()
    np.testing.assert_array_equal(model.predict(regression.x, verbose=0), outputs)


# --- PyTorch ------------------------------------------------------------------------------------


def wrapped():
    import torch

    class Module(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = torch.nn.BatchNorm1d(4)
            self.linear = torch.nn.utils.parametrizations.spectral_norm(torch.nn.Linear(4, 2))
            self.register_buffer("replaced", torch.zeros(()))
            self.plain = torch.zeros(3)
            self.register_buffer("missing", None)

        def forward(self, x):
            if self.training:
                self.replaced = self.replaced + 1
                self.plain = self.plain + x.detach().mean()
                self.missing = x.detach().mean(0)
            return self.linear(self.norm(x)) + self.plain.mean()

    return keras.Sequential([keras.Input((4,)), keras.layers.TorchModuleWrapper(Module())])


@on_torch
@every_backend
def test_the_buffers_of_a_wrapped_module_come_back(regression):
    model = wrapped()
    model.compile(keras.optimizers.SGD(0.1), "mse")
    regression.fit(model, epochs=1)
    module = model.layers[-1].module
    before = {k: v.clone() for k, v in module.state_dict().items()} | {"plain": module.plain}
    outputs = model.predict(regression.x, verbose=0)
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(float(module.norm.running_mean.abs().sum()))

    test = LRFinder(num_steps=5, max_lr=1e20, verbose=False)
    regression.fit(model, [test, Watch()], epochs=1)
    assert len(set(seen)) > 1
    after = module.state_dict() | {"plain": module.plain}
    for name, value in before.items():
        np.testing.assert_array_equal(after[name].numpy(), value.numpy(), err_msg=name)
    np.testing.assert_array_equal(model.predict(regression.x, verbose=0), outputs)
    assert all(isinstance(read(v), np.ndarray) for v in variables_of(model))
