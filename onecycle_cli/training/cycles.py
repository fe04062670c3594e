"""The 1cycle passes of a training, carried out so that nothing can be lost.

What a step does depends on the state before it alone, and a checkpoint holds that state whole: so
a training that is resumed gives the bits of one that was never broken off.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from keras import ops

from onecycle_cli import data, schedules
from onecycle_cli.callbacks.divergence import Divergence
from onecycle_cli.callbacks.recorded_cycle import RecordedCycle
from onecycle_cli.callbacks.weight_average import WeightAverage
from onecycle_cli.engine.state.snapshot import Snapshot
from onecycle_cli.engine.steering.names import LEARNING_RATE, MOMENTUM
from onecycle_cli.errors import ConfigError, ModelError, ResultError, TrainingError
from onecycle_cli.observer import Observer
from onecycle_cli.runs import files
from onecycle_cli.runs.checkpoints import Checkpoints, State
from onecycle_cli.runs.log import NOT_HISTORY, Epoch, Logbook
from onecycle_cli.runs.run_folder import RunFolder
from onecycle_cli.training.hooks import Hooks
from onecycle_cli.training.interrupts import Interrupts
from onecycle_cli.training.plan import Plan
from onecycle_cli.training.reporting import Reporting
from onecycle_cli.workbench.bench import Workbench
from onecycle_cli.workbench.steps_together import steps_together

COOL_DOWN_SHARE = 0.1
"""A cool-down takes so many steps for each step of the cycle before it."""

_SHORTEST_COOL_DOWN = 20
_SMALLER = 0.5
_ANCHORS = 2


class Cycles:
    """Carries out the cycles of a training, from its start or from a checkpoint.

    Args:
        bench: the model and its data.
        plan: what to train with.
        run: where to write; `None` writes nothing.
        observer: hears of the progress.
        keep_epoch: writes down that an epoch is over; told whether its model is the best so far.

    Attributes:
        log: every step and epoch so far.
        epochs: of each cycle, as planned.
        events: what happened that was not planned, as plain data.
        ended: why the training ended before its time: `"interrupted"` or `"early"`.
        seconds: that it took, in all its sittings.
        checkpoints: what was written of them.
    """

    def __init__(
        self,
        bench: Workbench,
        plan: Plan,
        run: RunFolder | None,
        observer: Observer,
        keep_epoch: Callable[[bool], None],
    ) -> None:
        self._bench, self._plan, self._run, self._observer = bench, plan, run, observer
        self._keep_epoch, self._max_lrs = keep_epoch, plan.max_lrs
        self._settings = bench.config.train
        self.log = Logbook()
        self.epochs = [cycle.epochs for cycle in self._settings.cycles]
        self.events: list[dict[str, Any]] = []
        self.ended: str | None = None
        self.checkpoints = Checkpoints(
            self._run.path if self._run else None, every=self._settings.checkpoint_seconds
        )
        decay = self._settings.ema
        self._average = None if decay is None else WeightAverage(self._bench.model, decay)
        self._together = steps_together(self._bench)
        self._chance = self._bench.chance
        self._interrupts = Interrupts()
        self._number, self._first = 1, 0
        self._best_since = 0
        self._factor, self._retries = 1.0, 0
        self._anchors: list[State] = []
        self._seconds_before, self._started = 0.0, time.perf_counter()
        self._cycle = self._new_cycle()

    @property
    def seconds(self) -> float:
        """The time that the training took so far, in seconds."""
        return self._seconds_before + time.perf_counter() - self._started

    @property
    def best(self) -> Epoch | None:
        """The epoch whose model is kept as the best."""
        epochs = self.log.epochs[self._best_since :]
        return max(epochs, key=lambda epoch: epoch.merit, default=None)

    def restore(self, asked_epochs: list[int] | None, policy: str | None) -> None:
        """Go back to the newest checkpoint, and change the plan if that is asked for.

        Args:
            asked_epochs: of each cycle; `None` leaves them as planned.
            policy: how the present cycle gets more or fewer epochs: one of `schedules.POLICIES`.

        Raises:
            ConfigError: when the change is impossible, or the checkpoint is of another model.
        """
        state = self.checkpoints.read_newest(self._observer.warn)
        if state is not None:
            self._go_back_to(state)
            self.events = list(state.about["events"])
            self._retries = state.about["retries"]
            self._seconds_before = state.about["seconds"]
            self._anchors = [*state.earlier, *([state] if state.about.get("is_anchor") else [])]
            self._observer.note(f"from step {len(self.log)}, in epoch {len(self.log.epochs) + 1}")
        if asked_epochs is not None and asked_epochs != self.epochs:
            self._change_plan(asked_epochs, policy)
        self._started = time.perf_counter()

    def carry_out(self) -> None:
        """Train until all cycles are done, or something ends the training before its time.

        Raises:
            TrainingError: when the loss diverges again and again.
            KeyboardInterrupt: after a second Ctrl-C; `Terminated` after SIGTERM.
        """
        with self._interrupts:
            while self._number <= len(self.epochs) and self.ended is None:
                self._run_cycle()
                if self.ended is None:
                    self._begin_next_cycle()

    def final_weights(self) -> contextlib.AbstractContextManager[None]:
        """Give the model the weights to be evaluated and saved: their average, if there is one."""
        return contextlib.nullcontext() if self._average is None else self._average.in_force()

    def take_down(self) -> None:
        """Enter the steps of the present cycle that are not in the books yet."""
        since = len(self.log) - self._first
        cycle = self._cycle
        until = len(cycle.losses)  # an interrupt may fall between a step's rate and its loss
        recorded = {name: values[since:until] for name, values in cycle.history.items()}
        if until > since:
            recorded["loss"] = cycle.losses[since:]
            self.log.enter(recorded, epoch=len(self.log.epochs) + 1, cycle=self._number)

    # --- the cycles ---------------------------------------------------------------------------

    def _new_cycle(self) -> RecordedCycle:
        cycle = self._bench.cycle(
            self._max_lrs[self._number - 1],
            self._plan.momentum,
            self._plan.weight_decay,
            divergence=self._watch() if self._settings.retries else None,
        )
        tables = cycle.tabulated(self.epochs[self._number - 1] * self._bench.steps_per_epoch)
        cycle.go_on(tables, {"lr": [], "momentum": []}, [])
        return cycle

    def _watch(self) -> Divergence:
        """Return the watch for a divergence, as the cycles that are done leave it."""
        divergence = Divergence(self._chance)
        divergence.follow(self.log.steps.get("loss", [])[: self._first])
        divergence.start_afresh()
        return divergence

    def _begin_next_cycle(self) -> None:
        self._number, self._first = self._number + 1, len(self.log)
        self._factor, self._anchors = 1.0, []
        if self._number <= len(self.epochs):
            self._cycle = self._new_cycle()

    def _run_cycle(self) -> None:
        cycle, whole = self._cycle, self._bench.steps_per_epoch
        of = f" of {len(self.epochs)}" if len(self.epochs) > 1 else ""
        self._observer.begin(f"cycle {self._number}{of}", cycle.steps_to_go)
        if not cycle.losses:
            self._drop_anchor()
        while cycle.steps_to_go:
            into = len(cycle.losses) % whole
            if into or cycle.steps_to_go < whole:
                self._fit(min(whole - into, cycle.steps_to_go), 1)
            else:
                self._fit(whole, cycle.steps_to_go // whole)
            if cycle.stop_reason is not None:
                self._try_again()
                cycle = self._cycle
        self._observer.end()

    def _fit(self, steps: int, epochs: int) -> None:
        cycle, together = self._cycle, self._together if steps % self._together == 0 else 1
        self._bench.train(
            steps,
            [
                cycle,
                *([] if self._average is None else [self._average]),
                Reporting(self._observer, cycle),
                Hooks(step=self._after_step, epoch=self._close_epoch),
            ],
            epochs=epochs,
            start=self._first + len(cycle.losses),
            together=together,
            resize=data.resizing(self._settings, sum(self.epochs) * self._bench.steps_per_epoch),
        )

    def _after_step(self) -> None:
        """Hear signals and write checkpoints; at the end of an epoch that is put off till then."""
        cycle = self._cycle
        at_epoch_end = not cycle.steps_to_go or not len(cycle.losses) % self._bench.steps_per_epoch
        if cycle.stop_reason is None and not at_epoch_end:
            self._attend(at_epoch_end=False)

    def _close_epoch(self) -> None:
        """Validate, take the epoch down, and keep the model if it is the best so far."""
        if self._cycle.stop_reason is not None:
            return
        with self.final_weights():
            examined = self._bench.examine("validation")
        self.take_down()
        number = len(self.log.epochs) + 1
        losses = [
            loss
            for loss, epoch in zip(self.log.steps["loss"], self.log.steps["epoch"], strict=True)
            if epoch == number
        ]
        epoch = Epoch(
            epoch=number,
            cycle=self._number,
            loss=float(np.mean(losses)),
            val_loss=examined.loss,
            val_accuracy=examined.accuracy,
        )
        self.log.epochs.append(epoch)
        accuracy = "" if epoch.val_accuracy is None else f", accuracy {epoch.val_accuracy:.2%}"
        self._observer.note(
            f"epoch {epoch.epoch}: loss {epoch.loss:.4f}, validation loss {epoch.val_loss:.4f}"
            f"{accuracy}"
        )
        self._keep_epoch(self.best is epoch)
        self._drop_anchor()
        self._attend(at_epoch_end=True)
        self._consider_finishing()

    def _attend(self, *, at_epoch_end: bool) -> None:
        interrupts = self._interrupts
        signalled = interrupts.terminated or interrupts.asked
        is_due = self.checkpoints.is_due(at_epoch_end=at_epoch_end)
        if self.ended is None and (signalled or is_due):
            self._checkpoint()
        interrupts.check()
        if interrupts.asked and self.ended is None and self._cycle.steps_to_go:
            steps = self._cool_down("interrupted")
            self._observer.warn(
                f"Ctrl-C: the learning rate falls to its end within {steps} steps, then the model "
                f"is evaluated and saved; press it again to save and quit at once."
            )

    # --- ends before their time ---------------------------------------------------------------

    def _consider_finishing(self) -> None:
        settings, cycle = self._settings.early_finish, self._cycle
        if settings is None or self.ended is not None or self.best is None:
            return
        rates = cycle.schedule[LEARNING_RATE]
        is_past_peak = len(cycle.losses) > int(np.argmax(rates))
        waited = len(self.log.epochs) - self.best.epoch
        if is_past_peak and waited >= settings.patience and cycle.steps_to_go:
            steps = self._cool_down("early")
            self._observer.note(
                f"no better epoch for {waited} epochs: finishing with a cool-down of {steps} steps"
            )

    def _cool_down(self, why: str) -> int:
        """Let the learning rate fall to its end from here, and return in how many steps."""
        cycle, done = self._cycle, len(self._cycle.losses)
        wanted = max(_SHORTEST_COOL_DOWN, math.ceil(COOL_DOWN_SHARE * done))
        whole = math.ceil(wanted / self._together) * self._together
        steps = min(cycle.steps_to_go, whole)
        rates = cycle.schedule[LEARNING_RATE]
        final = schedules.final_rate(rates, self._max_lrs[self._number - 1])
        ends = {LEARNING_RATE: final, MOMENTUM: self._plan.momentum["max"]}
        cycle.reschedule(
            {
                name: schedules.cooled_down(table, done, steps, ends.get(name, table[-1]))
                for name, table in cycle.schedule.items()
            }
        )
        self.ended = why
        at = self._first + done
        self.events.append({"what": why, "step": at, "cool_down_steps": steps})
        self._observer.begin("cool-down", steps)
        return steps

    def _try_again(self) -> None:
        """After a divergence: back to the last good state, with a smaller learning rate.

        Raises:
            TrainingError: when that has been tried often enough, or there is nothing to go back to.
        """
        cycle = self._cycle
        at_once = self._number == len(cycle.losses) == 1
        if at_once or self._retries >= self._settings.retries or not self._anchors:
            raise TrainingError(self._why())
        what = _what_happened(cycle)
        event = {
            "what": cycle.stop_reason,
            "cycle": self._number,
            "step": self._first + len(cycle.losses) - 1,
            "lr": cycle.lrs[-1],
            "loss": cycle.losses[-1] if math.isfinite(cycle.losses[-1]) else None,
        }
        went_back_before = [e.get("back_to") for e in self.events if e.get("cycle") == self._number]
        if len(self._anchors) > 1 and self._anchors[-1].about["step"] in went_back_before:
            self._anchors.pop()
        factor, events, anchors = self._factor * _SMALLER, self.events, self._anchors
        self._go_back_to(anchors[-1])
        self._anchors, self._retries = anchors, self._retries + 1
        self._scale_what_remains(factor)
        event |= {"back_to": len(self.log), "max_lr": factor * self._max_lrs[self._number - 1]}
        self.events = [*events, event]
        self._observer.warn(
            f"at step {event['step']} {what}; going back to step {event['back_to']} with "
            f"{factor:g} times the learning rate (try {self._retries} of "
            f"{self._settings.retries}, see train.retries)."
        )
        self._observer.begin(f"cycle {self._number}, again", self._cycle.steps_to_go)

    def _why(self) -> str:
        """Say why the training can't go on, and what to do about it."""
        cycle, step = self._cycle, len(self._cycle.losses)
        if self._number == step == 1:
            return (
                "the loss was not finite at the first step, before anything was learned; check "
                "the inputs for NaN, and the model for a division by zero or a logarithm of zero."
            )
        tries = "1 try" if self._retries == 1 else f"{self._retries} tries"
        tried = f", after {tries} at smaller rates" if self._retries else ""
        anyway = "" if cycle.stop_reason == "non_finite" else (
            " To train on whatever the loss does, set train.retries to 0."
        )  # fmt: skip
        return (
            f"at step {step} of cycle {self._number}, at the learning rate {cycle.lrs[-1]:.3g}, "
            f"{_what_happened(cycle)}{tried}; {self._smaller_rate()}.{anyway}"
        )

    def _smaller_rate(self) -> str:
        """Say how to come to a smaller learning rate, but not to search for one found already."""
        config, place = self._bench.config, self._number - 1
        own = config.train.cycles[place].max_lr is not None
        key = f"train.cycles.{place}.max_lr" if own else "train.max_lr"
        lower = f"set {key} below {self._factor * self._max_lrs[place]:.3g}"
        source = self._plan.sources[place]
        if source.startswith("suggestion"):
            return f"{lower} ({self._max_lrs[place]:.3g} was the {source})"
        return f"{lower}, or let 'onecycle find-lr CONFIG' suggest one"

    def _scale_what_remains(self, factor: float) -> None:
        cycle, done = self._cycle, len(self._cycle.losses)
        rates = cycle.schedule[LEARNING_RATE]
        cycle.watch_from_here()
        scaled = [rate * factor / self._factor for rate in rates[done:]]
        cycle.reschedule({**cycle.schedule, LEARNING_RATE: [*rates[:done], *scaled]})
        self._factor = factor

    # --- states -------------------------------------------------------------------------------

    def _drop_anchor(self) -> None:
        """Remember this state as one to go back to after a divergence."""
        divergence = self._cycle.divergence
        if divergence is not None and self.ended is None and not divergence.suspected:
            self._anchors = [*self._anchors[1 - _ANCHORS :], self._state()]

    def _checkpoint(self) -> None:
        if self._run is None:
            return
        self._run.keep()
        self.take_down()
        if self._anchors and self._anchors[-1].about["step"] == len(self.log):
            *earlier, last = self._anchors
            state = State(last.about | {"is_anchor": True}, last.arrays, earlier)
        else:
            now = self._state()
            state = State(now.about, now.arrays, self._anchors)
        self.checkpoints.write(state)

    def _state(self) -> State:
        self.take_down()
        snapshot = Snapshot(self._bench.model)
        arrays = {f"variables/{name}": value for name, value in snapshot.arrays.items()}
        arrays |= {f"average/{name}": value for name, value in self._averages().items()}
        arrays |= {f"steps/{name}": value for name, value in self.log.as_arrays().items()}
        tables = self._cycle.schedule.items()
        arrays |= {f"schedule/{name}": np.array(table, np.float64) for name, table in tables}
        about = {
            "step": len(self.log),
            "cycle": self._number,
            "first": self._first,
            "planned_epochs": self.epochs,
            "epochs": self.log.epochs_as_lists(),
            "best_since": self._best_since,
            "factor": self._factor,
            "watched_from": self._cycle.watched_from,
            "retries": self._retries,
            "events": self.events,
            "seconds": self.seconds,
            "generators": snapshot.generators,
        }
        return State(about, arrays)

    def _averages(self) -> dict[str, Any]:
        held = [] if self._average is None else self._average.variables
        return {f"{i:04d}": np.array(ops.convert_to_numpy(v)) for i, v in enumerate(held)}

    def _go_back_to(self, state: State) -> None:
        about = state.about
        try:
            here = Snapshot(self._bench.model)
            here.with_contents(_part(state, "variables"), about["generators"]).restore()
            for name, value in _part(state, "average").items():
                if self._average is not None:
                    self._average.variables[int(name)].assign(value)
        except ModelError as error:
            raise ConfigError(f"the checkpoint cannot be used: {error}") from None
        self.log = Logbook.restored(_part(state, "steps"), about["epochs"])
        self._number, self._first = about["cycle"], about["first"]
        self.epochs, self._best_since = list(about["planned_epochs"]), about["best_since"]
        self._factor = about["factor"]
        self._cycle = self._new_cycle()
        taken = self.log.of_cycle(self._number)
        self._cycle.go_on(
            {name: table.tolist() for name, table in _part(state, "schedule").items()},
            {"lr": [], "momentum": []} | {k: v for k, v in taken.items() if k not in NOT_HISTORY},
            taken.get("loss", []),
            about["watched_from"],
        )

    # --- a changed plan -----------------------------------------------------------------------

    def _change_plan(self, asked: list[int], policy: str | None) -> None:
        """Give this cycle and those to come other numbers of epochs."""
        present = self._number - 1
        if asked[:present] != self.epochs[:present]:
            raise ConfigError(
                f"train.cycles: the first {present} of the cycles are done and stay at "
                f"{self.epochs[:present]} epochs; got {asked[:present]}."
            )
        if self._cycle.losses and asked[present] != self.epochs[present]:
            self._change_cycle(asked[present], policy)
        elif not self._cycle.losses:
            self.epochs = list(asked)
            self._cycle = self._new_cycle()
        event = {"what": "plan", "step": len(self.log), "epochs": asked, "policy": policy}
        self.events.append(event | {"before": self.epochs})
        self.epochs = list(asked)
        self._anchors = []
        if self._run is not None and self._is_best_of_another_future():
            self._best_since = len(self.log.epochs)
        self._drop_anchor()
        self._checkpoint()

    def _change_cycle(self, epochs: int, policy: str | None) -> None:
        cycle, done = self._cycle, len(self._cycle.losses)
        before, total = done + cycle.steps_to_go, epochs * self._bench.steps_per_epoch
        if policy not in schedules.POLICIES:
            raise ConfigError(
                f"cycle {self._number} is at step {done} of {before} and is asked to have {total}: "
                f"say how, by --policy stretch (what remains of the schedule is spread over the "
                f"steps to come) or --policy extend (the present values are held first)."
            )
        if total <= done:
            raise ConfigError(
                f"cycle {self._number} has done {done} steps and cannot have {total} in all; ask "
                f"for more epochs, or press Ctrl-C in a training to end it with a cool-down."
            )
        if policy == "extend" and total < before:
            raise ConfigError(
                f"--policy extend cannot make cycle {self._number} shorter ({total} steps instead "
                f"of {before}); use --policy stretch."
            )
        change = schedules.POLICIES[policy]
        tables = cycle.schedule.items()
        cycle.reschedule({name: change(table, done, total) for name, table in tables})

    def _is_best_of_another_future(self) -> bool:
        """Tell whether `best.keras` may be of an epoch that is going to be another one."""
        if self._run is None or not (self._run.path / "history.csv").is_file():
            return False
        try:
            written = files.read_csv(self._run.path / "history.csv")["epoch"]
        except (ResultError, LookupError):
            return True
        return len(written) > len(self.log.epochs)


def _part(state: State, name: str) -> Mapping[str, Any]:
    """Return the arrays under a name, by what follows it."""
    prefix = f"{name}/"
    return {k.removeprefix(prefix): v for k, v in state.arrays.items() if k.startswith(prefix)}


def _what_happened(cycle: RecordedCycle) -> str:
    if cycle.stop_reason == "non_finite":
        return "the loss was not finite"
    return f"the loss had risen for good ({cycle.divergence})"
