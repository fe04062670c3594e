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


def same_start(name: str, *, is_ordered: bool) -> str:
    """Return what to say of a model whose replicates all start from the same weights.

    Args:
        name: of the model.
        is_ordered: whether they are trained on the same batches too, in the order of a pipeline.
    """
    difference = "nothing" if is_ordered else "the order of the data only"
    return (
        f"model {name} starts every replicate from the same weights: they differ in {difference}, "
        f"so the spread between them, and each interval made of it, is too small. If this is not "
        f"intended, let Keras' initializers draw the weights."
    )
