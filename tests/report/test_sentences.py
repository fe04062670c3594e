import pytest

from onecycle_cli.report import sentences
from onecycle_cli.report.document import Headline
from onecycle_cli.report.sentences import DOUBTFUL, REFUSED, SURE


@pytest.mark.parametrize(
    ("right", "examples", "expected"),
    [  # scipy.stats.binomtest(right, examples).proportion_ci(method="wilson")
        (54, 60, (0.798490, 0.953359)),
        (0, 10, (0.0, 0.277533)),
        (10, 10, (0.722467, 1.0)),
        (8123, 10_000, (0.804530, 0.819838)),
    ],
)
def test_the_likely_accuracy_is_wilsons_interval(right, examples, expected):
    assert sentences.likely_accuracy(right / examples, examples) == pytest.approx(
        expected, abs=5e-5
    )


@pytest.mark.parametrize(
    ("value", "verdict", "sureness"),
    [(0.1, "ok", SURE), (0.1, "undecided", DOUBTFUL), (None, "never_descended", REFUSED)],
)
def test_how_sure_a_suggestion_is(value, verdict, sureness):
    assert sentences.sureness_of({"value": value, "verdict": verdict}) == sureness


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.12, "0.12"),
        (1e-05, "1e-5"),
        ({"max": 0.95, "min": 0.85}, "0.95 to 0.85"),
        ({"max": 0.9, "min": 0.9}, "0.9"),
        ([0.1, 0.005], "0.1, 0.005"),
        (None, ""),
    ],
)
def test_values_are_written_as_people_do(value, text):
    assert sentences.value_in_words(value) == text


def test_an_interval_with_an_open_end_is_none():
    assert sentences.interval_in_words([0.1, None]) == ""
    assert sentences.interval_in_words([0.1, 0.2]) == "0.1 to 0.2"


def test_caveats_come_last(made):
    record = made["find-wd"](caveats=["the machine was busy."])
    *_, last = sentences.answer(record)
    assert (last.text, last.tone) == ("the machine was busy.", DOUBTFUL)


def test_a_training_without_a_test_says_so(made):
    record = made["train"](test_accuracy=None, test_loss=None, per_class=[], confusion=None)
    headline = sentences.answer(record)[0]
    assert isinstance(headline, Headline)
    assert headline.text == "The last validation loss is 0.2; no test set was used."
    assert headline.sureness == DOUBTFUL


@pytest.mark.parametrize(
    ("ended", "text"),
    [
        ("early", "The training ended early: the validation did not get better any more."),
        ("interrupted", "The training was interrupted, and ended by a short cool-down."),
        (None, None),
    ],
)
def test_a_training_that_ended_before_its_time_says_why(made, ended, text):
    found = [part.text for part in sentences.answer(made["train"](ended=ended))]
    said = [sentence for sentence in found if "ended early" in sentence or "interrupt" in sentence]
    assert [sentence[: len(text)] for sentence in said] == ([text] if text else [])
