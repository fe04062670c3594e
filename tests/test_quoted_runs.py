"""What config headers and docs/results.md say of a run is what was kept of it."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
KEPT = json.loads((ROOT / "benchmarks" / "quoted_runs.json").read_text())["results"]


def wording(kept):
    """Return each figure as it is quoted: max_lr with its interval, momentum, decay, accuracy."""
    lr, momentum, decay = (kept["suggested"][k] for k in ("max_lr", "momentum", "weight_decay"))
    undecided = {"ok": "", "undecided": ", undecided"}
    low, high = lr["interval"]
    return {
        "max_lr": f"{lr['value']:g} ({low:g} to {high:g}){undecided[lr['verdict']]}",
        "momentum": f"{momentum['value']['max']:g} to {momentum['value']['min']:g}"
        f"{undecided[momentum['verdict']]}",
        "decay": f"{decay['value']:g}{undecided[decay['verdict']]}",
        "accuracy": f"{100 * kept['test_accuracy']:.1f} %",
    }


@pytest.mark.parametrize("name", KEPT)
def test_the_header_of_the_config(name):
    said, kept = wording(KEPT[name]), KEPT[name]
    header = (ROOT / "configs" / f"{name}.yaml").read_text()
    assert f"-> max_lr {said['max_lr']}" in header
    assert f"-> {said['momentum']}\n" in header
    assert f"-> {kept['trained_with']['decay']} {said['decay']}\n" in header
    assert f"-> test accuracy {said['accuracy']}" in header


@pytest.mark.parametrize("name", KEPT)
def test_the_row_of_the_page(name):
    said, kept = wording(KEPT[name]), KEPT[name]
    (row,) = (
        line
        for line in (ROOT / "docs" / "results.md").read_text().splitlines()
        if line.startswith(f"| [{name}]")
    )
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1:] == [
        said["max_lr"],
        f"{kept['trained_with']['max_lr'][0]:g}",
        said["momentum"],
        said["decay"],
        f"{kept['epochs']} epochs",
        said["accuracy"],
    ]
