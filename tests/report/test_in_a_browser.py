"""Reports as a browser shows them: opened from disk, with no network, by mouse and by keyboard."""

import os
import re
import shutil

import pytest

from onecycle_cli import report
from onecycle_cli.runs import files
from onecycle_cli.runs.records import read_record

pytestmark = pytest.mark.harness

NAMES = ("find-lr/001", "find-lr/002", "find-wd/001", "train/001", "run/001", "several")


def chromium():
    """Return where the browser is; without one the tests are skipped, but not where CI runs."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None and not os.environ.get("CI"):
        pytest.skip("there is no Chromium here; 'apt-get install chromium' brings one")
    assert found, "CI has no Chromium to look at reports with"
    return found


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def paths(runs, tmp_path_factory):
    """Write the reports, and return where each is."""
    folder = tmp_path_factory.mktemp("reports")
    found = {}
    for name in NAMES:
        found[name] = folder / f"{name.replace('/', '-')}.html"
        files.write_text(found[name], html_of(runs, name))
    return found


def html_of(runs, name):
    if name == "several":
        names = ("train/001", "train/002", "find-lr/001")
        return report.report_of_several([read_record(runs / "tiny" / each) for each in names])
    folder = runs / "tiny" / name
    if name.startswith("run"):
        return report.report_of_recipe(folder)
    return report.report_of(read_record(folder), files.read_json(folder / "manifest.json"))


class Tab:
    """A page in the browser, and what it has complained of or asked the network for."""

    def __init__(self, browser, path, **options):
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.complaints, self.requests = [], []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-ready=yes]", timeout=15_000)


@pytest.fixture
def opened(browser, paths):
    """Open a report, and close it at the end."""
    tabs = []

    def opened(name, **options):
        tabs.append(Tab(browser, paths[name], **options))
        return tabs[-1]

    yield opened
    for tab in tabs:
        tab.context.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_report_opens_from_disk_and_needs_no_network(opened, paths, name):
    tab = opened(name)
    assert tab.complaints == []
    assert tab.requests == [paths[name].as_uri()]
    charts, drawn = (
        tab.page.locator(".chart"),
        tab.page.locator(".chart svg .mark-rule, .chart svg path"),
    )
    assert charts.count() >= 1 and drawn.count() > 10
    assert tab.page.locator(".chart[data-drawn=yes]").count() == charts.count()


@pytest.mark.parametrize(
    ("name", "scheme"), [("run/001", "dark"), ("find-lr/002", "light"), ("several", "light")]
)
def test_people_with_a_screen_reader_can_use_it(opened, name, scheme):
    """By axe, which looks for what the guidelines of the W3C forbid."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    tab = opened(name, color_scheme=scheme, bypass_csp=True)
    for details in tab.page.locator("details").all():
        details.evaluate("part => { part.open = true; }")
    found = axe.Axe().run(tab.page).response["violations"]
    bad = [(v["id"], [n["html"][:200] for n in v["nodes"]]) for v in found
           if v["impact"] in ("serious", "critical")]  # fmt: skip
    assert bad == []


def tooltip(page):
    """Return what is shown under the pointer."""
    box = page.locator("#vg-tooltip-element.visible")
    box.wait_for(timeout=5_000)
    rows = [row.all_inner_texts() for row in
            [tr.locator("td") for tr in box.locator("tr").all()]]  # fmt: skip
    return {key.strip().rstrip(":"): value.strip() for key, value in rows}


def test_the_pointer_finds_a_real_learning_rate(opened, record):
    page = opened("find-lr/002").page
    box = page.locator("#range-test .chart svg").bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 80)
    page.mouse.move(box["x"] + 0.5 * box["width"] + 2, box["y"] + 82)
    shown = tooltip(page)
    lrs = {f"{lr:.4g}" for lr in record("find-lr/002").tables["curve"]["lr"]}
    assert float(shown["learning rate"]) in {float(lr) for lr in lrs}
    assert 0.5 < float(shown["smoothed"]) < 3


