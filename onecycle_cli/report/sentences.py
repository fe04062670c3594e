"""What a run was asked, what it answers, and how sure that is, in sentences that anyone reads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from onecycle_cli.kinds import KINDS, PROBES, TRAIN
from onecycle_cli.plotting.paper.numbers import number
from onecycle_cli.plotting.wording import conditions, known, percent
from onecycle_cli.report.document import Headline, Part, Text
from onecycle_cli.runs.records import Record

SURE, DOUBTFUL, REFUSED = "sure", "doubtful", "refused"

_QUESTIONS = {
    "find-lr": "Which maximum learning rate should this model be trained with?",
    "find-wd": "Which weight decay should this model be trained with?",
    "find-momentum": "Between which two values should the momentum move?",
    "train": "How good does the model get with these values?",
}
_BADGES = {SURE: "clear answer", DOUBTFUL: "undecided", REFUSED: "no suggestion"}
_DECAYS = {"l2": " (L2 penalty)", "decoupled": " (decoupled)"}
_ENDED = {
    "early": "The training ended early: the validation did not get better any more.",
    "interrupted": "The training was interrupted, and ended by a short cool-down. 'onecycle ls' "
    "says how to go on with it.",
}
_95_PERCENT = 1.96


def question(record: Record) -> list[Part]:
    """Return what was asked, of which model and which data."""
    parts: list[Part] = [Text(_QUESTIONS[record.kind])]
    if about := ", ".join(conditions(record)):
        parts.append(Text(f"{about}{_length(record)}.", "muted"))
    if how := _method(record):
        parts.append(Text(how, "muted"))
    return parts


def answer(record: Record) -> list[Part]:
    """Return the answer, how sure it is, and why; what makes it less than it seems comes last."""
    if record.kind == TRAIN.name:
        return [_training_headline(record), *_training_sentences(record), *caveats(record)]
    found = record.result.get("suggestion") or {}
    if not found:
        text = "These files hold a curve and no suggestion of their own."
        return [Text(f"{text} 'onecycle suggest' computes one.", "muted")]
    sureness = sureness_of(found)
    headline = Headline(_HEADLINES[record.kind](record, found), sureness, _BADGES[sureness])
    parts: list[Part] = [headline, Text(_certainty(record, found, sureness))]
    if reason := str(found.get("reason") or "").strip():
        parts.append(Text(f"Why: {reason}", "muted"))
    return [*parts, *caveats(record)]


def caveats(record: Record) -> list[Part]:
    """Return what makes the numbers less than they seem."""
    return [Text(str(text), DOUBTFUL) for text in record.result.get("caveats") or []]


def sureness_of(suggestion: Mapping[str, Any]) -> str:
    """Return `sure`, `doubtful` or `refused`."""
    if suggestion.get("value") is None:
        return REFUSED
    return SURE if suggestion.get("verdict") == "ok" else DOUBTFUL


def value_in_words(value: Any) -> str:
    """Return a suggested value as a person writes it: `0.12`, or `0.95 to 0.85` for a momentum."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        high, low = float(value["max"]), float(value["min"])
        return number(high) if high == low else f"{number(high)} to {number(low)}"
    if isinstance(value, list | tuple):
        return ", ".join(map(value_in_words, value))
    return number(float(value), 4)


def interval_in_words(interval: Any) -> str:
    """Return an interval as `0.1 to 0.2`; nothing where there is none."""
    if not interval or any(not known(end) for end in interval):
        return ""
    return f"{number(interval[0])} to {number(interval[1])}"


def likely_accuracy(accuracy: float, examples: int) -> tuple[float, float]:
    """Return between which accuracies the true one lies with 95 % confidence, by so many examples.

    Wilson's score interval, Journal of the American Statistical Association 22 (1927).
    """
    z = _95_PERCENT
    middle = (accuracy + z**2 / (2 * examples)) / (1 + z**2 / examples)
    spread = math.sqrt(accuracy * (1 - accuracy) / examples + z**2 / (4 * examples**2))
    reach = z * spread / (1 + z**2 / examples)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _rate_headline(_: Record, found: Mapping[str, Any]) -> str:
    if found.get("value") is None:
        return "No learning rate can be suggested from this test."
    return f"Train with a maximum learning rate of {value_in_words(found['value'])}."


def _decay_headline(record: Record, found: Mapping[str, Any]) -> str:
    if found.get("value") is None:
        return "No weight decay can be suggested from these trainings."
    kind = _DECAYS.get(str(record.result.get("decay")), "")
    return f"Train with a weight decay of {value_in_words(found['value'])}{kind}."


def _momentum_headline(record: Record, found: Mapping[str, Any]) -> str:
    what = str(record.result.get("momentum_name") or "momentum")
    value = found.get("value")
    if value is None:
        return f"No range of {what} can be suggested from these trainings."
    if value["max"] == value["min"]:
        return f"Keep {what} at {value_in_words(value)}."
    return (
        f"Let {what} go down from {number(value['max'])} to {number(value['min'])} while the "
        f"learning rate rises, and back up while it falls."
    )


