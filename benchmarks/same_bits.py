"""Compare what two checkouts of this project compute for one recipe, to the bit.

    python benchmarks/same_bits.py BEFORE AFTER

Each checkout carries out `onecycle run` on the digits, in a process of its own: range tests, weight
decays, momentum values, and a training. Compared are the raw curves of every trial, the trials'
scores, the suggestions, the steps and epochs of the training, and the weights of both saved models.
Times and paths are left out. The result is written to `same_bits.json`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import record

RUN = """
import importlib.util, sys
checkout = sys.argv.pop(1)
sys.path.insert(0, checkout)
spec = importlib.util.spec_from_file_location(
    "onecycle_models", f"{checkout}/models/__init__.py",
    submodule_search_locations=[f"{checkout}/models"],
)
module = sys.modules["onecycle_models"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from onecycle_cli.main import run
sys.argv[0] = "onecycle"
run()
"""
CONFIG = """
name: digits
dataset: {name: digits}
model: {name: mlp}
find_lr: {repeats: 2}
train: {cycles: [{epochs: 6}, {epochs: 2, max_lr: 0.01}], ema: 0.9}
"""
TABLES = {
    "find-lr": ["curve.csv"],
    "find-wd": ["trials.csv", "curves.csv"],
    "find-momentum": ["trials.csv", "curves.csv"],
    "train": ["steps.csv", "history.csv"],
}


def main() -> None:
    """Run both, compare, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = [digests(c.absolute(), Path(folder)) for c in (given.before, given.after)]
    before, after = found
    result = {name: [before.get(name), after.get(name)] for name in {**before, **after}}
    different = [name for name, (ours, theirs) in result.items() if ours != theirs]
    for name, (ours, theirs) in result.items():
        print(f"{'same' if ours == theirs else 'DIFFERENT':9}  {name:40}  {theirs}")
    commits = [commit_of(c) for c in (given.before, given.after)]
    what = "digests of what two checkouts compute for one recipe"
    record.write(__file__, what, {"commits": commits, "different": different, "digests": after})
    sys.exit(1 if different else 0)


def digests(checkout: Path, above: Path) -> dict[str, str]:
    """Return what a checkout computes, by name: digests of tables and weights, and values."""
    place = Path(tempfile.mkdtemp(dir=above))
    (place / "digits.yaml").write_text(CONFIG)
    subprocess.run(
        [sys.executable, "-c", RUN, str(checkout), "run", "digits.yaml", "--quiet"],
        cwd=place,
        check=True,
    )
    runs = place / "runs/digits"
    found = {
        f"{kind}/{table}": digest((runs / kind / "001" / table).read_bytes())
        for kind, tables in TABLES.items()
        for table in tables
    }
    for kind in list(TABLES)[:-1]:
        result = json.loads((runs / kind / "001/result.json").read_text())
        found[f"{kind} suggests"] = json.dumps(result["suggestion"]["value"])
    for name in ("model.keras", "best.keras"):
        found[f"train/{name}, weights"] = weights_of(runs / "train/001" / name)
    return found


def weights_of(path: Path) -> str:
    """Return a digest of a model's variables and of its optimizer's."""
    import keras

    model = keras.saving.load_model(path)
    variables = [*model.variables, *model.optimizer.variables]
    return digest(b"".join(keras.ops.convert_to_numpy(v).tobytes() for v in variables))


def digest(data: bytes) -> str:
    """Return the beginning of a SHA-256."""
    return hashlib.sha256(data).hexdigest()[:16]


def commit_of(checkout: Path) -> str:
    """Return the commit that is checked out."""
    command = ["git", "-C", str(checkout), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
