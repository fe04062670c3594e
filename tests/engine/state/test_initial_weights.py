import keras
import numpy as np
import pytest

from onecycle_cli.engine.state.initial_weights import InitialWeights
from onecycle_cli.errors import ModelError


def dense(*, units=3, **settings):
    def build():
        return keras.Sequential([keras.Input((4,)), keras.layers.Dense(units, **settings)])

    return build


def seeded_globally():
    keras.utils.set_random_seed(1)
    return dense()()


def seeded_initializer():
    return dense(kernel_initializer=keras.initializers.GlorotUniform(seed=1))()


def seeded_orthogonal():
    return dense(kernel_initializer=keras.initializers.Orthogonal(gain=2.0, seed=1))()


class Scale(keras.layers.Layer):
    """A layer that makes its weight as an old program does."""

    def build(self, shape):
        self.scale = self.add_weight((shape[-1], 2), keras.initializers.RandomNormal(seed=4))

    def call(self, inputs):
        return inputs @ self.scale


class Plain(keras.layers.Layer):
    """A layer that leaves the initializer to Keras."""

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], 2))

    def call(self, inputs):
        return inputs @ self.kernel


def of_layer(kind):
    def build():
        keras.utils.set_random_seed(1)
        return keras.Sequential([keras.Input((4,)), kind()])

    return build


def replicates(build, count=3):
    """Return the weights of so many replicates, as an experiment would build them."""
    weights = InitialWeights()
    made = []
    for replicate in range(count):
        keras.utils.set_random_seed(replicate)
        with weights.recording(replicate, replicate) as built:
            model = build()
        built(model)
        made.append([np.array(v) for v in model.variables])
    return made


def different(made):
    """Return, for each variable, in how many ways it starts."""
    return [len({values.tobytes() for values in each}) for each in zip(*made, strict=True)]


@pytest.mark.every_backend
@pytest.mark.parametrize(
    "build",
    [seeded_globally, seeded_initializer, seeded_orthogonal, of_layer(Scale), of_layer(Plain)],
)
def test_replicates_differ_whatever_seeds_a_model_sets(build):
    made = replicates(build)
    assert different(made)[0] == 3
    assert all(np.array_equal(a, b) for a, b in zip(replicates(build)[2], made[2], strict=True))


def test_what_is_drawn_anew_is_drawn_as_its_initializer_says():
    for kernel, _ in replicates(seeded_orthogonal):
        np.testing.assert_allclose(kernel.T @ kernel, 4 * np.eye(3), atol=1e-5)


def test_the_first_replicate_is_the_model_as_its_function_makes_it():
    first = replicates(seeded_initializer)[0][0]
    np.testing.assert_array_equal(first, np.array(seeded_initializer().weights[0]))


def test_weights_that_were_drawn_by_our_seed_stay():
    """Nothing changes for models that set no seeds."""
    for replicate, made in enumerate(replicates(dense())):
        keras.utils.set_random_seed(replicate)
        np.testing.assert_array_equal(made[0], np.array(dense()().weights[0]))


def test_loaded_weights_are_kept_and_the_new_head_is_not(tmp_path):
    pretrained = dense(units=5)()
    pretrained.save(tmp_path / "pretrained.keras")

    def build():
        keras.utils.set_random_seed(1)
        body = keras.models.load_model(tmp_path / "pretrained.keras")
        return keras.Sequential([keras.Input((4,)), *body.layers, keras.layers.Dense(2)])

    made = replicates(build)
    assert different(made) == [1, 1, 3, 1]
    np.testing.assert_array_equal(made[2][0], np.array(pretrained.weights[0]))


def test_weights_that_were_set_are_kept():
    def build():
        model = seeded_globally()
        model.layers[0].kernel.assign(np.arange(12.0).reshape(4, 3))
        return model

    assert different(replicates(build)) == [1, 1]


@pytest.mark.parametrize("initializer", ["ones", keras.initializers.Constant(0.5)])
def test_constant_weights_are_kept(initializer):
    assert different(replicates(dense(kernel_initializer=initializer))) == [1, 1]


def test_seeded_dropout_differs_too():
    def build():
        return keras.Sequential([keras.Input((4,)), keras.layers.Dropout(0.5, seed=1)])

    assert different(replicates(build)) == [3]


def test_keras_is_left_as_it_was():
    stock = keras.layers.Layer.add_weight
    with pytest.raises(ZeroDivisionError), InitialWeights().recording(0, 0):
        assert keras.layers.Layer.add_weight is not stock
        raise ZeroDivisionError
    assert keras.layers.Layer.add_weight is stock


@pytest.mark.parametrize(
    ("second", "difference"),
    [
        (dense(units=4), r"a variable has the shape \(4, 4\), not \(4, 3\)"),
        (dense(use_bias=False), "the number of its variables is 1, not 2"),
    ],
)
def test_a_function_that_makes_another_network_each_time(second, difference):
    builds = iter([dense(), second])
    with pytest.raises(ModelError, match=difference):
        replicates(lambda: next(builds)())
