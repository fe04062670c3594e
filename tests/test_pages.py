"""The tutorials do what they say, and print what they quote."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TUTORIALS = ROOT / "docs" / "tutorials"
PAGES = ["digits.md", "own-model.md"]

pytestmark = pytest.mark.skipif(
    not (ROOT / "benchmarks").is_dir(), reason="not part of the distribution"
)

SCRIPT = """
import json, pathlib, sys
sys.path.insert(0, sys.argv[1])
import run_page

shown = []
for path in sys.argv[2:]:
    blocks = run_page.blocks_of(pathlib.Path(path).read_text())
    more = ("--set", "train.cycles=[{epochs: 2}]", "--quiet")
    shown.append([(block.code, printed) for block, printed in run_page.run(blocks, more)])
print(json.dumps(shown))
"""


@pytest.mark.harness
def test_every_block_runs_and_prints_the_lines_that_are_quoted(tmp_path):
    """Of shorter trainings here, so that only the lines are the same, and not their figures."""
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, ROOT / "docs", *(TUTORIALS / page for page in PAGES)],
        cwd=tmp_path,
        env=os.environ | {"COLUMNS": "80", "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for page, shown in zip(PAGES, json.loads(done.stdout.splitlines()[-1]), strict=True):
        assert shown
        for quoted, printed in shown:
            assert labels(quoted), page
            assert labels(quoted) <= labels(printed), page


def labels(text):
    """The names of a table's rows: what begins a line that is not the continuation of another."""
    return {line.split("  ")[0] for line in text.splitlines() if re.match("[a-z]", line)}


def test_the_figures_of_the_digits_are_those_that_were_kept():
    kept = json.loads((ROOT / "benchmarks" / "quoted_runs.json").read_text())["results"]["digits"]
    page = (TUTORIALS / "digits.md").read_text()
    low, high = kept["suggested"]["max_lr"]["interval"]
    assert f"{kept['suggested']['max_lr']['value']:g} ({low:g} to {high:g})" in page
    assert f"{100 * kept['test_accuracy']:.1f} %" in page
