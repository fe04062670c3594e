"""Models saved during and after `fit` load where this package is not installed."""

import json
import re
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from onecycle_cli import LRFinder, OneCycleLR

LOAD = """
import json, sys, warnings
sys.modules["onecycle_cli"] = None  # importing it is an error
import keras, numpy as np
warnings.filterwarnings("error", message="Skipping variable loading")
for path in sys.argv[1:]:
    model = keras.saving.load_model(path, custom_objects={})
    core = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    arrays = [np.array(keras.ops.convert_to_numpy(v)) for v in model.optimizer.variables]
    np.savez(path + ".npz", *model.get_weights(), *arrays)
    with open(path + ".json", "w") as file:
        names = [v.name for v in model.optimizer.variables]
        types = [type(model.optimizer).__name__, type(core).__name__]
        json.dump({"names": names, "types": types, "config": core.get_config()}, file)
    model.fit(np.ones((8, 4)), np.ones((8, 2)), verbose=0)
"""

LIVE = ("momentum", "beta_1")

OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.05, momentum=0.5),
    "nadam": lambda: keras.optimizers.Nadam(0.05),
    "momentum from zero": lambda: keras.optimizers.SGD(0.05),
    "momentum at zero": lambda: keras.optimizers.SGD(0.05, momentum=0.5),
    "centered": lambda: keras.optimizers.RMSprop(0.05, centered=True),
    "loss scale": lambda: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(0.05, momentum=0.5)
    ),
    "range test": lambda: keras.optimizers.SGD(0.05, momentum=0.5),
    "after fit": lambda: keras.optimizers.SGD(0.05, momentum=0.5),
}


def callback_for(case):
    if case == "range test":
        return LRFinder(restore=False, verbose=False)
    low, high = (0.0, 0.0) if case == "momentum at zero" else (0.6, 0.9)
    return OneCycleLR(max_lr=0.1, maximum_momentum=high, minimum_momentum=low, verbose=False)


def short(name):
    """Return the name of a variable without the model's, and without a running number."""
    return re.sub(r"^.*?(?=dense)|_\d+$", "", name)


def held_by(model, without_slots):
    """Return names and values of what a stock optimizer holds, with the weights first."""
    variables = [v for v in model.optimizer.variables if v.name not in LIVE]
    variables = [v for v in variables if not (without_slots and v.name.endswith("_momentum"))]
    arrays = [np.array(ops.convert_to_numpy(v)) for v in variables]
    return [short(v.name) for v in variables], [*model.get_weights(), *arrays]


@pytest.mark.harness
def test_saved_models_load_with_plain_keras(regression, each_batch, tmp_path):
    held = {}
    for case, make in OPTIMIZERS.items():
        path, model = tmp_path / f"{case}.keras", regression.model(make())

        def take(_, step, case=case, model=model):
            if step == 4:
                held[case] = held_by(model, without_slots=case == "momentum at zero")

        checkpoint = keras.callbacks.ModelCheckpoint(path, save_freq=5)
        callback = callback_for(case)
        if case == "after fit":
            regression.fit(model, [callback], epochs=1)
            held[case] = held_by(model, without_slots=False)
            model.save(path)
        else:
            regression.fit(model, [callback, checkpoint, each_batch(end=take)], epochs=1)

    paths = [str(tmp_path / f"{case}.keras") for case in OPTIMIZERS]
    run = subprocess.run(
        [sys.executable, "-c", LOAD, *paths], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr

    loaded = {case: json.loads((tmp_path / f"{case}.keras.json").read_text()) for case in held}
    for case, (names, arrays) in held.items():
        assert [short(name) for name in loaded[case]["names"]] == names, case
        with np.load(tmp_path / f"{case}.keras.npz") as file:
            read = [file[f"arr_{i}"] for i in range(len(file.files))]
        for mine, theirs in zip(arrays, read, strict=True):
            np.testing.assert_array_equal(theirs, mine, err_msg=case)
    types = {case: data["types"] for case, data in loaded.items()}
    assert types.pop("loss scale") == ["LossScaleOptimizer", "SGD"]
    assert types.pop("centered") == ["RMSprop", "RMSprop"]
    assert types.pop("nadam") == ["Nadam", "Nadam"]
    assert set(map(tuple, types.values())) == {("SGD", "SGD")}

    momenta = {case: data["config"].get("momentum") for case, data in loaded.items()}
    in_force = pytest.approx(0.9 - 0.3 * 2 / 3)  # step 4 of 7: two thirds down again from step 3
    assert momenta == {
        "sgd": in_force,
        "nadam": None,
        "momentum from zero": in_force,
        "momentum at zero": 0.0,
        "centered": in_force,
        "loss scale": in_force,
        "range test": 0.5,
        "after fit": 0.5,
    }
    assert loaded["nadam"]["config"]["beta_1"] == in_force
