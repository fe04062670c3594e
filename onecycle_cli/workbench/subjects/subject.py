"""What a workbench needs of a model, wherever it comes from."""

from __future__ import annotations

from typing import Any, Protocol


class Subject(Protocol):
    """A model, and how each replicate of it starts.

    Attributes:
        model: the model, at the start of the first replicate.
    """

    model: Any

    def redraw(self, replicate: int) -> bool:
        """Give the model, which is at its start, the initial weights of another replicate.

        Returns:
            Whether they differ from those of the first one.
        """
        ...
