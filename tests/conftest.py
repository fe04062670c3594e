"""Models whose training is known, NumPy to train them with, and small experiments."""

import csv
import importlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from onecycle_cli.observer import Observer

for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # one core a worker; TensorFlow reads it when it starts

pytest_plugins = ["shortcuts"]

JAX_CACHE = "JAX_COMPILATION_CACHE_DIR"


def pytest_configure(config):
    keep_what_jax_compiles(config)
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as a shell starts things behind `&`
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for marker in (
        "every_backend: also run under JAX and PyTorch, by test_other_backends.py.",
        "harness: takes minutes, and runs by `pytest -m harness` only.",
        "torch: needs PyTorch, and runs by `pytest -m torch` only.",
    ):
        config.addinivalue_line("markers", marker)


def keep_what_jax_compiles(config):
    """Have all processes of the tests share it: they would compile the same small models again."""
    if JAX_CACHE in os.environ:
        return
    folder = tempfile.mkdtemp(prefix="onecycle-jax-")
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    os.environ |= {
        JAX_CACHE: folder,
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


@pytest.fixture(autouse=True)
def _no_log_level(monkeypatch):
    """Take back what JAX sets when it is imported, lest processes that tests start inherit it."""
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)


@pytest.fixture
def regression(allow_xla):
    """Linear regression, the gradients of which anyone can write down."""
    return Regression()


@pytest.fixture
def allow_xla():
    """Take back the promise of the same bits that an experiment makes TensorFlow give.

    It holds for the whole process, and Keras does not compile by XLA while it does.
    """
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is not None:
        settings = importlib.import_module("tensorflow.python.framework.config")
        settings.disable_op_determinism()


@pytest.fixture
def noisy():
    """A classifier with every kind of state: noise, statistics, dropout."""
    return Noisy()


@pytest.fixture
def state_of():
    """Return the values of all variables of a model and its optimizer."""
    return _state_of


@pytest.fixture
def smith():
    """Return learning rates and momenta of a 1cycle, drawn with NumPy through its corners."""
    return _smith


