"""Why a schedule would act on nothing, and what to do about it."""

from __future__ import annotations

from typing import Any

from onecycle_cli.errors import OptimizerError

COMPILED_MEANWHILE = (
    "the model was compiled again, or given another optimizer, while it was being trained, which "
    "leaves the schedule without effect; compile it before fit, and call fit again after each."
)


def unused(model: Any) -> OptimizerError:
    """Return the error for a model that is trained by another optimizer than its own."""
    return OptimizerError(
        f"the train_step of {type(model).__name__} does not use model.optimizer, so a schedule on "
        f"it acts on nothing; compile the model with the optimizer that trains it, and let "
        f"train_step call self.optimizer.apply."
    )


def leaves_updates(optimizer: Any) -> OptimizerError:
    """Return the error for an optimizer that leaves the updates to others."""
    name = type(optimizer).__name__
    return OptimizerError(
        f"{name} leaves the updates to another optimizer, or to several, which a learning rate set "
        f"on {name} does not reach; compile the model with one that updates. (One that is kept as "
        f"the attribute inner_optimizer is found.)"
    )


def works_out_its_rate(optimizer: Any) -> OptimizerError:
    """Return the error for an optimizer that does not take the learning rate as it is."""
    return OptimizerError(
        f"{type(optimizer).__name__} does not update with the learning rate that is set, but with "
        f"one that it works out itself, so a schedule would not be what trains the model; compile "
        f"it with an optimizer that takes the rate as it is."
    )


def unread(optimizer: Any, name: str) -> OptimizerError:
    """Return the error for a hyper-parameter that the optimizer has and does not use."""
    return OptimizerError(
        f"{type(optimizer).__name__} does not use its {name} when it updates, so a schedule would "
        f"not reach the weights; leave it alone with maximum_momentum=None and "
        f"minimum_momentum=None."
    )
