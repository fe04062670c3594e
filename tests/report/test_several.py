import pytest

from onecycle_cli import report


@pytest.fixture(scope="module")
def compared(record, read_page):
    names = ("train/001", "train/002", "find-lr/001")
    return read_page(report.report_of_several([record(name) for name in names]))


def test_a_table_has_the_values_and_scores_of_all(compared):
    heading, *rows = compared.table("run")
    table = {row[0]: dict(zip(heading, row, strict=True)) for row in rows}
    assert set(table) == {"tiny/train/001", "tiny/train/002", "tiny/find-lr/001"}
    assert table["tiny/train/002"]["max_lr"] == "0.05"
    assert table["tiny/train/002"]["test accuracy"] == "0.9"
    assert table["tiny/find-lr/001"]["suggested"] == "max_lr 0.122"
    assert table["tiny/find-lr/001"]["test accuracy"] == ""


def test_what_was_asked_for_differently_is_marked(compared):
    marked = [a["data-value"] for a in compared.named("td") if "marked" in a.get("class", "")
              and "data-value" in a]  # fmt: skip
    assert marked == ["0.05"]


def test_keys_that_differ_are_listed_and_others_are_not(compared):
    rows = {row[0]: row[1:] for row in compared.table("key")}
    assert rows["train.max_lr"] == ["0.122", "0.05", "0.122"]
    assert "batch_size" not in rows


def test_the_curves_of_each_kind_share_a_chart(compared):
    assert [a["id"] for a in compared.named("figure")] == [
        "overlay-train-training", "overlay-find-lr-probes",
    ]  # fmt: skip


@pytest.mark.samples(1)
@pytest.mark.parametrize("name", ["find-lr/002", "find-wd/001", "find-momentum/001"])
def test_runs_of_every_kind_can_be_compared(record, read_page, name):
    page = read_page(report.report_of_several([record(name), record(name)]))
    assert "The configurations are the same." in page.text
    assert len(page.specs) == 1
    assert [row[0] for row in page.table("run")[1:]] == [f"tiny/{name}", f"tiny/{name} (2)"]
