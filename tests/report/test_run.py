"""The report of each kind of run, as it is read."""

import pytest

from onecycle_cli import report

pytestmark = pytest.mark.lowest

KINDS = ("find-lr/001", "find-lr/002", "find-wd/001", "find-momentum/001", "train/001")


def values_of(spec):
    """Return all rows of all data of a chart."""
    return [
        dict(zip(columns, row, strict=True))
        for columns in spec["datasets"].values()
        for row in zip(*columns.values(), strict=True)
    ]


@pytest.mark.parametrize("name", KINDS)
class TestEveryReport:
    def test_says_which_run_it_is_and_what_it_was_asked(self, page, name):
        found = page(name)
        assert f"tiny/{name}" in found.text
        assert "digits, mlp, batch size 128, sgd" in found.text

    def test_has_charts_that_say_what_they_show(self, page, name):
        images = [a for a in page(name).named("div") if a.get("role") == "img"]
        assert images and all(len(a["aria-label"]) > 20 for a in images)

    def test_has_every_key_of_the_configuration(self, page, name):
        rows = {row[0]: row[1:] for row in page(name).table("key")}
        assert rows["batch_size"] == ["128", "file"]
        assert rows["dataset.limit"] == ["null", ""]
        assert rows["optimizer.nesterov"] == ["true", ""]

    def test_says_what_it_took(self, page, name):
        rows = dict(page(name).table("what"))
        assert rows["steps of training"] == "375"
        assert rows["time"] == "1.7 s"
        assert rows["started"] == "2026-11-27T08:00:00+00:00"
        assert rows["versions"] == "onecycle 0.1.0, keras 3.15.1"

    def test_is_small(self, page, name):
        assert len(page(name).html) < 1_500_000

    def test_has_one_identity_for_each_element(self, page, name):
        ids = [about["id"] for _, about in page(name).elements if about.get("id")]
        assert len(set(ids)) == len(ids)


@pytest.mark.samples(1)
@pytest.mark.parametrize("name", ["find-lr/002", "train/001"])
def test_a_report_is_the_same_whatever_was_written_before(record, manifest, page, name):
    report.report_of(record("find-wd/001"), manifest)
    assert report.report_of(record(name), manifest) == page(name).html


class TestASearchByProbes:
    def test_answers(self, page):
        found = page("find-lr/001").text
        assert "Train with a maximum learning rate of 0.122. clear answer" in found
        assert "Learning rates from 0.0904 to 0.157 do about as well" in found
        assert "Why: the loss is lowest around 0.1." in found

    def test_shows_every_probe(self, page):
        rows = page("find-lr/001").table("learning rate")
        assert [row[0] for row in rows[1:]] == [
            "0.0237", "0.1", "0.422", "1.78", "0.0422", "0.1", "0.237",
        ]  # fmt: skip
        assert rows[4][1:] == ["first tries, 25 steps", "broke off"]
        chart = page("find-lr/001").specs[0]
        shown = [row for row in values_of(chart) if "end" in row]
        assert [row["lr"] for row in shown] == [0.0237, 0.1, 0.422, 1.78, 0.0422, 0.1, 0.237]
        assert [row["end"] for row in shown].count("broke off") == 1

    def test_draws_the_suggestion_and_the_loss_of_chance(self, page):
        rows = values_of(page("find-lr/001").specs[0])
        assert {"value": 0.122} in rows
        assert {"low": 0.0904, "high": 0.157} in rows
        assert {"level": 2.3026} in rows


class TestARangeTest:
    def test_shows_raw_and_smooth(self, page, record):
        rows = values_of(page("find-lr/002").specs[0])
        raw = [row for row in rows if "smooth" in row]
        table = record("find-lr/002").tables["curve"]
        assert len(raw) == 200
        assert {(r["lr"], r["loss"]) for r in raw} == {
            (float(f"{lr:.6g}"), float(f"{loss:.6g}"))
            for lr, loss in zip(table["lr"], table["loss"], strict=True)
        }
        assert {"level": 2.3026} in rows

    def test_shows_the_answer_of_each_rule(self, page):
        rows = values_of(page("find-lr/002").specs[0])
        assert {r["rule"]: r["lr"] for r in rows if "rule" in r} == {
            "middle": 0.21, "rebound/2": 0.45, "steep": 0.011,
        }  # fmt: skip
        assert page("find-lr/002").table("rule")[1:] == [
            ["middle", "0.21"], ["rebound/2", "0.45"], ["steep", "0.011"], ["valley", "none"],
        ]  # fmt: skip