_HEADLINES = {
    "find-lr": _rate_headline,
    "find-wd": _decay_headline,
    "find-momentum": _momentum_headline,
}


def _certainty(record: Record, found: Mapping[str, Any], sureness: str) -> str:
    """Return how sure a suggestion is."""
    interval = interval_in_words(found.get("interval"))
    if sureness == REFUSED:
        return "The measurements don't support any value, so none is suggested."
    what = _PLURALS[str(KINDS[record.kind].finds)]
    if sureness == SURE:
        if not interval or found["interval"][0] == found["interval"][1]:
            return "The measurements support this value clearly."
        if record.tables.get("curve"):
            return f"The range tests point to {what.lower()} from {interval}."
        return f"{what} from {interval} do about as well, so the exact value hardly matters."
    room = f" The measurements allow {what.lower()} from {interval}." if interval else ""
    return f"This is a safe choice, but the measurements do not decide it.{room}"


_PLURALS = {"max_lr": "Learning rates", "weight_decay": "Decays", "momentum": "Momentum values"}


def _training_headline(record: Record) -> Headline:
    result = record.result
    examples = tested_examples(record)
    if known(result.get("test_accuracy")):
        share = percent(result["test_accuracy"])
        of = f" of {examples:,} test examples" if examples else " of the test examples"
        return Headline(f"The model answers {share}{of} correctly.", SURE, "tested")
    if known(result.get("test_loss")):
        text = f"The loss on the test examples is {number(result['test_loss'], 4)}."
        return Headline(text, SURE, "tested")
    last = (record.tables.get("history") or {}).get("val_loss") or [None]
    if known(last[-1]):
        text = f"The last validation loss is {number(last[-1], 4)}; no test set was used."
        return Headline(text, DOUBTFUL, "not tested")
    return Headline("The training has no test result.", REFUSED, "not tested")


def _training_sentences(record: Record) -> list[Part]:
    result, parts = record.result, list[Part]()
    examples = tested_examples(record)
    if known(result.get("test_accuracy")) and examples:
        low, high = likely_accuracy(result["test_accuracy"], examples)
        parts.append(
            Text(
                f"The test has {examples:,} examples, so this figure is not exact: on new data of "
                f"the same kind, expect {percent(low)} to {percent(high)} (95 % confidence, for "
                f"this one trained model)."
            )
        )
    if known(result.get("val_accuracy_last")):
        best = ""
        if known(result.get("val_accuracy_best")):
            when = f" after epoch {result['best_epoch']}" if result.get("best_epoch") else ""
            best = f"; the best was {percent(result['val_accuracy_best'])}{when}"
        text = f"Validation accuracy at the end: {percent(result['val_accuracy_last'])}{best}."
        parts.append(Text(text, "muted"))
    if result.get("seen_in_training"):
        text = f"{result['seen_in_training']:,} test examples are copies of training examples."
        parts.append(Text(text, DOUBTFUL))
    if result.get("ended"):
        parts.append(Text(_ENDED.get(str(result["ended"]), "The training ended early."), DOUBTFUL))
    return parts


def tested_examples(record: Record) -> int:
    """Return how many examples the test set has, as far as the record tells; 0: it doesn't."""
    try:
        return sum(int(entry["examples"]) for entry in record.result.get("per_class") or ())
    except (LookupError, TypeError, ValueError):
        return 0


def epochs_planned(record: Record) -> int:
    """Return how many epochs the configured training has; 0 if it doesn't say."""
    cycles = (record.config.get("train") or {}).get("cycles") or []
    return sum(
        int(cycle["epochs"])
        for cycle in cycles
        if isinstance(cycle, Mapping) and known(cycle.get("epochs"))
    )


def _length(record: Record) -> str:
    total = epochs_planned(record)
    if not total:
        return ""
    of = "a training of " if record.kind != TRAIN.name else ""
    return f", {of}{total:,} epoch{'' if total == 1 else 's'}"


def _method(record: Record) -> str:
    """Return how the answer was looked for."""
    if record.kind == TRAIN.name:
        return (
            "1cycle: the learning rate rises to its maximum and falls to nearly nothing, while "
            "the momentum does the opposite."
        )
    if KINDS[record.kind].compares:
        count = len(record.tables["trials"]["score"])
        on = record.result.get("scored_on")
        judged = f", each judged by its loss on {_article(str(on))}" if on else ""
        return f"{count} short trainings from the same start, each with a value of its own{judged}."
    if record.result.get("method") == PROBES:
        count = len(record.tables["trials"]["max_lr"])
        return f"{count} short, complete trainings from the same start, each at a rate of its own."
    count = len(record.curves())
    tests = "One training" if count == 1 else f"{count} trainings"
    return (
        f"{tests} in which the learning rate rises step by step until the loss explodes. This is "
        f"quick, and less reliable than a search by short trainings."
    )


def _article(text: str) -> str:
    return f"the {text}" if text.startswith("validation") else text
