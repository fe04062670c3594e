import numpy as np
import pytest

from onecycle_cli.report.charts import confusion


def rows_of(chart):
    (columns,) = chart.spec["datasets"].values()
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def test_every_count_is_there_and_no_zero(made):
    names, counts = confusion.matrix_of(made["train"]())
    chart = confusion.confusion_chart(names, counts, "c")
    found = np.zeros((3, 3), int)
    for row in rows_of(chart):
        found[names.index(row["true"]), names.index(row["answer"])] = row["count"]
        assert (row["kind"] == "right") == (row["true"] == row["answer"])
        assert row["count"] > 0
    assert found.tolist() == counts.tolist()


def test_shares_are_of_the_true_class(made):
    names, counts = confusion.matrix_of(made["train"]())
    rows = {
        (r["true"], r["answer"]): r for r in rows_of(confusion.confusion_chart(names, counts, "c"))
    }
    assert rows["cat", "dog"]["share"] == pytest.approx(10)
    assert rows["owl", "owl"]["share"] == pytest.approx(95)
    assert rows["dog", "owl"]["strength"] == 1  # the worst that is wrong


def test_pairs_are_ordered_by_how_often():
    counts = np.array([[5, 3, 0], [1, 5, 0], [0, 4, 0]])
    assert confusion.worst_pairs("abc", counts) == [
        ["c", "b", 4, "100.0 %"],
        ["a", "b", 3, "37.5 %"],
        ["b", "a", 1, "16.7 %"],
    ]


@pytest.mark.parametrize(
    "result", [{"confusion": None}, {"confusion": [[1]]}, {"per_class": []}, {"confusion": "x"}]
)
def test_no_matrix_no_chart(made, result):
    assert confusion.matrix_of(made["train"](**result)) is None


def test_classes_of_the_same_name_are_told_apart(made):
    names, _ = confusion.matrix_of(made["train"](names=["a", "a", "b"]))
    assert names == ["a (0)", "a (1)", "b"]