class TestAComparison:
    def test_shows_each_value_with_its_interval(self, page):
        rows = {r["candidate"]: r for r in values_of(page("find-wd/001").specs[0]) if "text" in r}
        assert list(rows) == ["0", "0.0001", "0.001", "0.01"]
        assert (rows["0.0001"]["low"], rows["0.0001"]["high"]) == (-0.005, 0.025)
        assert rows["0.001"]["mean"] == 0

    def test_says_that_it_is_undecided(self, page):
        found = page("find-wd/001").text
        assert "Train with a weight decay of 0.0015 (L2 penalty). undecided" in found
        assert "safe choice" in found

    def test_of_momentum_names_both_ends(self, page):
        found = page("find-momentum/001")
        assert "Let momentum go down from 0.95 to 0.85" in found.text
        rows = found.table("value")
        assert [rows[1][0], rows[1][2]] == ["0.85 to 0.75", "the best"]
        assert rows[3][0] == "0.95 to 0.85" and rows[3][3] == "suggested"


class TestATraining:
    def test_says_how_good_it_is_and_how_sure_that_is(self, page):
        found = page("train/001").text
        assert "The model answers 90.00 % of 60 test examples correctly." in found
        assert "expect 79.85 % to 95.34 %" in found

    def test_says_where_the_values_came_from(self, page):
        rows = {row[0]: row[1:] for row in page("train/001").table("value")}
        assert rows["maximum learning rate"] == ["0.122, 0.122", "suggestion of tiny/find-lr/001"]
        assert rows["momentum"] == ["0.95 to 0.85", "default"]
        assert rows["weight decay"] == ["0.0015", "suggestion of tiny/find-wd/001"]

    def test_names_the_pairs_that_are_confused_most(self, page):
        assert page("train/001").table("true class")[1:3] == [
            ["cat", "dog", "2", "10.0 %"],
            ["dog", "owl", "2", "10.0 %"],
        ]

    def test_shows_the_schedule_beneath_the_loss(self, page):
        chart = page("train/001").specs[0]
        titles = [
            next(
                layer["encoding"]["y"]["axis"]["title"]
                for layer in panel["layer"]
                if "y" in layer["encoding"]
            )
            for panel in chart["vconcat"]
        ]
        assert titles == ["loss", "accuracy (%)", "learning rate", "momentum", "weight decay"]
        assert max(r["lr"] for r in values_of(chart) if "lr" in r) == 0.122

    def test_has_the_values_ready_to_be_pasted(self, page):
        code = "".join(page("train/001").words)
        assert "max_lr: 0.122" in code and "weight_decay: 0.0015" in code
        assert "max: 0.95" in code

    @pytest.mark.harness
    def test_of_very_many_steps_stays_small(self, made, manifest):
        record = made["train"](per_epoch=3_000)
        assert len(record.tables["steps"]["step"]) == 21_000
        assert len(report.report_of(record, manifest)) < 1_500_000


def test_a_folder_of_keras_one_cycle_has_a_report(made, read_page):
    bare = made["sweep"]()
    record = type(bare)("find-lr", "old", {}, {"curve": bare.tables["curve"]})
    found = read_page(report.report_of(record, {}))
    assert "These files hold a curve" in found.text and len(found.specs) == 1


def test_a_refusal_is_told_as_one(made, manifest, read_page):
    refused = {"value": None, "interval": None, "verdict": "never_descended", "reason": "no fall."}
    found = read_page(report.report_of(made["find-lr"](found=refused), manifest)).text
    assert "No learning rate can be suggested from this test. no suggestion" in found
    assert "Why: no fall." in found


def test_what_strangers_called_their_classes_stays_text(made, manifest, read_page):
    nasty = "</script><b onclick=x>"
    record = made["train"](names=[nasty, "dog", "owl"])
    found = read_page(report.report_of(record, manifest))
    assert found.named("b") == []
    assert nasty in {row.get("true") for spec in found.specs for row in values_of(spec)}
