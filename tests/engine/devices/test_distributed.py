"""Two processes that train one model, on the loopback: each a command line of its own."""

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import uuid
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from typer.testing import CliRunner

from onecycle_cli.config import load_config
from onecycle_cli.engine.devices import distributed
from onecycle_cli.engine.devices.processes import ADDRESSES, COUNT, PLACE
from onecycle_cli.errors import ConfigError, ProcessError
from onecycle_cli.experiments.distributed.alike import check_that_all_do_the_same
from onecycle_cli.experiments.speed.precision import with_precision
from onecycle_cli.main import app
from onecycle_cli.observer import Observer

MODEL = """
    import keras

    def noisy(input_shape, num_classes):
        return keras.Sequential([
            keras.Input(input_shape),
            keras.layers.Flatten(),
            keras.layers.Dense(16),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(num_classes, activation="softmax"),
        ])
"""
CONFIG = """
    backend: jax
    batch_size: 48
    dataset: {name: digits, limit: 399}
    model: {name: net.py:noisy}
    train: {cycles: [{epochs: 24}], max_lr: 0.1, log_grad_norm: true}
    find_lr: {rates: [0.03, 0.3]}
"""
STEPS = 8
"""Of an epoch of 359 digits by 48; the last batch has 23, and can't be shared."""

ALONE = """
    from onecycle_cli import find_lr, train

    train("small.yaml", out="alone")
    find_lr("small.yaml", out="alone")
"""
KILLED, LOST, TERMINATED = -signal.SIGKILL, 4, 143

_LONGEST = 300

COMMAND = ["-m", "onecycle_cli"]


@pytest.fixture
def start(tmp_path):
    """Start Python in one or several processes, which end with the test."""
    (tmp_path / "net.py").write_text(textwrap.dedent(MODEL))
    (tmp_path / "small.yaml").write_text(textwrap.dedent(CONFIG))
    with ExitStack() as stack:

        def started(*arguments, processes=1):
            address = f"localhost:{free_port()}"
            said = [
                {ADDRESSES: address, COUNT: f"{processes}", PLACE: f"{place}"}
                for place in range(processes)
            ]
            return [
                stack.enter_context(Started(arguments, variables, tmp_path)) for variables in said
            ]

        yield started


class Started:
    """A process that remembers what those before it have compiled."""

    def __init__(self, arguments, variables, folder):
        self._errors = folder / f"{uuid.uuid4()}.txt"
        fast = {
            "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
            "JAX_COMPILATION_CACHE_DIR": str(folder / "compiled"),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        }
        with self._errors.open("w") as errors:
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=folder,
                env=os.environ | {"KERAS_BACKEND": "jax"} | fast | variables,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.communicate()

    def send(self, number):
        self._process.send_signal(number)

    def ended(self):
        """Return its exit code, and what it wrote to stdout and to stderr."""
        out, _ = self._process.communicate(timeout=_LONGEST)
        return self._process.returncode, out, self._errors.read_text()

    def wait_for(self, text):
        """Wait until it has written this to stderr."""
        ends = time.monotonic() + _LONGEST
        while text not in self._errors.read_text():
            assert time.monotonic() < ends
            time.sleep(0.02)


def free_port():
    with socket.socket() as found:
        found.bind(("localhost", 0))
        return found.getsockname()[1]


def table(path):
    with path.open() as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def weights_of(folder):
    return keras.models.load_model(folder / "model.keras").get_weights()


def assert_same_table(path, other):
    ours, theirs = table(path), table(other)
    assert list(ours) == list(theirs)
    for name, values in theirs.items():
        np.testing.assert_allclose(ours[name], values, rtol=2e-4, err_msg=name)


def assert_same_training(folder, other):
    """Those of one device and of several differ by rounding only."""
    assert_same_table(folder / "steps.csv", other / "steps.csv")
    for weights, expected in zip(weights_of(folder), weights_of(other), strict=True):
        np.testing.assert_allclose(weights, expected, rtol=0, atol=2e-5)


@pytest.mark.harness
def test_what_two_processes_do_is_what_one_does_whatever_happens_to_them(start, tmp_path):
    """A training is terminated, goes on, loses a process, and goes on by the other one alone."""
    (reference,) = start("-c", textwrap.dedent(ALONE))
    run = tmp_path / "runs/small/train/001"

    chief, other = start(*COMMAND, "train", "small.yaml", processes=2)
    chief.wait_for("epoch 1:")
    other.send(signal.SIGTERM)
    for process, resumed in ((chief, run), (other, run.parents[1])):
        code, out, err = process.ended()
        assert (code, out) == (TERMINATED, "")
        last = f"onecycle: terminated; 'onecycle train --resume {resumed}' goes on."
        assert err.splitlines()[-1] == last
    assert err.splitlines() == [last]
    assert json.loads((run / "manifest.json").read_text())["devices"] == 2
    done = len(table(run / "steps.csv")["loss"])

    chief, other = start(*COMMAND, "train", "--resume", "runs/small", processes=2)
    chief.wait_for(f"epoch {done // STEPS + 2}:")
    other.send(signal.SIGKILL)
    code, out, err = chief.ended()
    assert (code, out) == (LOST, "")
    assert f"from step {done}, " in err
    assert err.splitlines()[-2:] == [
        "onecycle: another one of the 2 processes that train together is gone, or can't be "
        "reached.",
        f"onecycle: 'onecycle train --resume {run}' goes on.",
    ]
    assert "Traceback" not in err
    assert other.ended() == (KILLED, "", "")
    epochs = len(table(run / "history.csv")["epoch"])
    assert len(table(run / "steps.csv")["loss"]) == STEPS * epochs

    (alone,) = start(*COMMAND, "train", "--resume", str(run))
    assert f"from step {STEPS * epochs}, in epoch {epochs + 1}" in alone.ended()[2]
    code, _, err = reference.ended()
    assert code == 0, err
    assert_same_training(run, tmp_path / "alone/small/train/001")

    chief, other = start(*COMMAND, "find-lr", "small.yaml", processes=2)
    code, out, err = chief.ended()
    assert code == 0, err
    assert out.startswith("max_lr ")
    assert other.ended() == (0, "", "")
    found = tmp_path / "runs/small/find-lr"
    assert_same_table(found / "001/curves.csv", tmp_path / "alone/small/find-lr/001/curves.csv")
    assert sorted(path.name for path in found.iterdir()) == ["001", "latest"]
    assert (tmp_path / "runs/small/suggestions.yaml").is_file()


