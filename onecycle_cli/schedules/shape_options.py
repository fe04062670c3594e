"""What else can be said of a shape: options, their types and ranges."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal, TypedDict, get_args

from onecycle_cli.errors import ArgumentError, did_you_mean
from onecycle_cli.schedules.phases import Anneal


class ShapeOptions(TypedDict, total=False):
    """What else can be said of a shape; see `shapes.OPTIONS` for what each takes.

    Attributes:
        pct_start: where the rate begins to fall, as a share of all steps; of the cyclic shapes, of
            each cycle.
        div_factor: `max_lr` over the first rate.
        final_div_factor: the first rate over the last, as PyTorch counts.
        three_phase: down to the first rate as fast as up, then to the last.
        anneal: `"cosine"` or `"linear"`.
        div: `max_lr` over the first rate.
        div_final: `max_lr` over the last rate, as fastai counts.
        final_momentum: momentum at the end, if not the one of the beginning.
        num_cycles: how many cycles.
        cycle_mult: how much longer each cycle is than the one before.
        final_share: where each cycle ends, as a share of `max_lr`.
        gamma: what the height above the first rate is multiplied by at each step.
        phases: mappings of `until` (share of all steps), `first` and `last` (shares of `max_lr`)
            and, if it is not a straight line, `anneal`.
    """

    pct_start: float
    div_factor: float
    final_div_factor: float
    three_phase: bool
    anneal: Literal["cosine", "linear"]
    div: float
    div_final: float
    final_momentum: float | None
    num_cycles: int
    cycle_mult: float
    final_share: float
    gamma: float
    phases: Sequence[Mapping[str, Any]]


def check_value(name: str, value: Any) -> None:
    """Refuse a value that is out of the range of an option.

    Raises:
        ValueError: in one sentence.
    """
    rule, holds = _RULES[name]
    if not holds(value):
        raise ArgumentError(f"{name} must be {rule}; got {value!r}.")


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -math.inf < value < math.inf


def _between(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: _is_number(value) and low <= value <= high


def _is_one_of(*names: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in names


def _is_momentum(value: Any) -> bool:
    return _is_number(value) and 0 <= value < 1


_AT_LEAST_1 = ("a number of at least 1", _between(1, math.inf))

_RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "pct_start": ("a number in [0, 1]", _between(0, 1)),
    "div_factor": _AT_LEAST_1,
    "final_div_factor": ("a number above 0", lambda v: _is_number(v) and v > 0),
    "three_phase": ("true or false", lambda v: isinstance(v, bool)),
    "anneal": ("'cosine' or 'linear'", _is_one_of("cosine", "linear")),
    "div": _AT_LEAST_1,
    "div_final": _AT_LEAST_1,
    "final_momentum": ("a number in [0, 1)", lambda v: v is None or _is_momentum(v)),
    "num_cycles": ("a whole number from 1 to 100", lambda v: type(v) is int and 1 <= v <= 100),
    "cycle_mult": ("a number from 1 to 100", _between(1, 100)),
    "final_share": ("a number in [0, 1]", _between(0, 1)),
    "gamma": ("a number in (0, 1]", lambda v: _between(0, 1)(v) and v > 0),
    "phases": ("a list of phases", lambda v: isinstance(v, list | tuple)),
}

_RULES_OF_A_PHASE: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "until": ("a share of the steps in (0, 1]", lambda v: _between(0, 1)(v) and v > 0),
    "first": ("a share of max_lr in [0, 1]", _between(0, 1)),
    "last": ("a share of max_lr in [0, 1]", _between(0, 1)),
    "anneal": ("'linear', 'cosine' or 'exp'", _is_one_of(*get_args(Anneal))),
}


def check_phases(phases: Any) -> None:
    """Refuse phases that are not a cycle from its first step to its last.

    Raises:
        ValueError: in one sentence.
    """
    needs = (
        "shape phases needs its option phases, a list such as "
        "[{until: 0.3, first: 0.1, last: 1}, {until: 1, first: 1, last: 0}]"
    )
    if not phases:
        raise ArgumentError(f"{needs}; got {'none' if phases is None else phases}.")
    for number, phase in enumerate(phases, 1):
        if not isinstance(phase, Mapping):
            raise ArgumentError(f"{needs}; phase {number} is {phase!r}.")
        if missing := [key for key in ("until", "first", "last") if key not in phase]:
            raise ArgumentError(f"phase {number} needs {' and '.join(missing)}; got {dict(phase)}.")
        for key, value in phase.items():
            if key not in _RULES_OF_A_PHASE:
                known = did_you_mean(key, list(_RULES_OF_A_PHASE))
                raise ArgumentError(f"phase {number} has no key {key!r}{known}")
            rule, holds = _RULES_OF_A_PHASE[key]
            if not holds(value):
                raise ArgumentError(f"{key} of phase {number} must be {rule}; got {value!r}.")
        if phase.get("anneal") == "exp" and not (phase["first"] and phase["last"]):
            raise ArgumentError(f"phase {number} cannot anneal by exp from or to 0; use linear.")
    ends = [phase["until"] for phase in phases]
    if ends[-1] != 1 or any(later <= earlier for earlier, later in pairwise(ends)):
        raise ArgumentError(f"the phases' until must rise, the last to 1; got {ends}.")
    if max(max(phase["first"], phase["last"]) for phase in phases) != 1:
        raise ArgumentError("one of the phases must reach 1, which is max_lr itself.")
