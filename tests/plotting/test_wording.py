import pytest

from onecycle_cli import plotting
from onecycle_cli.plotting.wording import percent, suggested


def test_runs_with_the_same_label_are_told_apart(train, legend_texts):
    texts = legend_texts(plotting.draw_overlay([train(), train(), train()]))
    assert [text.split(":")[0] for text in texts] == [
        "tiny/train/001",
        "tiny/train/001 (2)",
        "tiny/train/001 (3)",
    ]


def test_what_was_handed_over_in_python_is_called_by_its_own_names(train, heading):
    record = train()
    record.result["in_hand"] = {"dataset": "BatchDataset", "model": "mine"}
    assert heading(plotting.draw(record))[1] == "BatchDataset, mine, batch size 128, sgd"


@pytest.mark.parametrize(
    ("suggestion", "words"),
    [
        (
            {"value": 0.12, "interval": [0.08, 0.2], "verdict": "ok"},
            "suggested max_lr 0.12 (0.08 to 0.2)",
        ),
        (
            {"value": 0.12, "interval": None, "verdict": "undecided"},
            "suggested max_lr 0.12, undecided",
        ),
        ({"value": None, "verdict": "never_descended"}, "no max_lr suggested: nothing was learned"),
        ({"value": None, "verdict": "odd"}, "no max_lr suggested: odd"),
        ({}, "no max_lr suggested: not judged"),
    ],
)
def test_a_suggestion_in_words(suggestion, words):
    assert suggested("max_lr", suggestion) == words


def test_a_range_and_where_it_may_lie():
    found = {"value": {"max": 0.95, "min": 0.85}, "interval": [0.75, 0.95], "verdict": "undecided"}
    assert suggested("momentum", found) == (
        "suggested momentum 0.95 to 0.85 (may lie from 0.95 to 0.75), undecided"
    )
    constant = {"value": {"max": 0.9, "min": 0.9}, "interval": [0.9, 0.9], "verdict": "ok"}
    assert suggested("momentum", constant) == "suggested momentum 0.9"


def test_shares():
    assert percent(0.91234) == "91.23 %"
