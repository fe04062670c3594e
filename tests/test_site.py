"""The site's own parts: links that leave docs/, and the pages that are made from the code."""

import json
import re
from pathlib import Path

import pytest

from onecycle_cli.config import load_config
from onecycle_cli.main import app

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"

pytestmark = pytest.mark.skipif(
    not (ROOT / "examples").is_dir(), reason="not part of the distribution"
)


@pytest.fixture
def hooks(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS / "hooks"))


@pytest.mark.usefixtures("hooks")
def test_every_command_and_option_is_on_the_page():
    import command_line
    import typer

    page = command_line.page()
    for name, command in typer.main.get_command(app).commands.items():
        _, found, section = page.partition(f"## onecycle {name}\n")
        assert bool(found) != command.hidden
        section = section.partition("\n## ")[0]
        for parameter in command.params:
            names = {*parameter.opts, str(parameter.metavar), parameter.name.upper()}
            shown = any(f"`{each}`" in section for each in names)
            assert shown != getattr(parameter, "hidden", False), (name, parameter.name)


@pytest.mark.usefixtures("hooks")
def test_every_key_is_on_the_page_with_its_default_and_a_meaning():
    import config_keys

    config = load_config({"dataset": {"name": "digits"}, "model": {"name": "mlp"}, "name": "x"})
    rows = re.findall(r"^\| `([\w.]+)` \| (.*?) \| (.*?) \| (.*?) \|$", config_keys.page(), re.M)
    keys = {key: default for key, _, default, _ in rows}
    said, set_by_itself = config.leaves() | {"loss.name": "auto"}, {"find_lr.method"}
    for key in said.keys() - {"loss"}:
        assert key in keys, key
        if keys[key] != "required" and key not in set_by_itself | {"train.cycles"}:
            told = keys[key].strip("`")
            assert told == said[key] or json.loads(told) == said[key], key
    assert [key for key, kind, _, meaning in rows if not (kind and meaning)] == []


def test_every_page_is_in_the_navigation():
    """As a strict build would say, which the tests have no need to make."""
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    nav = set(re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text()))
    assert pages <= nav


def test_the_rules_on_one_curve_differ_as_the_page_says():
    result = json.loads((DOCS / "curves/runs/sweep/find-lr/001/result.json").read_text())
    answers = [lr for lr in result["rules"].values() if lr is not None]
    page = " ".join((DOCS / "reading-the-curve.md").read_text().split())
    assert f"from {min(answers):.3g} to {max(answers):.3g}" in page
    assert max(answers) / min(answers) > 50


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_links_of_the_readme_lead_somewhere():
    text = (ROOT / "README.md").read_text()
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        assert (ROOT / path).exists(), target
        headings = re.findall(r"^#+ (.*)$", (ROOT / path).read_text(), re.M) if anchor else []
        slugs = [re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings]
        assert not anchor or anchor in slugs, target
