"""Section `optimizer`: what the finders start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import field_validator

from onecycle_cli.config.section import FunctionName, Momentum, NotNegative, Section, one_of


@dataclass(frozen=True)
class _Optimizer:
    """What there is to know of an optimizer of Keras.

    Attributes:
        about: its momentum and its decay, in words.
        is_decoupled: whether its own weight decay is a decoupled one.
        step_grows: whether its step grows with 1 / (1 - momentum).
    """

    about: str
    is_decoupled: bool = False
    step_grows: bool = False


_NONE = "no momentum: needs optimizer.momentum 0 and train.momentum {max: 0, min: 0}"

_OPTIMIZERS: dict[str, _Optimizer] = {
    "sgd": _Optimizer("momentum, Nesterov if asked for", step_grows=True),
    "rmsprop": _Optimizer("momentum", step_grows=True),
    "adam": _Optimizer("beta_1 as momentum"),
    "adamw": _Optimizer("beta_1 as momentum, decoupled decay", is_decoupled=True),
    "nadam": _Optimizer("beta_1 as momentum"),
    "adamax": _Optimizer("beta_1 as momentum"),
    "lamb": _Optimizer("beta_1 as momentum"),
    "lion": _Optimizer("beta_1 as momentum, decoupled decay", is_decoupled=True),
    "muon": _Optimizer("momentum, and AdamW's beta_1 with it; decoupled decay", is_decoupled=True),
    "adagrad": _Optimizer(_NONE),
    "adadelta": _Optimizer(_NONE),
    "ftrl": _Optimizer(f"for linear models; {_NONE}"),
}

OPTIMIZERS: dict[str, str] = {name: row.about for name, row in _OPTIMIZERS.items()}

UNSUITABLE: dict[str, str] = {
    "adafactor": "never takes a learning rate above 1 / sqrt(step), whatever is set; "
    "take adamw, for example",
    "schedulefreeadamw": "averages its weights in a way that holds for one beta_1 only, and is "
    "made to do without a schedule; take adamw",
    "lossscaleoptimizer": "wraps another optimizer; name that one, and set precision to "
    "mixed_float16",
    "multioptimizer": "leaves the updates to several others; name one",
}
"""The other optimizers of Keras, and why no learning rate can be found for them."""


class OptimizerConfig(Section):
    """What the finders start from.

    Attributes:
        name: one of those that `onecycle list optimizers` shows, or `path/to/file.py:function`;
            `compiled`: one that the model was compiled with, and that is not one of Keras'.
        nesterov: use Nesterov's momentum, if the optimizer has it.
        momentum: the momentum that range tests hold constant; `beta_1` for the Adam family.
        weight_decay: the weight decay of the searches, and of the training if no other is found;
            `decay` says which kind it is.
        decay: the kind of weight decay: `l2`, a penalty, or `decoupled`, as in AdamW; `auto`: the
            optimizer's own kind, or `l2`.
    """

    main_key: ClassVar[str] = "name"

    name: (
        Annotated[str, one_of([*OPTIMIZERS, "compiled"], unlisted=("compiled",))] | FunctionName
    ) = "sgd"
    nesterov: bool = True
    momentum: Momentum = 0.9
    weight_decay: NotNegative = 0.0
    decay: Literal["auto", "l2", "decoupled"] = "auto"

    @field_validator("name", mode="before")
    @classmethod
    def _is_suitable(cls, name: object) -> object:
        if isinstance(name, str) and name.casefold() in UNSUITABLE:
            raise ValueError(f"{name} {UNSUITABLE[name.casefold()]}")
        return name

    @property
    def decay_kind(self) -> Literal["l2", "decoupled"]:
        """Which decay a number means: `l2` (loss + wd * sum(w^2)) or `decoupled` (w -= lr wd w)."""
        if self.decay != "auto":
            return self.decay
        row = _OPTIMIZERS.get(self.name)
        return "decoupled" if row and row.is_decoupled else "l2"

    @property
    def step_grows_with_momentum(self) -> bool:
        """Whether the step size is proportional to lr / (1 - momentum); taken so of one's own."""
        row = _OPTIMIZERS.get(self.name)
        return row is None or row.step_grows
