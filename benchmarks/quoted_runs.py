"""Keep what experiments found, for the figures that docs/results.md quotes of them.

    onecycle run configs/digits.yaml && python benchmarks/quoted_runs.py runs/digits

Takes the suggestions and the newest training of each experiment's folder, and puts them under its
name into quoted_runs.json beside this file; other names there stay.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import record

from onecycle_cli.runs import finding, records, run_folder, suggestions_file

FILE = Path(__file__).with_suffix(".json")
USED = ("max_lr", "momentum", "weight_decay", "decay")


def found(experiment: Path) -> dict[str, Any]:
    """Return what an experiment suggested, what it trained with and what came of it."""
    suggested = suggestions_file.read_suggestions(experiment)
    run = finding.find_run(experiment / "train")
    trained = records.read_record(run)
    return {
        "suggested": {
            key: {part: entry[part] for part in ("value", "interval", "verdict")}
            for key, entry in suggested.items()
        },
        "trained_with": {key: trained.result[key] for key in USED},
        "epochs": sum(cycle["epochs"] for cycle in trained.config["train"]["cycles"]),
        "test_accuracy": trained.result["test_accuracy"],
        "manifest": {
            key: value
            for key, value in json.loads((run / run_folder.MANIFEST).read_text()).items()
            if key in {"versions", "seed", "precision"}
        },
    }


if __name__ == "__main__":
    known = json.loads(FILE.read_text())["results"] if FILE.exists() else {}
    new = {Path(folder).resolve().name: found(Path(folder)) for folder in sys.argv[1:]}
    record.write(__file__, "what experiments suggested, and what trainings with it reached", known | new)  # fmt: skip # noqa: E501
