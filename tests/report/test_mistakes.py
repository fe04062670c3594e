"""Images in a report that the model took for another class."""

from dataclasses import replace

import numpy as np
import pytest

from onecycle_cli.report.document import Document, Section
from onecycle_cli.report.mistakes import gallery
from onecycle_cli.report.page import rendered
from onecycle_cli.runs.records import read_record

pytestmark = pytest.mark.lowest


def test_each_is_described_and_comes_from_within_the_page(page, record):
    found = page("train/001")
    mistakes = record("train/001").mistakes
    assert len(mistakes) == 3
    assert [image["src"] for image in found.named("img")] == [
        f"data:image/png;base64,{mistake.image}" for mistake in mistakes
    ]
    assert [image["alt"] for image in found.named("img")] == [
        "true: cat, answered: dog; test example 3",
        "true: cat, answered: dog; test example 7",
        "true: dog, answered: owl; test example 30",
    ]
    assert "cat, taken for dog (2 of 2)" in found.text
    assert "dog, taken for owl (1 of 2)" in found.text


def test_small_ones_are_enlarged_by_whole_times(page):
    image = page("train/001").named("img")[0]
    assert (image["width"], image["height"], image["class"]) == ("96", "48", "enlarged")


def test_large_ones_are_not(record):
    (shown,) = gallery(
        [replace(record("train/001").mistakes[0], width=96, height=60)],
        ["cat", "dog", "owl"],
        np.array([[0, 1, 0]] * 3),
    )
    picture = shown.groups[0][1][0]
    assert (picture.width, picture.height, picture.is_enlarged) == (96, 60, False)


def test_other_reports_and_trainings_without_images_have_none(page):
    assert page("find-lr/001").named("img") == []
    assert gallery([], ["cat", "dog", "owl"], np.ones((3, 3), int)) == []


def test_classes_that_are_not_there_are_left_out(record):
    mistake = replace(record("train/001").mistakes[0], answer=3)
    assert gallery([mistake], ["cat", "dog", "owl"], np.ones((3, 3), int)) == []


def test_names_from_strangers_stay_text(record, read_page):
    nasty = '"><b onclick=x>'
    parts = gallery(record("train/001").mistakes, [nasty, "dog", "owl"], np.ones((3, 3), int))
    html = rendered(Document("title", "subtitle", [Section("name", "heading", parts)]))
    found = read_page(html)
    assert found.named("b") == []
    assert found.named("img")[0]["alt"].startswith(f"true: {nasty}")
    assert f"{nasty}, taken for dog" in found.text


def test_they_are_read_with_the_run(write, made, tmp_path):
    folder = write(tmp_path, made["train"]())
    assert list(read_record(folder).mistakes) == list(made["train"]().mistakes)
