"""What holds for every network of the package."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from onecycle_models import airbench, mini_mobilenet_v2, mini_vgg, mlp, resnet, resnet9

SMALL = {
    "airbench": (airbench, {"widths": [4, 8, 8]}),
    "mini_mobilenet_v2": (mini_mobilenet_v2, {"alpha": 0.25, "dropout": 0.2, "l2": 1e-4}),
    "mini_vgg": (mini_vgg, {"dropout": 0.2}),
    "mlp": (mlp, {"hidden": 8, "dropout": 0.2}),
    "resnet": (resnet, {"depth": 8}),
    "resnet9": (resnet9, {"width": 4}),
}
IMAGES = np.random.default_rng(0).random((4, 8, 8, 1), "float32")

every_model = pytest.mark.parametrize(("module", "options"), SMALL.values(), ids=SMALL)


@pytest.fixture
def precision():
    """Set a policy for one test."""
    before = keras.config.dtype_policy()
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy(before)


@every_model
def test_models_come_uncompiled_and_know_their_shapes(module, options):
    model = module.build([8, 8, 1], 3, **options)
    assert not model.compiled
    assert (model.input_shape, model.output_shape) == ((None, 8, 8, 1), (None, 3))


@every_model
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_probabilities_are_float32_under_mixed_precision(module, options, policy, precision):
    precision(policy)
    model = module.build((8, 8, 1), 3, **options)
    probabilities = model(IMAGES)
    assert keras.backend.standardize_dtype(probabilities.dtype) == "float32"
    np.testing.assert_allclose(np.asarray(probabilities).sum(axis=1), 1, rtol=1e-6)
    assert model.layers[1].compute_dtype == policy.removeprefix("mixed_")


@every_model
def test_linear_outputs_are_left_as_they_are(module, options):
    model = module.build((8, 8, 1), 1, activation="linear", **options)
    outputs = np.asarray(model(IMAGES))
    assert outputs.shape == (4, 1)
    assert not np.allclose(outputs, 1)


@every_model
def test_the_softmax_comes_last_so_that_losses_see_the_scores(module, options):
    """Probabilities alone would cap the cross-entropy at 16.1 and hide a divergence."""
    model = module.build((8, 8, 1), 3, **options)
    model.set_weights([w * 100 if w.ndim > 1 else w for w in model.get_weights()])
    probabilities = model(IMAGES)
    worst = np.asarray(probabilities).argmin(axis=1)
    losses = keras.losses.sparse_categorical_crossentropy(worst, probabilities)
    assert float(np.max(losses)) > 20


@pytest.mark.samples(2)
@every_model
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_plain_keras_loads_a_saved_model(module, options, tmp_path):
    model = module.build((8, 8, 1), 3, **options)
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = keras.saving.load_model(path, custom_objects={})
    assert [layer.name for layer in loaded.layers] == [layer.name for layer in model.layers]
    np.testing.assert_array_equal(np.asarray(loaded(IMAGES)), np.asarray(model(IMAGES)))


@every_model
def test_layers_are_stock(module, options):
    model = module.build((8, 8, 1), 3, **options)
    assert {type(layer).__module__.partition(".")[0] for layer in model.layers} == {"keras"}
    assert all(isinstance(layer, keras.Layer) for layer in model.layers)


@pytest.mark.samples(2)
@every_model
def test_the_same_seed_gives_the_same_weights(module, options):
    def weights(seed):
        keras.utils.set_random_seed(seed)
        model = module.build((8, 8, 1), 3, **options)
        return np.concatenate([np.ravel(w) for w in model.get_weights()])

    np.testing.assert_array_equal(weights(1), weights(1))
    assert not np.array_equal(weights(1), weights(2))


def test_the_package_itself_does_not_import_keras():
    code = "import sys, onecycle_models; sys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
