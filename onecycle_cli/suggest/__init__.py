"""From recorded curves to suggested values: pure functions on arrays.

Every suggestion carries an interval, a verdict and a reason, because refusing to suggest is a
correct answer when the data do not support one.
"""

from onecycle_cli.suggest.comparison import (
    DEFAULT_MOMENTUM,
    ON_NEW_BATCHES,
    ON_VALIDATION,
    Difference,
    Scores,
    aligned,
    annealed,
    paired_difference,
    paired_error,
    rank,
    suggest_momentum,
    suggest_weight_decay,
)
from onecycle_cli.suggest.confirmation import (
    FINALISTS,
    LADDER,
    as_good_as_the_best,
    confirm_lr,
    finalists,
    ladder,
)
from onecycle_cli.suggest.curves import (
    BANDWIDTH,
    Array,
    finite_part,
    moving_average,
    smooth,
)
from onecycle_cli.suggest.learning_rate import MARGIN, LRFindings, base_lr, suggest_lr
from onecycle_cli.suggest.rules import RULES, Rule, slide, valley
from onecycle_cli.suggest.suggestion import ACCEPTED, Suggestion
from onecycle_cli.suggest.trends import Landmarks, find_landmarks

__all__ = [
    "ACCEPTED",
    "BANDWIDTH",
    "DEFAULT_MOMENTUM",
    "FINALISTS",
    "LADDER",
    "MARGIN",
    "ON_NEW_BATCHES",
    "ON_VALIDATION",
    "RULES",
    "Array",
    "Difference",
    "LRFindings",
    "Landmarks",
    "Rule",
    "Scores",
    "Suggestion",
    "aligned",
    "annealed",
    "as_good_as_the_best",
    "base_lr",
    "confirm_lr",
    "finalists",
    "find_landmarks",
    "finite_part",
    "ladder",
    "moving_average",
    "paired_difference",
    "paired_error",
    "rank",
    "slide",
    "smooth",
    "suggest_lr",
    "suggest_momentum",
    "suggest_weight_decay",
    "valley",
]
