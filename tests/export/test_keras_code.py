"""The code is run, and what it makes of weights is compared with NumPy's arithmetic."""

import ast
import functools

import numpy as np
import pytest

from onecycle_cli.export import keras_code


@pytest.fixture
def trained(regression):
    """Run code on a linear regression; return the model and the variables of the code."""
    regression.steps, regression.batch_size = 1, 50  # so that shuffling changes nothing

    def run(code):
        model = regression.model("sgd")
        vars(model)["compile"] = functools.partial(model.compile, jit_compile=False)
        vars(model)["fit"] = functools.partial(model.fit, verbose=0)
        names = {"model": model, "x_train": regression.x, "y_train": regression.y}
        exec(code, names)
        return model, names

    return run


@pytest.mark.samples(1)
@pytest.mark.parametrize(
    ("optimizer", "rule", "decay"),
    [
        ({"name": "sgd", "nesterov": True}, "nesterov", "l2"),
        pytest.param(
            *({"name": "sgd", "nesterov": False}, "sgd", "weight_decay"), marks=pytest.mark.harness
        ),
        ({"name": "adamw"}, "adamw", "weight_decay"),
    ],
)
def test_it_trains_as_the_run_did(plan, trained, regression, smith, optimizer, rule, decay):
    kind = {"l2": "l2", "weight_decay": "decoupled"}[decay]
    model, names = trained(keras_code(plan(optimizer=optimizer | {"decay": kind})))

    lrs, momenta = smith(20, 0.1)
    reference = regression.reference(rule).train(lrs, momenta, **{decay: np.full(20, 0.01)})
    assert reference.error(model) < 1e-5
    assert names["schedule"].history["momentum"] == pytest.approx(momenta)
    spared = regression.reference(rule).train(lrs, momenta)
    assert spared.error(model) > 1e-4, "the decay does something"


@pytest.mark.harness
def test_several_cycles_have_their_own_rates(plan, trained, regression, smith):
    cycles = [{"epochs": 20, "max_lr": None}, {"epochs": 10, "max_lr": 0.02}]
    model, _ = trained(keras_code(plan({"cycles": cycles, "weight_decay": 0.0})))

    reference = regression.reference("nesterov")
    reference.train(*smith(20, 0.1)).train(*smith(10, 0.02))
    assert reference.error(model) < 5e-6


@pytest.mark.parametrize(
    ("sections", "line"),
    [
        ({"optimizer": {"name": "adagrad"}}, "maximum_momentum=None"),
        ({"optimizer": {"name": "lion", "decay": "l2"}}, "weight_decay=0.0"),
        ({"optimizer": {"name": "muon"}}, "adam_weight_decay=0.01"),
        ({"precision": "mixed_bfloat16"}, 'set_dtype_policy("mixed_bfloat16")'),
        ({"loss": "huber"}, 'loss="huber"'),
        ({"loss": {"name": "binary_crossentropy", "from_logits": True}}, "from_logits=True"),
        ({"train": {"layer_rates": {"conv*": 0.1}}}, 'layer_rates={"conv*": 0.1}'),
        ({"train": {"also": {"beta_2": [0.9, 0.99]}}}, 'also={"beta_2": (0.9, 0.99)}'),
        ({"train": {"shape": "wsd", "scale_percentage": 0.2}}, "scale_percentage=0.2"),
        ({"train": {"shape": "pytorch", "shape_options": {"pct_start": 0.2}}}, "pct_start=0.2"),
        ({"optimizer": {"name": "/my/file.py:build"}}, 'optimizers.load("/my/file.py:build")'),
    ],
)
def test_what_differs_from_the_defaults_is_there(plan, sections, line):
    train = {"momentum": {"max": 0, "min": 0}} if "adagrad" in str(sections) else {}
    sections = dict(sections)
    code = keras_code(plan(train | sections.pop("train", {}), **sections))
    ast.parse(code)
    assert line in code


def test_labels_that_are_smoothed_are_rows(plan):
    loss = {"name": "sparse_categorical_crossentropy"}
    code = keras_code(plan({"label_smoothing": 0.1}, loss=loss, task="multiclass"))
    assert "CategoricalCrossentropy(label_smoothing=0.1)" in code
    assert "keras.utils.to_categorical" in code.partition("import keras")[0]


def test_what_a_compiled_model_had_besides_its_loss_is_said_to_be_missing(plan):
    said = "# - the metrics and loss_weights that the model came compiled with"
    assert said in keras_code(plan(loss={"name": "compiled"}))
    assert said not in keras_code(plan())
