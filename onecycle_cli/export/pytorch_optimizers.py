"""PyTorch's optimizers: the one that updates weights as one of Keras does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onecycle_cli.export.plan import TrainingPlan
from onecycle_cli.export.snippets import Code, call, indented
from onecycle_cli.plugin_names import file_and_function, names_a_file


@dataclass(frozen=True)
class _Counterpart:
    """An optimizer of PyTorch.

    Attributes:
        name: of its class.
        momentum: the argument that has its momentum; `betas`: the first of two; "": it has none.
        beta_2: the second of `betas`.
        arguments: what makes it compute as Keras' does, where the defaults differ.
        remark: what it computes in another way all the same.
        is_there: whether PyTorch has it.
    """

    name: str
    momentum: str = ""
    beta_2: float = 0.999
    arguments: dict[str, Any] = field(default_factory=dict)
    remark: str = ""
    is_there: bool = True


_EPSILON = {"eps": 1e-7}
_VELOCITY = (
    "PyTorch multiplies the whole velocity by the present learning rate, Keras keeps each "
    "gradient's own; they differ while the rate changes"
)
_CORRECTION = "PyTorch adds epsilon after the bias correction, Keras before it"

_COUNTERPARTS = {
    "sgd": _Counterpart("SGD", "momentum", remark=_VELOCITY),
    "rmsprop": _Counterpart(
        "RMSprop",
        "momentum",
        arguments={"alpha": 0.9, **_EPSILON},
        remark=f"{_VELOCITY}; and PyTorch adds epsilon to the root, Keras below it",
    ),
    "adam": _Counterpart("Adam", "betas", arguments=_EPSILON, remark=_CORRECTION),
    "adamw": _Counterpart("Adam", "betas", arguments=_EPSILON, remark=_CORRECTION),
    "nadam": _Counterpart("NAdam", "betas", arguments={"momentum_decay": 1.0, **_EPSILON}),
    "adamax": _Counterpart("Adamax", "betas", arguments=_EPSILON),
    "adagrad": _Counterpart("Adagrad", arguments={"initial_accumulator_value": 0.1, **_EPSILON}),
    "adadelta": _Counterpart("Adadelta", arguments={"rho": 0.95, **_EPSILON}),
    "lamb": _Counterpart("Lamb", "betas", is_there=False),
    "lion": _Counterpart("Lion", "betas", beta_2=0.99, is_there=False),
    "muon": _Counterpart("Muon", "momentum", is_there=False),
    "ftrl": _Counterpart("Ftrl", is_there=False),
}
_WITH_DECOUPLED_DECAY = {"adam": "AdamW", "adamw": "AdamW"}


def momentum_argument(plan: TrainingPlan) -> str:
    """Return where the optimizer keeps its momentum: `momentum`, `betas`, or "" if nowhere."""
    return _counterpart(plan).momentum


def remarks_on_the_optimizer(plan: TrainingPlan) -> Iterator[str]:
    """Yield in what the optimizer differs from the one of Keras that the run trained with."""
    counterpart = _counterpart(plan)
    if not counterpart.is_there:
        yield (
            f"PyTorch has no {counterpart.name} that updates weights as this one does: import a "
            f"class of that name, or write it"
        )
    elif counterpart.remark:
        yield counterpart.remark


def optimizer_code(plan: TrainingPlan) -> str:
    """Return code that makes the optimizer, as `optimizer`, with its weight decay.

    An L2 penalty of `wd * sum(w^2)` has the gradient `2 * wd * w`, and PyTorch adds `weight_decay *
    w`; so that is twice `wd`.
    """
    hook = _decay_hook(plan)
    decay = 2 * plan.weight_decay if plan.decay_kind == "l2" else plan.weight_decay
    lines = ["weights = [p for p in model.parameters() if p.requires_grad]"]
    groups = Code("weights")
    if decay and not hook:
        kernels = {"params": Code("[p for p in weights if p.ndim >= 2]"), "weight_decay": decay}
        others = {"params": Code("[p for p in weights if p.ndim < 2]"), "weight_decay": 0.0}
        inner = "\n".join(f"{_group(group)}," for group in (kernels, others))
        if plan.decay_kind == "l2":
            lines.append(
                f"# {decay!r} is twice {plan.weight_decay!r}: PyTorch adds weight_decay * w to the "
                f"gradient,\n# and that of wd * sum(w^2) is 2 * wd * w."
            )
        lines.append(f"groups = [\n{indented(inner)}\n]")
        groups = Code("groups")
    lines.append(f"optimizer = {call(_class(plan), groups, **_arguments(plan))}")
    return "\n".join(lines) + hook


def _counterpart(plan: TrainingPlan) -> _Counterpart:
    name = plan.optimizer.name
    if name in _COUNTERPARTS:
        return _COUNTERPARTS[name]
    if names_a_file(name):
        file, function = file_and_function(name)
        name = f"{Path(file).stem}_{function}"
    own = "".join(c if c.isalnum() else "_" for c in name)
    return _Counterpart(f"your_{own}", "momentum", is_there=False)


def _class(plan: TrainingPlan) -> str:
    counterpart = _counterpart(plan)
    if not counterpart.is_there:
        return counterpart.name
    name = counterpart.name
    if plan.decay_kind == "decoupled":
        name = _WITH_DECOUPLED_DECAY.get(plan.optimizer.name, name)
    return f"torch.optim.{name}"


def _arguments(plan: TrainingPlan) -> dict[str, Any]:
    counterpart = _counterpart(plan)
    arguments: dict[str, Any] = {"lr": plan.max_lrs[0]}
    match counterpart.momentum:
        case "momentum":
            arguments["momentum"] = plan.momentum.max
        case "betas":
            arguments["betas"] = (plan.momentum.max, counterpart.beta_2)
    if plan.optimizer.name == "sgd" and plan.optimizer.nesterov and plan.momentum.max:
        arguments["nesterov"] = True
    if _class(plan) == "torch.optim.AdamW":
        arguments["weight_decay"] = 0.0
    return arguments | counterpart.arguments


def _group(group: dict[str, Any]) -> str:
    return "{" + ", ".join(f'"{key}": {value}' for key, value in group.items()) + "}"


def _decay_hook(plan: TrainingPlan) -> str:
    """Return what decays the kernels before each step, for optimizers that can't themselves."""
    if plan.decay_kind == "l2" or not plan.weight_decay:
        return ""
    if plan.optimizer.name in _WITH_DECOUPLED_DECAY:
        return ""
    return f"""


def decay_weights(optimizer, *_):
    \"\"\"Decoupled weight decay of the kernels, w -= lr * wd * w.\"\"\"
    with torch.no_grad():
        for group in optimizer.param_groups:
            for weight in group["params"]:
                if weight.ndim >= 2:
                    weight.mul_(1 - group["lr"] * {plan.weight_decay!r})


optimizer.register_step_pre_hook(decay_weights)"""
