"""The commands on JAX and PyTorch, as a user runs them, where TensorFlow can't be imported."""

import json
import os

import pytest
import yaml

WITHOUT_TENSORFLOW = """
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path


class Refused:
    def find_spec(self, name, *_):
        return ModuleSpec(name, self) if name == "tensorflow" else None

    def create_module(self, _):
        Path(__file__).with_name("imported").touch()  # lest somebody catch the error
        raise RuntimeError("TensorFlow is imported")

    def exec_module(self, _):
        raise AssertionError


sys.meta_path.insert(0, Refused())
"""

PROBES = ["--set", "find_lr={rates: [0.01, 0.1, 1]}"]


@pytest.fixture
def do(start, tmp_path, monkeypatch):
    """Run a command line in a process that fails as soon as TensorFlow is imported."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text(WITHOUT_TENSORFLOW)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    before = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([str(tmp_path / "site"), *([before] if before else [])])

    def do(*arguments, **environment):
        process = start(*arguments, PYTHONPATH=path, **environment)
        out, err = process.communicate(timeout=180)
        assert process.returncode == 0, out + err
        assert not (tmp_path / "site/imported").exists(), err
        return out, err

    return do


@pytest.mark.parametrize(
    "backend",
    [
        pytest.param("jax", marks=pytest.mark.harness),
        pytest.param("torch", marks=pytest.mark.torch),
    ],
)
def test_every_command_works_without_tensorflow(do, config, small, own_folders, rows, backend):
    asked = ["--set", f"backend={backend}"]
    do("find-lr", config, *small, *PROBES, *asked)
    for command in ("find-wd", "find-momentum"):
        do(command, config, *small, *asked)
    printed, _ = do("train", config, *small, *asked)
    do("run", config, *small, KERAS_BACKEND=backend)
    evaluated, _ = do("evaluate", "runs/digits/train/001")

    for number, command in ((1, "find-lr"), (1, "train"), (2, "train"), (1, "run")):
        folder = own_folders / f"runs/digits/{command}/{number:03d}"
        assert yaml.safe_load((folder / "config.yaml").read_text())["backend"] == backend
        assert json.loads((folder / "manifest.json").read_text())["backend"] == backend
    suggested = yaml.safe_load((own_folders / "runs/digits/suggestions.yaml").read_text())
    assert set(suggested) == {"max_lr", "momentum", "weight_decay"}
    trained = rows(printed)
    assert "(suggestion of digits/find-lr/001" in trained["max_lr"]
    assert rows(evaluated)["accuracy"] == trained["test accuracy"]


@pytest.mark.harness
def test_the_environment_goes_before_the_config(do, config, small):
    asked = ["--set", "train.max_lr=0.1", "--set", "backend=torch"]
    _, err = do("train", config, *small, *asked, KERAS_BACKEND="jax")
    assert "backend jax: KERAS_BACKEND goes before the config's torch" in err.splitlines()
