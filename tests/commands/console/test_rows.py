import pytest

from onecycle_cli.commands.console.rows import accuracy_in_words


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"ok": 281, "fraud": 19}, "95.00%; always answering ok has 93.67%"),
        ({"a": 60, "b": 20, "c": 20}, "95.00%; always answering a has 60.00%"),
        ({"a": 9, "b": 11}, "95.00% of 20 examples"),
        ({"a": 5, "b": 15}, "95.00% of 20 examples; always answering b has 75.00%"),
        ({"a": 59, "b": 41}, "95.00%"),
        ({}, "95.00%"),
    ],
)
def test_an_accuracy_stands_beside_that_of_one_answer_to_all(counts, said):
    per_class = [{"class": name, "examples": count} for name, count in counts.items()]
    assert accuracy_in_words(0.95, per_class) == said
    assert accuracy_in_words(0.95, None) == "95.00%"
