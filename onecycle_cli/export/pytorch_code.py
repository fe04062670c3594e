"""PyTorch code: optimizer, weight decay, schedule, and the loop that they belong to."""

from __future__ import annotations

from collections.abc import Iterator

from onecycle_cli.export import pytorch_schedules
from onecycle_cli.export.plan import TrainingPlan
from onecycle_cli.export.pytorch_optimizers import optimizer_code, remarks_on_the_optimizer
from onecycle_cli.export.remarks import header, left_out_everywhere
from onecycle_cli.export.snippets import Code, blocks, call, comment, indented

_LOSSES = {
    "binary_crossentropy": "BCEWithLogitsLoss",
    "mse": "MSELoss",
    "mae": "L1Loss",
    "huber": "HuberLoss",
}


def pytorch_code(plan: TrainingPlan) -> str:
    """Return PyTorch code that trains a model with the values of a run.

    It takes a `model` and a `loader` of batches from where it is pasted. Learning rate and momentum
    of each step are those of the run; how the optimizer uses them differs a little, as the
    comments say.

    Args:
        plan: what the run trained with, or found.
    """
    return blocks(
        [
            header(plan, _left_out(plan)),
            comment(
                f"Paste it where model is, and loader, which gives batches of {plan.batch_size}."
            ),
            "import torch",
            pytorch_schedules.imports(plan),
            optimizer_code(plan),
            f"loss_function = {_loss(plan)}",
            _training(plan),
        ]
    )


def _left_out(plan: TrainingPlan) -> Iterator[str]:
    yield from left_out_everywhere(plan)
    yield from remarks_on_the_optimizer(plan)
    train = plan.train
    if train.layer_rates:
        yield (
            f"layers had rates of their own, layer_rates {train.layer_rates}: give each a group "
            f"of parameters, and max_lr a list"
        )
    if train.also:
        yield f"further values of the optimizer changed or were set: {train.also}"
    if plan.precision != "float32":
        kind = plan.precision.removeprefix("mixed_")
        scaled = " and torch.amp.GradScaler" if kind == "float16" else ""
        yield f"the precision was {plan.precision}: use torch.autocast with torch.{kind}{scaled}"
    if train.label_smoothing and plan.loss.name == "binary_crossentropy":
        share = train.label_smoothing
        yield f"labels were smoothed: targets * {1 - share:g} + {share / 2:g}"
    if plan.loss.name == "compiled":
        yield "the loss was the one that the model came compiled with"
    elif not plan.loss.from_logits and "crossentropy" in plan.loss.name:
        yield "the network ended in probabilities; PyTorch's loss takes what comes before these"


def _loss(plan: TrainingPlan) -> str:
    smoothing = plan.train.label_smoothing
    match plan.loss.name:
        case "sparse_categorical_crossentropy" if smoothing:
            return call("torch.nn.CrossEntropyLoss", label_smoothing=smoothing)
        case "sparse_categorical_crossentropy":
            return "torch.nn.CrossEntropyLoss()"
        case name if name in _LOSSES:
            return f"torch.nn.{_LOSSES[name]}()"
        case _:
            return "your_loss"


def _training(plan: TrainingPlan) -> str:
    if len(plan.epochs) == 1:
        return f"epochs = {plan.epochs[0]}\n{_cycle(plan, plan.max_lrs[0])}"
    pairs = list(zip(plan.epochs, plan.max_lrs, strict=True))
    return f"for epochs, max_lr in {pairs}:\n{indented(_cycle(plan, Code('max_lr')))}"


def _cycle(plan: TrainingPlan, max_lr: float | Code) -> str:
    known = plan.steps_per_epoch
    remark = f"  # in the run, {known} steps an epoch" if known else ""
    return "\n".join(
        [
            f"num_steps = epochs * len(loader){remark}",
            pytorch_schedules.schedule_code(plan, max_lr),
            "model.train()",
            _loop(plan),
        ]
    )


def _loop(plan: TrainingPlan) -> str:
    step = [
        "optimizer.zero_grad()",
        "loss_function(model(inputs), targets).backward()",
        "optimizer.step()",
    ]
    if pytorch_schedules.is_drawn_by_pytorch(plan):
        return _nested([*step, "scheduler.step()"])
    return "step = 0\n" + _nested([pytorch_schedules.set_values(plan), *step, "step += 1"])


def _nested(lines: list[str]) -> str:
    batches = "for inputs, targets in loader:\n" + indented("\n".join(lines))
    return "for _ in range(epochs):\n" + indented(batches)
