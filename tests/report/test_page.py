import base64
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from onecycle_cli.plotting.paper.palette import DARK, LIGHT
from onecycle_cli.report import page as pages
from onecycle_cli.report.charting import charting
from onecycle_cli.report.document import (
    Chart,
    Code,
    Document,
    Grid,
    Link,
    Marked,
    Section,
    Text,
)

pytestmark = pytest.mark.lowest

NASTY = "</script><img src=x onerror=alert(1)>'\"&<!--"
ALLOWED = {"script", "style"}
CHARTS = Path(pages.__file__).parent / "charts"


def with_parts(*parts, title="some/run/001"):
    return Document(title, "", [Section("answer", "The answer", list(parts))])


def rendered(*parts, **kw):
    return pages.rendered(with_parts(*parts, **kw))


def chart(**data):
    return Chart("c", NASTY, NASTY, {"data": {"values": [data]}})


class TestWhatStrangersWrote:
    def test_stays_text_wherever_it_stands(self, read_page):
        html = rendered(
            Text(NASTY),
            Grid(NASTY, (NASTY, "other"), [[NASTY, Link(NASTY, "#" + NASTY)], [NASTY, Marked(1)]]),
            Code(NASTY, NASTY),
            chart(name=NASTY),
            title=NASTY,
        )
        page = read_page(html)
        assert page.named("img") == []
        assert page.text.count(NASTY) >= 7
        handlers = [key for _, about in page.elements for key in about if key.startswith("on")]
        assert handlers == []

    def test_leaves_the_data_of_a_chart_by_no_way(self, read_page):
        page = read_page(rendered(chart(name=NASTY, **{NASTY: "\u2028"})))
        (spec,) = page.specs
        assert spec["data"]["values"] == [{"name": NASTY, NASTY: "\u2028"}]

    def test_is_no_script_that_the_page_allows(self):
        """Were something to slip through the template, the browser would still not run it."""
        html = rendered(chart())
        (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', html)
        policy = policy.replace("&#39;", "'")
        scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
        hashes = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]
        (allowed,) = re.findall(r"script-src ([^;]+);", policy)
        assert len(scripts) == 2
        assert allowed.split() == [f"'sha256-{found}'" for found in hashes]
        assert policy.startswith("default-src 'none';")


def test_a_page_loads_nothing(read_page):
    page = read_page(rendered(chart(), Code("YAML", "train: {}")))
    loading = [about for _, about in page.elements if {"src", "data", "srcset"} & set(about)]
    links = [about["href"] for _, about in page.elements if "href" in about]
    assert loading == []
    assert all(link.startswith("#") for link in links)


def test_the_charting_library_is_there_once_and_only_with_charts():
    library = charting()
    assert "</script" not in library.lower()
    assert rendered(chart(), replace(chart(), name="d")).count(library) == 1
    assert library not in rendered(Text("no chart"))


def test_the_same_document_gives_the_same_bytes():
    assert rendered(chart(a=1)) == rendered(chart(a=1))


class TestATable:
    def test_shows_numbers_as_people_write_them_and_sorts_them_as_they_are(self, read_page):
        html = rendered(Grid("t", ("run", "steps", "rate"), [["a", 12345, 0.00012345678]]))
        assert read_page(html).table("run")[1] == ["a", "12,345", "0.0001235"]
        assert re.findall(r'data-value="([^"]+)"', html) == ["12345", "0.00012345678"]

    def test_marks_cells_and_links_them(self, read_page):
        html = rendered(Grid("t", ("run", "x"), [[Link("a", "#b"), Marked(0.5)]]))
        page = read_page(html)
        assert {"class": "number marked", "data-value": "0.5"} in page.named("td")
        assert {"href": "#b"} in page.named("a")

    def test_has_a_caption_and_headings(self, read_page):
        page = read_page(rendered(Grid("What it shows", ("run",), [["a"]])))
        assert "What it shows" in page.text
        assert {"scope": "col"} in page.named("th") and {"scope": "row"} in page.named("th")

    @pytest.mark.parametrize("value", [None, float("nan"), float("inf"), True])
    def test_of_no_number_has_no_number(self, value):
        assert not pages.is_number(value)


def test_code_is_shown_as_it_is(read_page):
    assert "a:\n  b: <1>\n" in "".join(read_page(rendered(Code("YAML", "a:\n  b: <1>\n"))).words)


def test_the_specification_is_json(read_page):
    (spec,) = read_page(rendered(chart(loss=0.5))).specs
    assert json.dumps(spec) == '{"data": {"values": [{"loss": 0.5}]}}'


def test_the_colours_are_those_of_the_pictures():
    """Light ones first; the dark ones, which stand behind them, hold on a dark screen only."""
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#\w+);", rule))
        for rule in re.findall(r":root \{ (.*?) \}", rendered(Text("x")))[:2]
    )
    for found, palette in ((light, LIGHT), (dark, DARK)):
        assert (found["ink"], found["momentum"]) == (palette.ink, palette.momentum)
        assert tuple(found[f"series-{i}"] for i in range(1, 8)) == palette.series


def test_every_colour_that_is_used_is_one_that_is_there():
    page = rendered(Text("x"))
    charts = "".join(path.read_text() for path in CHARTS.glob("*.py"))
    used = set(re.findall(r"var\(--([\w-]+)\)", page + charts)) - {"c"}  # a swatch's own
    assert used <= set(re.findall(r"--([\w-]+):", page))
    assert {"ink", "on-strong", "rate"} <= used
