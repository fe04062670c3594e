"""From recorded curves to suggested values: pure functions on arrays.

Every suggestion carries an interval, a verdict and a reason, because refusing to suggest is a
correct answer when the data do not support one.
"""

from onecycle_cli.suggest.bounds import Bounds
from onecycle_cli.suggest.comparison import (
    ON_NEW_BATCHES,
    ON_VALIDATION,
    Difference,
    Scores,
    aligned,
    annealed,
    annealed_loss,
    paired_difference,
    rank,
)
from onecycle_cli.suggest.curves import (
    BANDWIDTH,
    Array,
    by_trial,
    ceiling,
    finite_part,
    moving_average,
    smooth,
    usual_bandwidth,
)
from onecycle_cli.suggest.learning_rate import LRFindings, base_lr, suggest_lr
from onecycle_cli.suggest.momentum import (
    DEFAULT_MOMENTUM,
    WIDTH,
    momentum_range,
    suggest_momentum,
)
from onecycle_cli.suggest.own_rule import OwnRule, RuleFunction
from onecycle_cli.suggest.probes.choice import in_a_hurry, profile_of, suggest_from_probes
from onecycle_cli.suggest.probes.comparing import (
    FEWEST_STEPS,
    FINALISTS,
    ComparisonPlan,
    rounds_of,
)
from onecycle_cli.suggest.probes.families import Family, family_of
from onecycle_cli.suggest.probes.plan import SearchPlan, least_budget, quick_budget, usual_budget
from onecycle_cli.suggest.probes.probe import (
    FINAL,
    LADDER,
    STAGE_IN_WORDS,
    Estimate,
    Explosion,
    Measure,
    Probe,
)
from onecycle_cli.suggest.probes.rounds import Plan, Round
from onecycle_cli.suggest.probes.tables import (
    COLUMNS,
    bounds_of,
    plan_as_data,
    plan_of,
    probes_of,
    rows_of,
)
from onecycle_cli.suggest.refusals import IN_CALLBACK, IN_CONFIG, STOPPED, Names
from onecycle_cli.suggest.rules import OURS, RULES, Rule, present_name, slide, valley
from onecycle_cli.suggest.suggestion import ACCEPTED, Suggestion, range_in_words, rounded
from onecycle_cli.suggest.trends import Landmarks, find_landmarks
from onecycle_cli.suggest.weight_decay import USUAL_DECAYS, suggest_weight_decay, usual_decay

__all__ = [
    "ACCEPTED",
    "BANDWIDTH",
    "COLUMNS",
    "DEFAULT_MOMENTUM",
    "FEWEST_STEPS",
    "FINAL",
    "FINALISTS",
    "IN_CALLBACK",
    "IN_CONFIG",
    "LADDER",
    "ON_NEW_BATCHES",
    "ON_VALIDATION",
    "OURS",
    "RULES",
    "STAGE_IN_WORDS",
    "STOPPED",
    "USUAL_DECAYS",
    "WIDTH",
    "Array",
    "Bounds",
    "ComparisonPlan",
    "Difference",
    "Estimate",
    "Explosion",
    "Family",
    "LRFindings",
    "Landmarks",
    "Measure",
    "Names",
    "OwnRule",
    "Plan",
    "Probe",
    "Round",
    "Rule",
    "RuleFunction",
    "Scores",
    "SearchPlan",
    "Suggestion",
    "aligned",
    "annealed",
    "annealed_loss",
    "base_lr",
    "bounds_of",
    "by_trial",
    "ceiling",
    "family_of",
    "find_landmarks",
    "finite_part",
    "in_a_hurry",
    "least_budget",
    "momentum_range",
    "moving_average",
    "paired_difference",
    "plan_as_data",
    "plan_of",
    "present_name",
    "probes_of",
    "profile_of",
    "quick_budget",
    "range_in_words",
    "rank",
    "rounded",
    "rounds_of",
    "rows_of",
    "slide",
    "smooth",
    "suggest_from_probes",
    "suggest_lr",
    "suggest_momentum",
    "suggest_weight_decay",
    "usual_bandwidth",
    "usual_budget",
    "usual_decay",
    "valley",
]
