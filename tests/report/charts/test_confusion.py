import re

import numpy as np
import pytest

from onecycle_cli.plotting.paper.palette import DARK, LIGHT
from onecycle_cli.report import page
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


def luminance(colour):
    """As WCAG 2 has it."""
    shares = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def mixed(colour, paper, strength):
    parts = ((int(colour[i : i + 2], 16), int(paper[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(strength * c + (1 - strength) * p):02x}" for c, p in parts)


@pytest.mark.parametrize("kind", ["right", "wrong"])
@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_counts_can_be_read_on_every_square(kind, palette):
    """3 to 1 is what WCAG asks of large letters; here it is nearly 4 on the worst square."""
    style = (page.TEMPLATES / "page.css").read_text()
    on_strong = re.findall(r"--on-strong: (#\w+)", style)[palette is DARK]
    letters = {"var(--ink)": palette.ink, "var(--on-strong)": on_strong}
    colour = palette.series[0 if kind == "right" else 1]
    for strength in np.linspace(0.12, 1, 89):
        ink = confusion.letters_on(kind, strength)
        pair = sorted(
            map(luminance, (letters.get(ink, ink), mixed(colour, palette.paper, strength)))
        )
        assert (pair[1] + 0.05) / (pair[0] + 0.05) > 3.7, strength
