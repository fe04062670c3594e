"""What an experiment tells whoever watches it."""

from __future__ import annotations


class Observer:
    """Hears what happens; this one ignores it all. Override what you want to show."""

    def note(self, text: str) -> None:
        """Hear a fact worth knowing, such as what the experiment is going to cost."""

    def warn(self, text: str) -> None:
        """Hear of something that the user should look into."""

    def expect(self, steps: int) -> None:
        """Hear how many steps a whole search or training has, at most, in all its stretches."""

    def recall(self, steps: int) -> None:
        """Hear of steps among these that were done before the work broke off, and stay done."""

    def expect_after(self, seconds: float) -> None:
        """Hear how long the work takes that follows all these steps, as after a recipe's stage."""

    def busy(self, text: str) -> None:
        """Hear of work without steps that takes seconds, such as drawing; until anything else."""

    def begin(self, title: str, steps: int) -> None:
        """Hear that a stretch of training begins, of at most so many steps."""

    def advance(self, **shown: float) -> None:
        """Hear that one more step is done, with the values worth showing."""

    def end(self, outcome: str = "") -> None:
        """Hear that the stretch is over, and how."""

    def download(self, received: int, total: int | None) -> None:
        """Hear how many bytes of a data set have arrived."""

    def decode(self, done: int, total: int | None) -> None:
        """Hear how many images of a folder have been decoded."""