@pytest.fixture
def prove_under():
    """Return what runs tests under a backend of Keras in a process of their own, and has them pass.

    It is given the backend, and then arguments of pytest.
    """

    def prove(backend, *arguments):
        done = subprocess.run(
            [sys.executable, "-P", "-m", "pytest", "-q", "-n0", *arguments],
            env=os.environ | {"KERAS_BACKEND": backend},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "passed" in done.stdout

    return prove


@pytest.fixture
def each_batch():
    """Return a callback that calls a function with (callback, number of the batch)."""
    return _each_batch


def without_xla():
    """Return how a model is compiled in a third of the time, where a test asks for nothing else.

    Only TensorFlow trains in a graph without XLA; JAX would not compile at all.
    """
    import keras

    return {"jit_compile": False} if keras.backend.backend() == "tensorflow" else {}


class Regression:
    """y = x W + b with the mean squared error: 50 samples, 7 batches of 8, the last one of 2."""

    steps = 7
    batch_size = 8

    def __init__(self):
        random = np.random.default_rng(7)
        self.x = random.normal(size=(50, 4)).astype("float32")
        self.y = random.normal(size=(50, 2)).astype("float32")
        self.weights = [
            random.normal(size=(4, 2)).astype("float32"),
            random.normal(size=(2,)).astype("float32"),
        ]

    def model(self, optimizer, *, layers=(), regularizer=None, **compile_arguments):
        import keras

        dense = keras.layers.Dense(2, kernel_regularizer=regularizer)
        model = keras.Sequential([keras.Input((4,)), dense, *layers])
        model.set_weights(self.weights)
        model.compile(optimizer, "mse", **without_xla() | compile_arguments)
        return model

    def fit(self, model, callbacks=(), *, epochs=3, **arguments):
        return model.fit(
            self.x,
            self.y,
            batch_size=self.batch_size,
            epochs=epochs,
            shuffle=False,
            verbose=0,
            callbacks=list(callbacks),
            **arguments,
        )

    def batches(self, num_steps):
        """Yield the batches of so many steps, as `fit` without shuffling makes them."""
        for step in range(num_steps):
            start = step % self.steps * self.batch_size
            rows = slice(start, start + self.batch_size)
            yield self.x[rows], self.y[rows]

    def reference(self, rule, *, accumulate=1):
        return Reference(self, rule, accumulate)


class Reference:
    """The training of a `Regression`, in NumPy and double precision.

    Attributes:
        weights: kernel and bias.
        losses: of each batch before its update, without penalties.
        norms: of the gradient of each of these losses.
    """

    def __init__(self, regression, rule, accumulate):
        self.regression = regression
        self.rule = RULES[rule]
        self.accumulate = accumulate
        self.weights = [w.astype(np.float64) for w in regression.weights]
        self.slots = [{}, {}]
        self.losses = []
        self.norms = []
        self.updates = 0

    def train(self, lrs, momenta, *, l2=None, weight_decay=None, clipvalue=None):
        """Go on from the first batch, with one value for each step."""
        gradients = [0.0, 0.0]
        none = np.zeros(len(lrs))
        values = zip(
            lrs,
            momenta,
            none if l2 is None else l2,
            none if weight_decay is None else weight_decay,
            strict=True,
        )
        batches = self.regression.batches(len(lrs))
        for step, ((x, y), (lr, momentum, penalty, decay)) in enumerate(
            zip(batches, values, strict=True), start=1
        ):
            gradients = [a + g for a, g in zip(gradients, self._gradients(x, y), strict=True)]
            if step % self.accumulate:
                continue
            gradients = [g / self.accumulate for g in gradients]
            if clipvalue is not None:
                gradients = [np.clip(g, -clipvalue, clipvalue) for g in gradients]
            self.updates += 1
            self.weights[0] = self.weights[0] * (1 - lr * decay)
            gradients[0] = gradients[0] + 2 * penalty * self.weights[0]
            self.weights = [
                w + self.rule(slots, g, lr, momentum, self.updates)
                for w, g, slots in zip(self.weights, gradients, self.slots, strict=True)
            ]
            gradients = [0.0, 0.0]
        return self

    def error(self, model):
        """Return the largest difference from the weights of a model."""
        return max(
            np.abs(w - v).max() for w, v in zip(self.weights, model.get_weights(), strict=True)
        )

    def _gradients(self, x, y):
        x, y = x.astype(np.float64), y.astype(np.float64)
        errors = x @ self.weights[0] + self.weights[1] - y
        self.losses.append(np.mean(errors**2))
        gradients = 2 * x.T @ errors / errors.size, 2 * errors.sum(axis=0) / errors.size
        self.norms.append(np.sqrt(sum((g**2).sum() for g in gradients)))
        return gradients


def _sgd(slots, g, lr, momentum, _):
    slots["v"] = momentum * slots.get("v", 0.0) - lr * g
    return slots["v"]


def _nesterov(slots, g, lr, momentum, _):
    slots["v"] = momentum * slots.get("v", 0.0) - lr * g
    return momentum * slots["v"] - lr * g


def _rmsprop(slots, g, lr, momentum, _, *, rho=0.9, epsilon=1e-7):
    slots["v"] = rho * slots.get("v", 0.0) + (1 - rho) * g**2
    slots["m"] = momentum * slots.get("m", 0.0) + lr * g / np.sqrt(slots["v"] + epsilon)
    return -slots["m"]


def _adam(slots, g, lr, beta_1, t, *, beta_2=0.999, epsilon=1e-7):
    slots["m"] = beta_1 * slots.get("m", 0.0) + (1 - beta_1) * g
    slots["v"] = beta_2 * slots.get("v", 0.0) + (1 - beta_2) * g**2
    alpha = lr * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    return -alpha * slots["m"] / (np.sqrt(slots["v"]) + epsilon)


def _nadam(slots, g, lr, beta_1, t, *, beta_2=0.999, epsilon=1e-7):
    now, ahead = (beta_1 * (1 - 0.5 * 0.96**k) for k in (t, t + 1))
    slots["u"] = slots.get("u", 1.0) * now
    slots["m"] = beta_1 * slots.get("m", 0.0) + (1 - beta_1) * g
    slots["v"] = beta_2 * slots.get("v", 0.0) + (1 - beta_2) * g**2
    m = ahead * slots["m"] / (1 - slots["u"] * ahead) + (1 - now) * g / (1 - slots["u"])
    return -lr * m / (np.sqrt(slots["v"] / (1 - beta_2**t)) + epsilon)


RULES: dict[str, Callable] = {
    "sgd": _sgd,
    "nesterov": _nesterov,
    "rmsprop": _rmsprop,
    "adam": _adam,
    "adamw": _adam,
    "nadam": _nadam,
}


class Noisy:
    """50 samples of 3 classes for a network with noise, BatchNormalization and dropout."""

    def __init__(self):
        random = np.random.default_rng(3)
        self.x = random.normal(size=(50, 6)).astype("float32")
        self.y = random.integers(0, 3, size=50)

    def model(self, optimizer, **compile_arguments):
        import keras

        model = keras.Sequential(
            [
                keras.Input((6,)),
                keras.layers.GaussianNoise(0.5),
                keras.layers.Dense(8, activation="relu"),
                keras.layers.BatchNormalization(),
                keras.layers.Dropout(0.3),
                keras.layers.Dense(3),
            ]
        )
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer, loss, **without_xla() | compile_arguments)
        return model

    def fit(self, model, callbacks=(), *, epochs=2, **arguments):
        arguments = {"x": self.x, "y": self.y, "batch_size": 8, "verbose": 0} | arguments
        return model.fit(epochs=epochs, callbacks=list(callbacks), **arguments)


def _state_of(model):
    from keras import ops

    variables = [*model.variables, *model.optimizer.variables]
    return [np.array(ops.convert_to_numpy(v)) for v in variables]