@pytest.fixture
def second_of_two(monkeypatch):
    """Let this process take itself for one of two."""
    for name, value in {ADDRESSES: "first:1", COUNT: "2", PLACE: "1"}.items():
        monkeypatch.setenv(name, value)


def test_processes_meet_on_jax_only(second_of_two):
    with pytest.raises(ConfigError, match=r"on JAX only, and Keras runs on tensorflow; set KERAS_"):
        distributed.join(0)


def test_processes_that_do_not_meet_do_not_wait_for_long(second_of_two, monkeypatch):
    never = threading.Event()
    jax = SimpleNamespace(
        config=SimpleNamespace(update=lambda *_: None),
        distributed=SimpleNamespace(is_initialized=lambda: False),
    )
    monkeypatch.setitem(sys.modules, "jax", jax)
    monkeypatch.setattr(distributed, "name_of_backend", lambda: "jax")
    monkeypatch.setattr(distributed, "_PATIENCE", 0.01)
    monkeypatch.setattr(distributed, "set_random_seed", lambda _: never.wait() and fails(_))
    with pytest.raises(ProcessError, match=r"^the 2 processes did not meet at first:1 within "):
        distributed.join(0)
    monkeypatch.setattr(distributed, "_PATIENCE", 60.0)
    monkeypatch.setattr(distributed, "set_random_seed", fails)
    with pytest.raises(ConfigError, match=r"can't meet: RuntimeError: JAX was started\.$"):
        distributed.join(0)
    never.set()


def fails(_):
    raise RuntimeError("JAX was started")


def test_a_pipeline_is_refused(second_of_two):
    config = load_config({"dataset": {"name": "digits"}, "model": {"name": "mlp"}})
    bench = SimpleNamespace(config=config, dataset=SimpleNamespace(stream=object()))
    with pytest.raises(ConfigError, match="a pipeline of one's own can't be shared among 2 "):
        check_that_all_do_the_same(bench, None, {})


def test_nothing_is_timed(second_of_two):
    config = load_config({"dataset": {"name": "digits"}, "model": {"name": "mlp"}})
    asked = config.model_copy(update={"precision": "auto"})
    assert with_precision(asked, Observer()).precision == "float32"


@pytest.mark.parametrize("command", ["run", "evaluate"])
def test_what_one_process_does_is_refused_before_anything_is_read(
    command, second_of_two, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(textwrap.dedent(MODEL))
    Path("small.yaml").write_text(textwrap.dedent(CONFIG))
    outcome = CliRunner().invoke(app, [command, "small.yaml"])
    assert outcome.exit_code == 2
    assert f"onecycle {command} does not work with several processes; " in outcome.stderr


def test_what_would_differ_is_named(second_of_two, monkeypatch):
    def with_another(array):
        other = array.copy()
        other[1] += 1
        return np.stack([other, array])

    parts = {"their configs": "a", "their data": "b", "their versions": "c"}
    monkeypatch.setattr(distributed, "_of_all", with_another)
    with pytest.raises(ConfigError, match="would not do the same: their data differ between them"):
        distributed.check_alike(parts)
    monkeypatch.setattr(distributed, "_of_all", lambda array: np.stack([array, array]))
    distributed.check_alike(parts)


def test_an_error_of_its_own_is_not_another_process_gone(second_of_two):
    with pytest.raises(ValueError, match="shapes"), distributed.noticing_losses():
        raise ValueError("shapes do not fit")
    with pytest.raises(ProcessError, match="is gone"), distributed.noticing_losses():
        raise ValueError("UNKNOWN: Gloo all-reduce failed: Connection closed by peer")


def test_a_process_that_is_alone_asks_nobody(monkeypatch):
    for name in (ADDRESSES, COUNT, PLACE):
        monkeypatch.delenv(name, raising=False)
    distributed.join(0)
    distributed.check_alike({"their configs": "a"})
    assert distributed.largest_of_all(3, 0) == [3, 0]
    with pytest.raises(ValueError, match="Gloo"), distributed.noticing_losses():
        raise ValueError("Gloo")
