"""Results that are drawn as the picture of their run is."""

from __future__ import annotations

from pathlib import Path

from onecycle_cli import plotting
from onecycle_cli.errors import ResultError
from onecycle_cli.runs.records import Record
from onecycle_cli.shown import Shown, kept_picture


class Drawn(Shown):
    """A result that knows what its run's files say, whether they are kept or not.

    Attributes:
        record: what they say; `None` for a result that was made by hand.
        folder: where they are, or `None`.
    """

    record: Record | None
    folder: Path | None

    def plot(self) -> plotting.Figure:
        """Return the picture of the run, as a Matplotlib figure.

        Raises:
            ResultError: when there is nothing to draw.
        """
        if self.record is None:
            raise ResultError("there is nothing to draw: the result is not one of a run.")
        return plotting.draw(self.record)

    def _picture(self) -> bytes | None:
        if self.folder is not None:
            return kept_picture(self.folder)
        return None if self.record is None else plotting.png(self.plot())
