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
    rank,
    suggest_momentum,
    suggest_weight_decay,
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
    "base_lr",
    "find_landmarks",
    "finite_part",
    "moving_average",
    "paired_difference",
    "rank",
    "slide",
    "smooth",
    "suggest_lr",
    "suggest_momentum",
    "suggest_weight_decay",
    "valley",
]
