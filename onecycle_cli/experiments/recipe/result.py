"""What came of a recipe, to look at in Python."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from onecycle_cli.experiments.hyper_parameters.values import in_words
from onecycle_cli.experiments.recipe.stages import Recipe
from onecycle_cli.experiments.recipe.summary import in_brief
from onecycle_cli.kinds import TRAIN
from onecycle_cli.shown import Facts, Shown, kept_picture


@dataclass(frozen=True, repr=False)
class RunResult(Shown):
    """What came of a recipe.

    Attributes:
        recipe: its stages: what each found, in which run, at what cost.
        folder: where it is written, or `None`.
    """

    recipe: Recipe
    folder: Path | None

    @property
    def refused(self) -> bool:
        """Whether it ended because no learning rate could be suggested."""
        return self.recipe.status == "refused"

    def _sentence(self) -> str:
        stages = self.recipe.stages.values()
        found = [f"{stage.name} {in_words(stage.value)}" for stage in stages if stage.value]
        return f"The recipe is {self.recipe.status}: {', '.join(found) or 'nothing found'}."

    def _facts(self) -> Facts:
        yield from in_brief(self.recipe)
        yield "folder", self.folder

    def _picture(self) -> bytes | None:
        training = self.recipe.stages[TRAIN.name].folder
        if self.folder is None or training is None:
            return None
        return kept_picture(self.folder.parents[2] / training)
