"""Why a training can't go on, and what to do about it."""

from __future__ import annotations

from onecycle_cli.callbacks.recorded_cycle import RecordedCycle
from onecycle_cli.config import Config
from onecycle_cli.training.plan import Plan


def why_it_failed(
    cycle: RecordedCycle, plan: Plan, config: Config, number: int, factor: float, retries: int
) -> str:
    """Say why a training can't go on, and what to do about it.

    Args:
        cycle: in which its loss diverged.
        plan: what was trained with.
        config: the configuration.
        number: of the cycle, counted from 1.
        factor: by which its learning rates had been multiplied.
        retries: how often smaller rates had been tried.
    """
    step = len(cycle.losses)
    if number == step == 1:
        return (
            "the loss was not finite at the first step, before anything was learned; check "
            "the inputs for NaN, and the model for a division by zero or a logarithm of zero."
        )
    tries = "1 try" if retries == 1 else f"{retries} tries"
    tried = f", after {tries} at smaller rates" if retries else ""
    anyway = "" if cycle.stop_reason == "non_finite" else (
        " To train on whatever the loss does, set train.retries to 0."
    )  # fmt: skip
    return (
        f"at step {step} of cycle {number}, at the learning rate {cycle.lrs[-1]:.3g}, "
        f"{what_happened(cycle)}{tried}; {_smaller_rate(plan, config, number - 1, factor)}.{anyway}"
    )


def what_happened(cycle: RecordedCycle) -> str:
    """Say in which way a loss diverged."""
    if cycle.stop_reason == "non_finite":
        return "the loss was not finite"
    return f"the loss had risen for good ({cycle.divergence})"


def _smaller_rate(plan: Plan, config: Config, place: int, factor: float) -> str:
    """Say how to come to a smaller learning rate, but not to search for one found already."""
    own = config.train.cycles[place].max_lr is not None
    key = f"train.cycles.{place}.max_lr" if own else "train.max_lr"
    lower = f"set {key} below {factor * plan.max_lrs[place]:.3g}"
    source = plan.sources[place]
    if source.startswith("suggestion"):
        return f"{lower} ({plan.max_lrs[place]:.3g} was the {source})"
    return f"{lower}, or let 'onecycle find-lr CONFIG' suggest one"
