"""The examples in docstrings run, on a small model."""

import doctest
import importlib
from pathlib import Path

import keras
import numpy as np
import pytest

import onecycle_cli

ROOT = Path(onecycle_cli.__file__).parent
WITH_EXAMPLES = {
    ".".join(["onecycle_cli", *path.relative_to(ROOT).with_suffix("").parts])
    for path in ROOT.rglob("*.py")
    if ">>>" in path.read_text()
}


@pytest.mark.parametrize("name", sorted(WITH_EXAMPLES))
def test_the_examples_run(name):
    module = importlib.import_module(name)
    examples = [each for each in doctest.DocTestFinder().find(module) if each.examples]
    assert examples
    for example in examples:
        example.globs |= {"keras": keras, "x": np.ones((64, 4)), "y": np.ones((64, 1))}
        example.globs |= {name: getattr(onecycle_cli, name) for name in ("LRFinder", "OneCycleLR")}
        example.globs["model"] = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        example.globs["model"].compile(keras.optimizers.Adam(0.01), "mse")
        runner = doctest.DocTestRunner()
        runner.run(example)
        assert runner.summarize(verbose=False).failed == 0, example.name
