"""The state of a training as plain data, and back."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from onecycle_cli.engine.state.snapshot import Snapshot
from onecycle_cli.errors import ConfigError, ModelError
from onecycle_cli.runs.checkpoints import VERSION, State
from onecycle_cli.training.course import Course
from onecycle_cli.training.final_weights import FinalWeights


def state_of(course: Course, weights: FinalWeights) -> State:
    """Return all that decides how a training goes on."""
    snapshot = Snapshot(course.bench.model)
    parts: dict[str, dict[str, NDArray[Any]]] = {
        "variables": snapshot.arrays,
        "average": weights.as_arrays(),
    }
    about = {
        "version": VERSION,
        "step": len(course.log),
        "tables": course.log.mark(),
        "cycle": course.number,
        "first": course.first,
        "planned_epochs": course.epochs,
        "schedule": course.schedule,
        "best_since": course.best_since,
        "factor": course.factor,
        "watched_from": course.cycle.watched_from,
        "retries": course.retries,
        "events": list(course.events),
        "seconds": course.seconds,
        "generators": snapshot.generators,
    }
    arrays = {f"{part}/{name}": a for part, named in parts.items() for name, a in named.items()}
    return State(about, arrays)


def go_back_to(state: State, course: Course, weights: FinalWeights) -> None:
    """Bring model and course back; what happened since, its events and retries, is not forgotten.

    Raises:
        ConfigError: when the state is that of another model.
    """
    about = state.about
    try:
        here = Snapshot(course.bench.model)
        here.with_contents(_part(state, "variables"), about["generators"]).restore()
        weights.restore(_part(state, "average"))
    except ModelError as error:
        raise ConfigError(f"the checkpoint cannot be used: {error}") from None
    course.log.go_back(about["tables"])
    course.number, course.first = about["cycle"], about["first"]
    course.epochs, course.best_since = list(about["planned_epochs"]), about["best_since"]
    course.factor = about["factor"]
    course.take_up_cycle(about["schedule"], about["watched_from"])


def resume_from(state: State, course: Course, weights: FinalWeights) -> None:
    """Go on as the training would have that the state was taken of.

    Raises:
        ConfigError: when the state is that of another model.
    """
    go_back_to(state, course, weights)
    course.events = list(state.about["events"])
    course.retries = state.about["retries"]
    course.seconds_before = state.about["seconds"]


def _part(state: State, name: str) -> dict[str, NDArray[Any]]:
    """Return the arrays under a name, by what follows it."""
    prefix = f"{name}/"
    return {k.removeprefix(prefix): v for k, v in state.arrays.items() if k.startswith(prefix)}