def test_the_pointer_finds_counts_in_the_confusion_matrix(opened):
    page = opened("train/001").page
    squares = page.locator("#confusion .mark-rect path")
    squares.nth(1).hover(force=True)
    assert tooltip(page) == {
        "true class": "cat", "answer": "dog", "examples": "2", "% of the class": "10",
    }  # fmt: skip


def test_images_that_were_taken_for_another_class_are_shown_sharp(opened):
    page = opened("train/001", color_scheme="dark").page
    images = page.get_by_role("img", name=re.compile("^true: cat, answered: dog"))
    assert images.count() == 2
    shown = "i => [i.naturalWidth, i.width, getComputedStyle(i).imageRendering]"
    assert images.first.evaluate(shown) == [2, 96, "pixelated"]


def test_numbers_on_axes_are_written_out(opened):
    """By Vega's own choice an axis up to 100 has 5e+1 on it."""
    page = opened("train/001").page
    labels = page.locator("#training .role-axis-label text").all_text_contents()
    assert "90" in labels and not any("e+" in label for label in labels)


def rates_shown(page):
    """Return the labels of the axis of learning rates."""
    labels = page.locator("#probes .role-axis-label").first.locator("text").all_text_contents()
    return sorted(float(text) for text in labels if text.strip())


def test_a_chart_is_zoomed_by_the_keyboard_and_shown_whole_again(opened):
    page = opened("find-lr/001").page
    before = rates_shown(page)
    button = page.get_by_role("group", name=re.compile("Zoom: Loss at the end")).get_by_text(
        "Zoom in"
    )
    button.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_timeout(200)
    near = rates_shown(page)
    assert max(near) / min(near) < max(before) / min(before)
    page.locator("#probes [data-do=all]").press("Enter")
    page.wait_for_timeout(200)
    assert rates_shown(page) == before


def is_dark(colour):
    red, green, blue = (int(part) / 255 for part in re.findall(r"\d+", colour)[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.3


def test_charts_turn_dark_with_the_page_and_light_on_paper(opened):
    page = opened("train/001", color_scheme="dark").page
    background = "getComputedStyle(document.body).backgroundColor"
    label = "getComputedStyle(document.querySelector('.chart text')).fill"
    assert is_dark(page.evaluate(background)) and not is_dark(page.evaluate(label))
    page.emulate_media(color_scheme="light")
    assert is_dark(page.evaluate(label)) and not is_dark(page.evaluate(background))
    page.emulate_media(color_scheme="dark", media="print")
    assert is_dark(page.evaluate(label))


@pytest.mark.parametrize("name", ["run/001", "find-lr/002", "several"])
def test_a_narrow_screen_needs_no_scrolling_to_the_side(opened, name):
    page = opened(name, viewport={"width": 390, "height": 800}).page
    width = "document.documentElement.scrollWidth"
    assert page.evaluate(width) <= 390
    widest = page.evaluate("Math.max(...[...document.querySelectorAll('.chart svg')].map("
                           "s => s.getBoundingClientRect().right))")  # fmt: skip
    assert widest <= 390


def test_a_comparison_is_sorted_and_filtered(opened):
    page = opened("several").page
    table = page.locator("table.sortable").first
    first = table.locator("tbody tr:visible th")
    heading = table.get_by_role("button", name="max_lr")
    heading.press("Enter")
    assert first.first.inner_text() == "tiny/train/002"
    assert table.locator("th[aria-sort=ascending]").inner_text().startswith("max_lr")
    heading.press("Enter")
    assert first.first.inner_text() == "tiny/train/001"
    page.get_by_label("Filter the rows:").first.fill("find-lr")
    assert first.all_inner_texts() == ["tiny/find-lr/001"]


def test_without_scripts_the_numbers_are_still_there(browser, paths):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(paths["find-lr/001"].as_uri())
    assert "The charts need JavaScript" in page.locator("main").inner_text()
    assert page.locator("table").count() >= 3
    context.close()
