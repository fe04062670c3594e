import importlib.metadata
import sys
import tomllib
from pathlib import Path

import pytest

from onecycle_cli.doctor import State, software
from onecycle_cli.engine import start
from onecycle_cli.errors import ConfigError

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]


def test_the_extras_that_are_explained_are_there_and_looked_at():
    extras = PROJECT["optional-dependencies"]
    assert {*software.USES, *software.FOR_DEVELOPERS} <= set(extras)
    found = software.requirements()
    assert not set(software.FOR_DEVELOPERS) & set(found)
    for extra in software.USES:
        assert [line.partition(">=")[0] for line in extras[extra]] == found[extra]


def test_an_extra_that_is_missing_says_how_to_get_it(monkeypatch):
    known = software.version

    def version(package):
        if package == "polars":
            raise importlib.metadata.PackageNotFoundError(package)
        return known(package)

    monkeypatch.setattr(software, "version", version)
    (tables,) = [each for each in software.extras() if each.topic == "extra tables"]
    assert tables.state is State.MISSING
    assert tables.text == "polars not installed: data from CSV and Parquet files"
    assert tables.remedy == "pip install 'onecycle-cli[tables]'"


def test_a_version_of_keras_that_is_not_supported_is_a_problem(monkeypatch):
    monkeypatch.setattr(start, "versions", lambda: {"keras": "3.99.0"})
    with pytest.raises(ConfigError, match="Keras must have a version"):
        list(software.versions())


@pytest.mark.parametrize(
    ("said", "state", "text"),
    [
        ("tensorflow", State.OK, "KERAS_BACKEND says so"),
        ("openvino", State.PROBLEM, "can't train"),
        ("jax", State.PROBLEM, "jax is not installed"),
    ],
)
def test_the_backend_and_why(monkeypatch, said, state, text):
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setenv("KERAS_BACKEND", said)
    monkeypatch.setattr(start, "versions", lambda: {"tensorflow": "2.21"})
    (found,) = software.backend()
    assert found.state is state
    assert text in found.text
    assert bool(found.remedy) == (state is State.PROBLEM)
