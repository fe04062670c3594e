"""Small experiments, that a second is enough for."""

import csv
import textwrap

import numpy as np
import pytest

from onecycle_cli.experiments.observer import Observer


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
        self.steps = 0
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