def _smith(num_steps, max_lr, high=0.95, low=0.85):
    middle = num_steps * 9 // 20  # a tenth of the steps is the tail
    corners = [0, middle, 2 * middle, num_steps]
    steps = np.arange(num_steps)
    lrs = max_lr * np.interp(steps, corners, [0.1, 1, 0.1, 0.001])
    return lrs, np.interp(steps, corners, [high, low, high, high])


def _each_batch(begin=None, end=None):
    import keras

    class EachBatch(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.count = 0

        def on_train_batch_begin(self, batch, logs=None):
            if begin is not None:
                begin(self, self.count)

        def on_train_batch_end(self, batch, logs=None):
            if end is not None:
                end(self, self.count)
            self.count += 1

    return EachBatch()


# --- small experiments, that a second is enough for --------------------------------------------


@pytest.fixture
def benchmark_modules(monkeypatch):
    """Let the modules of the benchmark of suggestions find each other, where they are."""
    benchmarks = Path(__file__).parents[1] / "benchmarks"
    if not benchmarks.is_dir():
        pytest.skip("not part of the distribution")
    for folder in (benchmarks, benchmarks / "suggestions"):
        monkeypatch.syspath_prepend(str(folder))


@pytest.fixture(autouse=True)
def own_caches(tmp_path, monkeypatch):
    monkeypatch.delenv("ONECYCLE_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def small():
    """Return a configuration of 360 digits and a small network: 6 steps an epoch."""
    return small_config


def small_config(**sections):
    config = {
        "name": "small",
        "batch_size": 64,
        "steps_per_execution": 1,
        "dataset": {"name": "digits", "limit": 400},
        "model": {"name": "mlp", "options": {"hidden": 16, "layers": 1}},
        "find_lr": {"steps": 12, "repeats": 1},
        "find_momentum": {"values": [0.5, 0.9], "steps": 12, "repeats": 2},
        "find_wd": {"values": [1e-2, 1e-4], "refine": False, "steps": 12, "repeats": 2},
        "train": {"cycles": [{"epochs": 2}], "max_lr": 0.1},
    }
    for key, values in sections.items():
        config[key] = config.get(key, {}) | values if isinstance(values, dict) else values
    return config


@pytest.fixture
def listener():
    """Return an observer that remembers, and calls a function at each step."""
    return Listener()


class Listener(Observer):
    def __init__(self):
        self.notes, self.warnings, self.stretches, self.outcomes = [], [], [], []
        self.steps, self.images = 0, []
        self.each_step = lambda step: None

    def note(self, text):
        self.notes.append(text)

    def warn(self, text):
        self.warnings.append(text)

    def begin(self, title, steps):
        self.stretches.append((title, steps))

    def advance(self, **shown):
        self.steps += 1
        self.each_step(self.steps)

    def end(self, outcome=""):
        self.outcomes.append(outcome)

    def decode(self, done, total):
        self.images.append((done, total))


@pytest.fixture
def clock():
    """Return a clock that stands still, in seconds, until its `now` is changed."""
    return Clock()


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def user_model(tmp_path):
    """Write a model's function to a file, and return how a configuration names it."""

    def write(body, *, name="build", options=""):
        path = tmp_path / f"{name}.py"
        path.write_text(
            f"import keras\n\n\ndef {name}(input_shape, num_outputs{options}):\n"
            + textwrap.indent(textwrap.dedent(body), "    ")
        )
        return {"name": f"{path}:{name}", "options": {}}

    return write


LINEAR = """
x = keras.Input(input_shape)
return keras.Model(x, keras.layers.Dense(num_outputs, kernel_initializer="ones")(x))
"""


@pytest.fixture
def linear(user_model):
    """A linear model whose initial weights are ones, and whose biases are zeros."""
    return user_model(LINEAR)


@pytest.fixture
def arrays(tmp_path):
    """Write the arrays of a linear regression with two targets; return their section."""
    random = np.random.default_rng(5)
    x = random.normal(size=(70, 4)).astype(np.float32)
    y = (x @ random.normal(size=(4, 2)) + 0.1 * random.normal(size=(70, 2))).astype(np.float32)
    path = tmp_path / "arrays.npz"
    parts = np.split(np.arange(70), [40, 55])
    np.savez(
        path,
        **{
            f"{axis}_{part}": values[rows]
            for part, rows in zip(("train", "val", "test"), parts, strict=True)
            for axis, values in (("x", x), ("y", y))
        },
    )
    return {"name": "arrays", "path": str(path), "limit": None}


@pytest.fixture(scope="session")
def table():
    """Read a CSV file into columns of numbers, text where there are none."""
    return read_table


def read_table(path):
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([_cell(row[name]) for row in rows]) for name in rows[0]}


def _cell(text):
    try:
        return float(text)
    except ValueError:
        return text


@pytest.fixture(scope="session")
def tree():
    """Return every file below a folder, hidden ones included, by relative path."""
    return walk


@pytest.fixture(scope="session")
def results_in():
    """Return the same without what a run that broke off holds to be taken up again."""
    needed = {"resume.json", "journal", "checkpoints"}
    return lambda folder: {path for path in walk(folder) if not needed & set(path.split("/"))}


def walk(folder):
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
