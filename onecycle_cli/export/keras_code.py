"""Keras code: optimizer, weight decay and schedule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from onecycle_cli.export.plan import TrainingPlan
from onecycle_cli.export.remarks import DECAYS, header, left_out_everywhere
from onecycle_cli.export.schedule import shape_arguments
from onecycle_cli.export.snippets import Code, blocks, call, comment, indented, literal
from onecycle_cli.plugin_names import names_a_file

_CLASSES = {
    "sgd": "SGD",
    "rmsprop": "RMSprop",
    "adam": "Adam",
    "adamw": "AdamW",
    "nadam": "Nadam",
    "adamax": "Adamax",
    "lamb": "Lamb",
    "lion": "Lion",
    "muon": "Muon",
    "adagrad": "Adagrad",
    "adadelta": "Adadelta",
    "ftrl": "Ftrl",
}
_MOMENTA = {
    **dict.fromkeys(("sgd", "rmsprop"), ("momentum",)),
    **dict.fromkeys(("adam", "adamw", "nadam", "adamax", "lamb", "lion"), ("beta_1",)),
    "muon": ("momentum", "adam_beta_1"),
}
_DECAYS = {"muon": ("weight_decay", "adam_weight_decay")}
_DECAY_BY_DEFAULT = ("adamw", "lion", "muon")
_NESTEROV = ("sgd", "muon")
_COMPILED = "compiled"
_LOSS_OF_THE_MODEL = "model.loss"


def keras_code(plan: TrainingPlan) -> str:
    """Return Keras code that compiles and trains a model as a run did, or would.

    It takes a built `model`, `x_train` and `y_train` from where it is pasted. The schedule is this
    package's `OneCycleLR`: a stock optimizer ignores a momentum that is set while it trains.

    Args:
        plan: what the run trained with, or found.
    """
    return blocks(
        [
            header(plan, _left_out(plan)),
            comment("Paste it where model (built), x_train and y_train are."),
            _imports(plan),
            _precision(plan),
            _optimizer(plan),
            _penalty(plan),
            call("model.compile", Code("optimizer"), loss=Code(_loss(plan))),
            _cycles(plan),
        ]
    )


def _left_out(plan: TrainingPlan) -> Iterator[str]:
    yield from left_out_everywhere(plan)
    if plan.train.label_smoothing and plan.task == "multiclass":
        yield (
            "labels have to be one-hot rows, as of keras.utils.to_categorical, because the loss "
            "smooths them"
        )
    if _loss(plan) == _LOSS_OF_THE_MODEL:
        yield (
            "the metrics and loss_weights that the model came compiled with; give them to "
            "model.compile, too"
        )
    if _is_own(plan):
        yield (
            f"the run gave your optimizer the momentum and nesterov={plan.optimizer.nesterov} of "
            f"its config; make it with them"
        )


def _imports(plan: TrainingPlan) -> str:
    lines = ["import keras", "", "from onecycle_cli import OneCycleLR"]
    if _is_own(plan):
        lines.append("from onecycle_cli.registry import optimizers")
    return "\n".join(lines)


def _precision(plan: TrainingPlan) -> str:
    if plan.precision == "float32":
        return ""
    policy = call("keras.config.set_dtype_policy", plan.precision)
    return f"{policy}  # before the model is built"


def _is_own(plan: TrainingPlan) -> bool:
    return names_a_file(plan.optimizer.name)


def _optimizer(plan: TrainingPlan) -> str:
    made = f"optimizer = {_made(plan)}"
    if plan.decay_kind == "l2" or not plan.weight_decay:
        return made
    spared = Code("[w for w in model.trainable_variables if len(w.shape) < 2]")
    return f"{made}\n{call('optimizer.exclude_from_weight_decay', var_list=spared)}"


def _made(plan: TrainingPlan) -> str:
    name = plan.optimizer.name
    if name == _COMPILED:
        return "model.optimizer  # the one that the model came compiled with"
    if _is_own(plan):
        return call("optimizers.load", name)
    arguments: dict[str, Any] = {"learning_rate": plan.max_lrs[0]}
    arguments |= dict.fromkeys(_MOMENTA.get(name, ()), plan.momentum.max)
    if name in _NESTEROV:
        arguments["nesterov"] = plan.optimizer.nesterov
    decay = plan.weight_decay if plan.decay_kind == "decoupled" else 0.0
    if decay or name in _DECAY_BY_DEFAULT:
        arguments |= dict.fromkeys(_DECAYS.get(name, ("weight_decay",)), decay)
    return call(f"keras.optimizers.{_CLASSES[name]}", **arguments)


def _penalty(plan: TrainingPlan) -> str:
    """Return what adds an L2 penalty to a model that is there already."""
    if plan.decay_kind != "l2" or not plan.weight_decay:
        return ""
    penalty = call("keras.regularizers.L2", plan.weight_decay)
    return "\n".join(
        [
            comment(f"{DECAYS['l2']}, in place of a penalty that a layer has."),
            "for weight in model.trainable_variables:",
            "    if len(weight.shape) >= 2:",
            f"        weight.regularizer = {penalty}",
        ]
    )


def _loss(plan: TrainingPlan) -> str:
    of = {"from_logits": True} if plan.loss.from_logits else {}
    smoothed = {"label_smoothing": plan.train.label_smoothing} if plan.train.label_smoothing else {}
    match plan.loss.name:
        case "sparse_categorical_crossentropy" if smoothed:
            return call("keras.losses.CategoricalCrossentropy", **of, **smoothed)
        case "sparse_categorical_crossentropy":
            return call("keras.losses.SparseCategoricalCrossentropy", **of)
        case "binary_crossentropy":
            return call("keras.losses.BinaryCrossentropy", **of, **smoothed)
        case "mse" | "mae" | "huber":
            return literal(plan.loss.name)
        case _:
            return _LOSS_OF_THE_MODEL


def _cycles(plan: TrainingPlan) -> str:
    if len(plan.epochs) == 1:
        return _cycle(plan, plan.epochs[0], plan.max_lrs[0])
    pairs = list(zip(plan.epochs, plan.max_lrs, strict=True))
    body = indented(_cycle(plan, Code("epochs"), Code("max_lr")))
    return f"for epochs, max_lr in {pairs}:\n{body}"


def _cycle(plan: TrainingPlan, epochs: int | Code, max_lr: float | Code) -> str:
    moves = _MOMENTA.get(plan.optimizer.name) or plan.momentum.max > 0
    more: dict[str, Any] = {}
    if plan.train.layer_rates:
        more["layer_rates"] = dict(plan.train.layer_rates)
    also: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in plan.train.also.items()
    }
    if plan.decay_kind == "decoupled" and _is_own(plan):
        also["weight_decay"] = plan.weight_decay
    if also:
        more["also"] = also
    schedule = call(
        "OneCycleLR",
        max_lr=max_lr,
        maximum_momentum=plan.momentum.max if moves else None,
        minimum_momentum=plan.momentum.min if moves else None,
        **shape_arguments(plan.train),
        **more,
    )
    fit = call(
        "model.fit",
        Code("x_train"),
        Code("y_train"),
        batch_size=plan.batch_size,
        epochs=epochs,
        callbacks=[Code("schedule")],
    )
    return f"schedule = {schedule}\n{fit}"
