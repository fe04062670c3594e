"""A cycle's learning rate and momentum at each step, in PyTorch.

Its `OneCycleLR` draws phases that end at `pct_start * total_steps - 1` and at `total_steps - 1`,
where steps count from 0. The shapes here end at N, one behind the last of N steps. So they are
drawn with `total_steps = N + 1`, and `pct_start = (peak + 1) / (N + 1)`; the last step is never
taken. Shapes that it can't draw are tables of this package's `schedules`, which need no Keras.
"""

from __future__ import annotations

from typing import Any

from onecycle_cli import schedules
from onecycle_cli.config import TrainConfig
from onecycle_cli.export.plan import TrainingPlan
from onecycle_cli.export.pytorch_optimizers import momentum_argument
from onecycle_cli.export.schedule import shape_arguments, start_share
from onecycle_cli.export.snippets import Code, call
from onecycle_cli.plugin_names import names_a_file

_BEHIND_THE_LAST = Code("num_steps + 1")
_PEAK = Code("(peak + 1) / (num_steps + 1)")
_ANNEAL = {"cosine": "cos", "linear": "linear"}


def is_drawn_by_pytorch(plan: TrainingPlan) -> bool:
    """Tell whether PyTorch's `OneCycleLR` draws this shape."""
    return _drawn(plan.train) is not None


def imports(plan: TrainingPlan) -> str:
    """Return the imports that the schedule needs besides PyTorch."""
    if is_drawn_by_pytorch(plan):
        return ""
    own = names_a_file(plan.train.shape)
    more = "\nfrom onecycle_cli.registry import shapes" if own else ""
    return f"from onecycle_cli import schedules{more}"


def schedule_code(plan: TrainingPlan, max_lr: float | Code) -> str:
    """Return code that makes the schedule of `num_steps` steps.

    It is `scheduler`, whose `step` is called after each step; or else the tables `rates` and
    `momenta`.
    """
    drawn = _drawn(plan.train)
    if drawn is None:
        return _tables(plan, max_lr)
    peak, arguments = drawn
    momentum: dict[str, Any] = {"cycle_momentum": False}
    if momentum_argument(plan):
        momentum = {"max_momentum": plan.momentum.max, "base_momentum": plan.momentum.min}
    scheduler = call(
        "torch.optim.lr_scheduler.OneCycleLR",
        Code("optimizer"),
        max_lr=max_lr,
        **arguments,
        **momentum,
    )
    found = f"peak = {peak}  # the step of the highest rate\n" if peak else ""
    return f"{found}scheduler = {scheduler}"


def set_values(plan: TrainingPlan) -> str:
    """Return code that puts the values of a step into the optimizer."""
    rate = 'for group in optimizer.param_groups:\n    group["lr"] = rates[step]'
    match momentum_argument(plan):
        case "momentum":
            return f'{rate}\n    group["momentum"] = momenta[step]'
        case "betas":
            return f'{rate}\n    group["betas"] = (momenta[step], *group["betas"][1:])'
        case _:
            return rate


def _drawn(train: TrainConfig) -> tuple[str, dict[str, Any]] | None:
    """Return the step of the peak, and arguments for PyTorch; `None`: it can't draw this shape."""
    options = {**schedules.OPTIONS.get(train.shape, {}), **train.shape_options}
    start = start_share(train)
    ours = {"div_factor": _number(1 / start), "final_div_factor": _number(1000 * start)}
    match train.shape:
        case "smith":
            half = _number((1 - train.end_percentage) / 2)
            return f"max(1, int({half!r} * num_steps + 1e-9))", {
                **_ours("linear", three_phase=True),
                **ours,
            }
        case "linear":
            return "int(0.25 * num_steps + 1e-9)", {**_ours("linear"), **ours}
        case "cosine":
            return "int(0.3 * num_steps + 1e-9)", {**_ours("cos"), **ours}
        case "pytorch":
            return "", {
                "total_steps": Code("num_steps"),
                "pct_start": float(options["pct_start"]),
                "anneal_strategy": _ANNEAL[options["anneal"]],
                "three_phase": options["three_phase"],
                "div_factor": options["div_factor"],
                "final_div_factor": options["final_div_factor"],
            }
        case "fastai" if options["final_momentum"] is None:
            return f"{options['pct_start']!r} * num_steps", {
                **_ours("cos"),
                "div_factor": options["div"],
                "final_div_factor": _number(options["div_final"] / options["div"]),
            }
        case _:
            return None


def _ours(anneal: str, **more: bool) -> dict[str, Any]:
    return {
        "total_steps": _BEHIND_THE_LAST,
        "pct_start": _PEAK,
        "anneal_strategy": anneal,
        **more,
    }


def _number(value: float) -> float:
    """Return a quotient without the rounding error that would be all there is to see of it."""
    return float(f"{value:.12g}")


def _tables(plan: TrainingPlan, max_lr: float | Code) -> str:
    arguments = shape_arguments(plan.train)
    lines = []
    if names_a_file(plan.train.shape):
        lines.append(f"shape = {call('shapes.load', plan.train.shape)}")
        arguments["shape"] = Code("shape")
    lines.append(f"rates = {call('schedules.learning_rates', _STEPS, max_lr, **arguments)}")
    if momentum_argument(plan):
        arguments.pop("scale_percentage", None)
        ends = plan.momentum.max, plan.momentum.min
        lines.append(f"momenta = {call('schedules.momenta', _STEPS, *ends, **arguments)}")
    return "\n".join(lines)


_STEPS = Code("num_steps")
