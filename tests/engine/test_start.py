import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from onecycle_cli.engine import start
from onecycle_cli.errors import ConfigError


def python(script, *, shell='exec "$@"', **environment):
    """Run a script in a process of its own, where nothing is imported yet."""
    set_here = ("TF_", "KERAS_", "XLA_PYTHON_CLIENT_")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(set_here)}
    return subprocess.run(
        ["sh", "-c", shell, "sh", sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env=clean | environment,
    )


FIT = """
from onecycle_cli.engine.repeatable import make_repeatable
from onecycle_cli.engine.start import has_accelerator, start_keras
keras = start_keras()
import os, sys
import numpy as np

def loss():
    make_repeatable(3)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dropout(0.5), keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    return model.fit(np.random.normal(size=(32, 4)), np.ones((32, 2)), verbose=0).history["loss"]

from onecycle_cli.engine.devices.growth import GROWS
variable, value = GROWS.get(keras.backend.backend(), ("PATH", os.environ["PATH"]))
print(loss() == loss(), start_keras() is keras, os.environ[variable] == value)
print(type(has_accelerator()).__name__)
print("said", file=sys.stderr)
os.write(2, b"written\\n")
raise SystemExit("raised")
"""


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("tensorflow", marks=pytest.mark.harness),
        pytest.param("jax", marks=pytest.mark.harness),
        pytest.param("torch", marks=pytest.mark.torch),
    ],
)
def test_starts_and_trains_without_a_word_but_lets_others_speak(name):
    done = python(FIT, KERAS_BACKEND=name)
    assert done.stdout == "True True True\nbool\n"
    assert done.stderr == "said\nwritten\nraised\n"


@pytest.mark.lowest
@pytest.mark.parametrize("found", ["2.15.0", "3.7.9", "3.16.0", "4.0.0rc1"])
def test_a_keras_that_is_not_supported_is_refused_in_one_sentence(monkeypatch, found):
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setattr(start, "versions", lambda: {"keras": found})
    with pytest.raises(ConfigError, match=r"a version >=3\.8,<3\.16, got ") as caught:
        start.start_keras()
    assert f"got {found} in {sys.prefix}; run pip install 'keras>=3.8,<3.16'." in str(caught.value)


def test_the_supported_versions_are_those_of_the_requirement():
    oldest, untested = start.SUPPORTED_KERAS
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert f'"keras>={oldest[0]}.{oldest[1]}.0,<{untested[0]}.{untested[1]}"' in text


START = "from onecycle_cli.engine.start import start_keras\nprint(start_keras().__name__)\n"


@pytest.fixture
def pretended(tmp_path):
    """Put a Keras of a few lines in the place of the real one, for a script."""

    def pretended(text):
        (tmp_path / "keras.py").write_text(text)
        return f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\n{START}"

    return pretended


def test_noise_is_dropped_and_a_real_error_is_not(pretended):
    done = python(pretended("import os\nos.write(2, b'chatter')\nraise RuntimeError('real')"))
    assert "RuntimeError: real" in done.stderr
    assert "chatter" not in done.stderr


def test_works_without_stderr(pretended):
    done = python(pretended("import os\n"), shell='exec "$@" 2>&-')
    assert (done.returncode, done.stdout) == (0, "keras\n")


@pytest.mark.parametrize("was_on", [True, False])
@pytest.mark.parametrize("ends", ["", "raise ImportError('broken')"])
def test_garbage_is_collected_again_afterwards_if_it_was_before(pretended, was_on, ends):
    script = pretended(f"import gc\nprint(gc.isenabled())\n{ends}")
    before = "import gc\n" + ("" if was_on else "gc.disable()\n")
    after = "try:\n    start_keras()\nexcept Exception:\n    pass\nprint(gc.isenabled())\n"
    done = python(before + script.replace("print(start_keras().__name__)\n", after))
    assert done.stdout.split() == ["False", str(was_on)]


REFUSED = """
from onecycle_cli.engine.start import start_keras
from onecycle_cli.errors import ConfigError
try:
    start_keras()
except ConfigError as error:
    print(error)
"""


@pytest.mark.parametrize("name", ["nonsense", "numpy", "openvino"])
def test_a_backend_that_cannot_train_is_refused(name):
    done = python(REFUSED, KERAS_BACKEND=name)
    assert done.stdout == (
        f"Keras is set to the backend '{name}', and training needs one of tensorflow, jax, torch; "
        f"set the environment variable KERAS_BACKEND.\n"
    )


def test_a_backend_that_is_not_installed():
    hidden = "import sys\nsys.modules['torch'] = None\n"
    done = python(hidden + REFUSED, KERAS_BACKEND="torch")
    assert done.stdout.startswith("Keras can't be started on the backend 'torch': ")
    assert done.stdout.endswith(
        "Install it by pip install 'onecycle-cli[torch]', or choose another backend by the "
        "environment variable KERAS_BACKEND, or by the config's key backend.\n"
    )


NOTHING = "assert not {'keras', 'tensorflow', 'jax', 'torch', 'numpy'} & set(sys.modules)\n"


def test_versions_without_an_import():
    script = (
        "import json, sys\nfrom onecycle_cli.engine import start\n"
        "print(json.dumps(start.versions()))"
    )
    done = python(f"{script}\n{NOTHING}")
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert found["keras"] == version("keras")
    assert found["tensorflow"] == version("tensorflow")
    assert found["onecycle"] == version("onecycle-cli")
    assert found["python"] == sys.version.split()[0]


@pytest.mark.parametrize("name", ["tensorflow", "jax", "torch"])
def test_whether_python_runs_at_each_step(name, monkeypatch):
    import keras

    monkeypatch.setattr(keras.backend, "backend", lambda: name)
    assert start.runs_each_step() == (name != "jax")


def test_what_is_traced_does_not_run_at_each_step():
    import tensorflow as tf

    assert start.runs_each_step()
    assert not tf.constant(tf.function(lambda: tf.constant(start.runs_each_step()))())
