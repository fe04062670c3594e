import os
import subprocess
import sys

import pytest

from onecycle_cli.engine.backends.without_tensorflow import save_without_tensorflow

SCRIPT = """
import random, sys
from importlib.machinery import ModuleSpec

import numpy as np


class Refused:
    def find_spec(self, name, *_):
        return ModuleSpec(name, self) if name == "tensorflow" and self in sys.meta_path else None

    def create_module(self, _):
        raise RuntimeError("TensorFlow is imported")

    def exec_module(self, _):
        raise AssertionError


sys.meta_path.insert(0, Refused())
from onecycle_cli.engine.backends.without_tensorflow import set_random_seed
from onecycle_cli.engine.start import start_keras

keras = start_keras()


def drawn(seed):
    seed(7)
    numbers = [random.random(), np.random.random(), *(keras.random.uniform(()) for _ in "ab")]
    if keras.backend.backend() == "torch":
        numbers.append(sys.modules["torch"].rand(()))
    return [float(x) for x in numbers]


ours = drawn(set_random_seed)
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="he_normal")])
model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
model.save(sys.argv[1])
loaded = keras.models.load_model(sys.argv[1])
assert (loaded.get_weights()[0] == model.get_weights()[0]).all()
assert "tensorflow" not in sys.modules
del sys.meta_path[0]
print(ours == drawn(keras.utils.set_random_seed), "tensorflow" in sys.modules)
"""


@pytest.mark.parametrize(
    "backend",
    [
        pytest.param("jax", marks=pytest.mark.harness),
        pytest.param("torch", marks=pytest.mark.torch),
    ],
)
def test_seeds_as_keras_does_and_saves_without_importing_tensorflow(tmp_path, backend):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "model.keras")],
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "True True\n", done.stderr


def test_keras_on_tensorflow_stays_as_it_is(monkeypatch):
    from keras.src.saving import serialization_lib
    from keras.src.utils import module_utils

    monkeypatch.setattr(serialization_lib, "tf", module_utils.tensorflow)
    save_without_tensorflow("tensorflow")
    assert serialization_lib.tf is module_utils.tensorflow


@pytest.mark.every_backend
def test_what_somebody_else_imports_is_seen():
    """An object of TensorFlow's is known as one, and its generators are seeded."""
    import keras
    import tensorflow as tf
    from keras.src.saving import serialization_lib

    from onecycle_cli.engine.backends.without_tensorflow import set_random_seed

    save_without_tensorflow(keras.backend.backend())
    assert serialization_lib.serialize_keras_object(tf.float32) == "float32"
    drawn = []
    for _ in range(2):
        set_random_seed(3)
        drawn.append(float(tf.random.uniform(())))
    assert drawn[0] == drawn[1]
