"""What exported code says in its comments: where its values came from, and what it leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from onecycle_cli.export.plan import TrainingPlan
from onecycle_cli.export.snippets import comment
from onecycle_cli.suggest import range_in_words
from onecycle_cli.version import __version__

DECAYS = {
    "l2": "loss + wd * sum(w^2) over the kernels",
    "decoupled": "w -= lr * wd * w on the kernels",
}
"""What each kind of weight decay means; kernels are the weights with two or more axes."""


_FEW_CHANNELS = 4


def header(plan: TrainingPlan, left_out: Iterable[str]) -> str:
    """Return the comment at the top: the values, where they came from, and what is left out."""
    lines = [comment(f"{plan.label}, exported by onecycle {__version__}"), "#"]
    lines += [comment(line, "  ") for line in values_in_words(plan)]
    if notes := [*left_out]:
        lines += ["#", "# Not in this code:", *(comment(note, "- ") for note in notes)]
    return "\n".join(lines)


def values_in_words(plan: TrainingPlan) -> list[str]:
    """Return a line for each value, with where it came from."""
    rates = ", ".join(f"{rate:.6g}" for rate in plan.max_lrs)
    momentum = range_in_words(plan.momentum.model_dump())
    epochs = " and then ".join(map(str, plan.epochs))
    epochs += " epoch" if epochs == "1" else " epochs"
    steps = f" of {plan.steps_per_epoch} steps" if plan.steps_per_epoch else ""
    return [
        f"max_lr {rates} ({plan.sources['max_lr']})",
        f"momentum {momentum} ({plan.sources['momentum']})",
        f"weight decay {plan.weight_decay:.6g} ({plan.sources['weight_decay']}); "
        f"{plan.decay_kind}: {DECAYS[plan.decay_kind]}",
        f"batch size {plan.batch_size}, {epochs}{steps}",
    ]


def left_out_everywhere(plan: TrainingPlan) -> Iterator[str]:
    """Yield what neither Keras' nor PyTorch's code has, a sentence each."""
    train, augment = plan.train, plan.dataset.get("augment")
    if plan.dataset.get("normalise") in (True, "auto"):
        yield f"the inputs were standardised: {_standardised(plan.inputs)}"
    if plan.targets:
        means, stds = (_numbers(plan.targets[key]) for key in ("mean", "std"))
        yield (
            f"the targets were standardised: (y - {means}) / {stds}; so the model answers in "
            f"these units, and y = {stds} * answer + {means}"
        )
    if augment:
        yield f"training images were changed at random: {_in_words(augment)}"
    if train.resize:
        sizes = ", ".join(f"size {r.size} until {r.until:g}" for r in train.resize)
        yield f"training images had other sizes for a share of the steps: {sizes}"
    if train.ema is not None:
        yield f"an average of the weights was judged and saved, ema {train.ema:g}"
    if train.early_finish is not None:
        yield f"a training that is no better for {train.early_finish.patience} epochs is ended"
    if train.flip_evaluation:
        yield "outputs were averaged over an image and its mirror image"
    if plan.divergences:
        yield (
            f"the training diverged {plan.divergences} times, and went on from an earlier epoch "
            f"with half the learning rate; with this one alone it may diverge"
        )


def _standardised(inputs: Mapping[str, Any]) -> str:
    mean, std = inputs.get("mean"), inputs.get("std")
    if not (isinstance(mean, list) and isinstance(std, list) and len(mean) <= _FEW_CHANNELS):
        return (
            "(x - mean) / std of each channel or feature, pixels divided by 255 first; a training "
            "has the numbers in its result.json, under inputs"
        )
    x = "x / 255" if inputs.get("dtype") == "uint8" else "x"
    return f"({x} - {_numbers(mean)}) / {_numbers(std)}"


def _numbers(values: Iterable[float]) -> str:
    return f"[{', '.join(f'{value:.7g}' for value in values)}]"


def _in_words(augment: object) -> str:
    if isinstance(augment, Mapping):
        return ", ".join(f"{key} {value}" for key, value in augment.items())
    return str(augment)
