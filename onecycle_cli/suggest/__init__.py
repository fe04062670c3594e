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
    momentum_range,
    paired_difference,
    paired_error,
    rank,
    suggest_momentum,
    suggest_weight_decay,
)
from onecycle_cli.suggest.confirmation import (
    FURTHEST,
    as_good_as_the_best,
    confirm_lr,
    finalists,
    ladder,
    next_rate,
)
from onecycle_cli.suggest.curves import (
    BANDWIDTH,
    Array,
    ceiling,
    finite_part,
    moving_average,
    smooth,
    usual_bandwidth,
)
from onecycle_cli.suggest.learning_rate import LRFindings, base_lr, suggest_lr
from onecycle_cli.suggest.own_rule import OwnRule, RuleFunction
from onecycle_cli.suggest.racing import (
    FEWEST_STEPS,
    LAST_SEATS,
    Rung,
    plan_race,
    race_runs,
    race_steps,
    survivors,
)
from onecycle_cli.suggest.refusals import STOPPED
from onecycle_cli.suggest.rules import OURS, RULES, Rule, slide, valley
from onecycle_cli.suggest.suggestion import ACCEPTED, Suggestion
from onecycle_cli.suggest.trends import Landmarks, find_landmarks

__all__ = [
    "ACCEPTED",
    "BANDWIDTH",
    "DEFAULT_MOMENTUM",
    "FEWEST_STEPS",
    "FURTHEST",
    "LAST_SEATS",
    "ON_NEW_BATCHES",
    "ON_VALIDATION",
    "OURS",
    "RULES",
    "STOPPED",
    "Array",
    "Difference",
    "LRFindings",
    "Landmarks",
    "OwnRule",
    "Rule",
    "RuleFunction",
    "Rung",
    "Scores",
    "Suggestion",
    "aligned",
    "annealed",
    "as_good_as_the_best",
    "base_lr",
    "ceiling",
    "confirm_lr",
    "finalists",
    "find_landmarks",
    "finite_part",
    "ladder",
    "momentum_range",
    "moving_average",
    "next_rate",
    "paired_difference",
    "paired_error",
    "plan_race",
    "race_runs",
    "race_steps",
    "rank",
    "slide",
    "smooth",
    "suggest_lr",
    "suggest_momentum",
    "suggest_weight_decay",
    "survivors",
    "usual_bandwidth",
    "valley",
]
