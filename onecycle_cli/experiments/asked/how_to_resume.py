"""How an experiment that breaks off is resumed, said in its error."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from onecycle_cli.errors import ProcessError
from onecycle_cli.kinds import TRAIN
from onecycle_cli.runs.stores.urls import address

if TYPE_CHECKING:
    from onecycle_cli.experiments.asked.request import Request
    from onecycle_cli.experiments.session import Session


@contextlib.contextmanager
def saying_how_to_resume(ready: Session, request: Request, *, is_stage: bool) -> Iterator[None]:
    """Add to an interruption by which command the run is resumed; recipes have their own."""
    try:
        yield
    except (KeyboardInterrupt, ProcessError) as error:
        if ready.run.is_kept and not is_stage and request.out is not None:
            newest = request.out / ready.config.name  # all that those who don't write know
            run = address(newest if ready.is_scratch else ready.run.final)
            error.add_note(f"'onecycle {ready.kind.name} --resume {run}' goes on.")
        if isinstance(error, KeyboardInterrupt):
            _show_briefly(error, ready)
        raise


def _show_briefly(error: KeyboardInterrupt, ready: Session) -> None:
    """Let a notebook show a sentence, and not where the steps were at that moment."""
    state = ""
    if ready.bench.is_in_hand:
        state = "has learned until then" if ready.kind is TRAIN else "is as it was before"
    said = f"{ready.kind.name} was interrupted{f', and the model {state}' if state else ''}."
    shown = [f"KeyboardInterrupt: {said}", *getattr(error, "__notes__", [])]
    vars(error)["_render_traceback_"] = lambda: shown
