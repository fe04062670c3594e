import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from onecycle_cli.config import load_config
from onecycle_cli.engine.backends import choice
from onecycle_cli.engine.backends.choice import (
    backend_for,
    name_of_backend,
    settle_backend,
    tell_keras,
    with_backend,
)
from onecycle_cli.errors import ConfigError


@pytest.fixture(autouse=True)
def before_keras(tmp_path, monkeypatch):
    """Pretend that nothing is imported or set yet, and that all backends are installed."""
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_BACKEND", "")  # noted down, so that it comes back in any case
    monkeypatch.delenv("KERAS_BACKEND")
    monkeypatch.setattr(choice, "_set_here", {})
    monkeypatch.setattr(choice, "find_spec", lambda name: name)


@pytest.fixture
def running(monkeypatch):
    """Pretend that Keras runs on a backend."""

    def running(name):
        keras = SimpleNamespace(backend=SimpleNamespace(backend=lambda: name))
        monkeypatch.setitem(sys.modules, "keras", keras)

    return running


@pytest.fixture
def config(tmp_path):
    """Return a configuration that names a backend in its first line."""

    def config(backend):
        path = tmp_path / "mine.yaml"
        path.write_text(f"backend: {backend}\ndataset: {{name: digits}}\nmodel: {{name: mlp}}\n")
        return load_config(path)

    return config


def only(*names):
    return lambda name: name if name in names else None


def keras_says(tmp_path, backend):
    (tmp_path / "keras.json").write_text(f'{{"backend": "{backend}"}}')


class TestNameOfBackend:
    def test_is_the_default_of_keras(self):
        assert name_of_backend() == "tensorflow"

    @pytest.mark.parametrize(
        ("installed", "first"),
        [(("torch",), "torch"), (("torch", "jax"), "jax"), ((), "tensorflow")],
    )
    def test_is_the_first_that_is_installed(self, monkeypatch, installed, first):
        monkeypatch.setattr(choice, "find_spec", only(*installed))
        assert name_of_backend() == first

    def test_is_what_the_file_of_keras_says(self, tmp_path):
        keras_says(tmp_path, "jax")
        assert name_of_backend() == "jax"

    def test_is_not_what_keras_writes_into_its_file_by_itself(self, tmp_path, monkeypatch):
        """As it does when it is imported for the first time, whatever is installed."""
        keras_says(tmp_path, "tensorflow")
        monkeypatch.setattr(choice, "find_spec", only("torch"))
        assert name_of_backend() == "torch"

    def test_is_what_the_environment_says(self, tmp_path, monkeypatch):
        keras_says(tmp_path, "torch")
        monkeypatch.setenv("KERAS_BACKEND", "jax")
        assert name_of_backend() == "jax"

    def test_is_what_keras_runs_on(self, running, monkeypatch):
        monkeypatch.setenv("KERAS_BACKEND", "jax")
        running("torch")
        assert name_of_backend() == "torch"

    @pytest.mark.parametrize("content", ["", "[]", "{}", "null", "{"])
    def test_a_damaged_file_says_nothing(self, tmp_path, content):
        (tmp_path / "keras.json").write_text(content)
        assert name_of_backend() == "tensorflow"


class TestConfig:
    def test_auto_leaves_it_to_keras(self, config, tmp_path):
        keras_says(tmp_path, "torch")
        assert settle_backend(config("auto")) == "torch"
        assert "KERAS_BACKEND" not in os.environ

    def test_auto_takes_what_is_installed(self, config, monkeypatch):
        monkeypatch.setattr(choice, "find_spec", only("jax"))
        assert settle_backend(config("auto")) == "jax"
        assert os.environ["KERAS_BACKEND"] == "jax"

    @pytest.mark.parametrize("in_file", ["tensorflow", "jax", "torch"])
    @pytest.mark.parametrize("asked", ["tensorflow", "jax", "torch"])
    def test_goes_before_the_file_of_keras(self, config, tmp_path, asked, in_file):
        keras_says(tmp_path, in_file)
        assert backend_for(config(asked)) == settle_backend(config(asked)) == asked
        assert name_of_backend() == asked

    def test_is_overruled_by_the_environment_in_one_line(self, config, monkeypatch, listener):
        monkeypatch.setenv("KERAS_BACKEND", "torch")
        settled = with_backend(config("jax"), listener)
        assert listener.notes == ["backend torch: KERAS_BACKEND goes before the config's jax"]
        assert (settled.backend, settled.origin("backend")) == ("torch", "KERAS_BACKEND")
        assert os.environ["KERAS_BACKEND"] == "torch"

    @pytest.mark.parametrize("asked", ["auto", "torch"])
    def test_nothing_is_said_where_nothing_is_overruled(self, config, monkeypatch, listener, asked):
        monkeypatch.setenv("KERAS_BACKEND", "torch")
        assert with_backend(config(asked), listener).backend == "torch"
        assert listener.notes == []

    def test_keeps_its_origin_where_it_decides(self, config, listener):
        settled = with_backend(config("jax"), listener)
        assert (settled.backend, settled.origin("backend")) == ("jax", "file")

    @pytest.mark.parametrize("asked", ["auto", "jax"])
    def test_may_name_the_backend_that_runs(self, config, running, asked):
        running("jax")
        assert settle_backend(config(asked)) == "jax"

    def test_comes_too_late_where_keras_runs_on_another(self, config, running, tmp_path):
        running("tensorflow")
        with pytest.raises(ConfigError) as caught:
            settle_backend(config("jax"))
        assert str(caught.value) == (
            f"{tmp_path / 'mine.yaml'}, line 1: backend: jax can't be used, as Keras runs on "
            f"tensorflow in this process already; set the environment variable KERAS_BACKEND=jax "
            f"before Keras is imported, or give backend: auto."
        )

    def test_what_it_decided_is_no_word_of_the_user(self, config, running):
        """A second configuration in the same process is refused, and not overruled."""
        settle_backend(config("jax"))
        running("jax")
        with pytest.raises(ConfigError, match="backend: torch can't be used, as Keras runs on jax"):
            settle_backend(config("torch"))


SCRIPT = """
from onecycle_cli.config import load_config
from onecycle_cli.engine.backends.choice import settle_backend
named = {"dataset": {"name": "digits"}, "model": {"name": "mlp"}}
settle_backend(load_config(named | {"backend": "jax"}))
import sys
assert not {"keras", "tensorflow", "jax"} & set(sys.modules)
import keras
print(keras.backend.backend())
"""


@pytest.mark.harness
def test_keras_takes_the_backend_of_the_config():
    clean = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=clean, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("jax\n", "")


def test_keras_is_told_nothing_that_it_does_by_itself():
    tell_keras("tensorflow")
    assert "KERAS_BACKEND" not in os.environ
