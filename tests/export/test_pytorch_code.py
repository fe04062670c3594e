"""The code is run by PyTorch; rates and momenta are compared with this package's schedule."""

import ast

import numpy as np
import pytest

from onecycle_cli import schedules
from onecycle_cli.export import pytorch_code

STEPS = 3
SHAPES = {
    "smith": {},
    "smith, other shares": {"end_percentage": 0.25, "scale_percentage": 0.05},
    "smith, no tail": {"end_percentage": 0.0, "scale_percentage": 0.04},
    "linear": {"shape": "linear"},
    "cosine": {"shape": "cosine", "scale_percentage": 0.2},
    "pytorch": {"shape": "pytorch", "shape_options": {"pct_start": 0.4, "div_factor": 10.0}},
    "pytorch, three phases": {
        "shape": "pytorch",
        "shape_options": {"three_phase": True, "anneal": "linear", "final_div_factor": 50.0},
    },
    "fastai": {"shape": "fastai", "shape_options": {"div": 20.0, "pct_start": 0.3}},
    "fastai, three momenta": {"shape": "fastai", "shape_options": {"final_momentum": 0.9}},
    **{name: {"shape": name} for name in ("wsd", "smith_caffe", "flat_cos", "sgdr", "triangular")},
}


def trained(code, regression):
    """Run code on a linear regression; return its weights, and rate and momentum of each step."""
    import torch

    model = torch.nn.Linear(4, 2)
    kernel, bias = map(torch.tensor, regression.weights)
    model.load_state_dict({"weight": kernel.T.contiguous(), "bias": bias})
    seen = []
    names = {"model": model}

    def note(*_):
        group = names["optimizer"].param_groups[0]
        betas = group.get("betas", (None,))
        seen.append((group["lr"], group.get("momentum", betas[0])))

    model.register_forward_pre_hook(note)
    batch = torch.tensor(regression.x), torch.tensor(regression.y)
    names["loader"] = [batch] * STEPS
    exec(code, names)
    weights = [model.weight.detach().numpy().T, model.bias.detach().numpy()]
    return weights, *map(list, zip(*seen, strict=True))


def expected(train, num_steps, max_lr=0.1):
    shape = {k: v for k, v in train.items() if k in ("shape", "end_percentage")}
    options = train.get("shape_options", {})
    start = {k: v for k, v in train.items() if k == "scale_percentage"}
    lrs = schedules.learning_rates(num_steps, max_lr, **shape, **start, **options)
    return lrs, schedules.momenta(num_steps, 0.95, 0.85, **shape, **options)


@pytest.mark.torch
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("epochs", [20, 7])
def test_rate_and_momentum_of_each_step(plan, regression, shape, epochs):
    train = SHAPES[shape] | {"cycles": [{"epochs": epochs}]}
    _, lrs, momenta = trained(pytorch_code(plan(train)), regression)

    assert len(lrs) == epochs * STEPS
    assert (lrs, momenta) == tuple(
        pytest.approx(values, rel=1e-6) for values in expected(SHAPES[shape], len(lrs))
    )


@pytest.mark.torch
def test_each_cycle_has_its_own_rate(plan, regression):
    cycles = [{"epochs": 8, "max_lr": None}, {"epochs": 5, "max_lr": 0.02}]
    for shape in ("smith", "wsd"):
        code = pytorch_code(plan({"cycles": cycles, "shape": shape}))
        _, lrs, momenta = trained(code, regression)
        first, second = expected({"shape": shape}, 24), expected({"shape": shape}, 15, 0.02)
        assert lrs == pytest.approx(first[0] + second[0], rel=1e-6)
        assert momenta == pytest.approx(first[1] + second[1], rel=1e-6)


