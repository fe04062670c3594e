"""How an experiment that breaks off is resumed, said in its error."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from onecycle_cli.errors import ProcessError
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
        raise
