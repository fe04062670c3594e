import pytest

from onecycle_cli.commands.console.rows import accuracy_in_words


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"ok": 281, "fraud": 19}, "95.00%; always answering ok has 93.67%"),
        ({"a": 6, "b": 2, "c": 2}, "95.00%; always answering a has 60.00%"),
        ({"a": 59, "b": 41}, "95.00%"),
        ({}, "95.00%"),
    ],
)
def test_an_accuracy_stands_beside_that_of_one_answer_to_all(counts, said):
    per_class = [{"class": name, "examples": count} for name, count in counts.items()]
    assert accuracy_in_words(0.95, per_class) == said
    assert accuracy_in_words(0.95, None) == "95.00%"