@pytest.mark.torch
@pytest.mark.parametrize("decay", ["l2", "decoupled"])
@pytest.mark.parametrize(
    ("optimizer", "rule", "momentum"),
    [
        ({"name": "sgd", "nesterov": False}, "sgd", 0.0),
        ({"name": "sgd", "nesterov": True}, "nesterov", 0.9),
        ({"name": "adam"}, "adam", 0.9),
        ({"name": "adamw"}, "adamw", 0.9),
        ({"name": "nadam"}, "nadam", 0.9),
        ({"name": "rmsprop"}, "rmsprop", 0.9),
    ],
)
def test_weights_and_their_decay(plan, regression, decay, optimizer, rule, momentum):
    """At a constant rate, where PyTorch's velocity and that of Keras mean the same."""
    train = {
        "momentum": {"max": momentum, "min": momentum},
        "shape": "phases",
        "shape_options": {"phases": [{"until": 1, "first": 1, "last": 1}]},
        "max_lr": 0.01,
        "weight_decay": 0.02,
    }
    code = pytorch_code(plan(train, optimizer=optimizer | {"decay": decay}))
    weights, *_ = trained(code, regression)

    regression.steps, regression.batch_size = 1, 50
    num_steps = 20 * STEPS
    name = {"l2": "l2", "decoupled": "weight_decay"}[decay]
    values = np.full(num_steps, 0.01), np.full(num_steps, momentum)
    reference = regression.reference(rule).train(*values, **{name: np.full(num_steps, 0.02)})
    for ours, theirs in zip(reference.weights, weights, strict=True):
        assert theirs == pytest.approx(ours, abs=2e-5)
    spared = regression.reference(rule).train(*values)
    assert np.abs(spared.weights[0] - weights[0]).max() > 1e-4, "the decay does something"


@pytest.mark.torch
@pytest.mark.parametrize("optimizer", ["adagrad", "adadelta", "adamax"])
def test_every_optimizer_that_pytorch_has_takes_its_arguments(plan, regression, optimizer):
    none = {"momentum": {"max": 0.0, "min": 0.0}}
    train = none if optimizer.startswith("ada") and optimizer != "adamax" else {}
    _, lrs, _ = trained(pytorch_code(plan(train, optimizer={"name": optimizer})), regression)
    assert lrs == pytest.approx(expected({}, 60)[0], rel=1e-6)


@pytest.mark.parametrize(
    ("sections", "line", "note"),
    [
        ({"optimizer": {"name": "lion"}}, "optimizer = Lion(", "PyTorch has no Lion"),
        ({"optimizer": {"name": "/my/o-1.py:b"}}, "optimizer = your_o_1_b(", "no your_o_1_b"),
        ({"precision": "mixed_float16"}, "", "torch.autocast with torch.float16 and torch.amp"),
        ({"loss": "binary_crossentropy"}, "BCEWithLogitsLoss()", "takes what comes before"),
        ({"train": {"layer_rates": {"conv*": 0.1}}}, "", "layer_rates {'conv*': 0.1}"),
        ({"train": {"also": {"epsilon": 0.1}}}, "", "{'epsilon': 0.1}"),
        ({"train": {"shape": "/my/s.py:f"}}, 'shape = shapes.load("/my/s.py:f")', ""),
        ({"optimizer": {"name": "sgd"}}, "nesterov=True", "each gradient's own"),
    ],
)
def test_what_pytorch_can_not_say_is_a_comment(plan, sections, line, note):
    sections = dict(sections)
    code = pytorch_code(plan(sections.pop("train", {}), **sections))
    ast.parse(code)
    comments = " ".join(code.partition("import torch")[0].replace("\n#", " ").split())
    assert line in code
    assert note in comments


def test_labels_are_smoothed_where_pytorch_can(plan):
    smoothed = {"label_smoothing": 0.1}
    classes = plan(smoothed, loss={"name": "sparse_categorical_crossentropy"})
    assert "CrossEntropyLoss(label_smoothing=0.1)" in pytorch_code(classes)
    yes_or_no = plan(smoothed, loss={"name": "binary_crossentropy"})
    assert "targets * 0.9 + 0.05" in pytorch_code(yes_or_no)
