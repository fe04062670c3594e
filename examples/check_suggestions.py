"""Where each example's suggestion stands among complete trainings at a grid of learning rates.

    python examples/check_suggestions.py                 # all; writes suggestions.json
    python examples/check_suggestions.py binary text     # some; writes nothing

Each example is trained at its suggestion and at 1/16 to 16 times of it, each with the same seeds.
"""

import importlib.util
import math
import statistics
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "benchmarks"))

import record  # noqa: E402

from onecycle_cli.engine.start import start_keras  # noqa: E402

start_keras()

import keras  # noqa: E402

import onecycle_cli  # noqa: E402

FACTORS = (1 / 16, 1 / 4, 1 / 2, 1, 2, 4, 16)
SEEDS = (0, 1)
WRITERS = {"image_folder": "write_images.py", "table": "write_table.py"}


class ByConfig:
    """An example that is a config: its training splits the data by the seed, too."""

    def __init__(self, folder):
        if folder.name in WRITERS:
            module(folder / WRITERS[folder.name]).main()
        self.path = folder / "config.yaml"

    def find(self, out):
        return onecycle_cli.find_lr(self.path, out=out)

    def train(self, max_lr, seed):
        config = onecycle_cli.load_config(
            self.path, [f"train.max_lr={max_lr}", "train.retries=0"], seed=seed
        )
        return onecycle_cli.train(config, out=None)


class InPython:
    """An example that is a program, with functions `find` and `train`."""

    def __init__(self, folder):
        self.example = module(folder / "example.py")

    def find(self, out):
        return self.example.find(out=out)

    def train(self, max_lr, seed):
        settings = {"train": {"retries": 0}}
        return self.example.train(max_lr, seed, settings=settings)


def module(path):
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}", path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def names():
    found = [*HERE.glob("*/config.yaml"), *HERE.glob("*/example.py")]
    return sorted(path.parent.name for path in found)


def final_loss(example, max_lr, seed):
    """Return the last validation loss; `None` where the training diverges."""
    keras.backend.clear_session()
    try:
        loss = example.train(max_lr, seed).history[-1].val_loss
    except onecycle_cli.OnecycleError as error:
        print(f"  {max_lr:.3g}, seed {seed}: {error}", file=sys.stderr)
        return None
    return float(f"{loss:.4g}") if math.isfinite(loss) else None


def check(name, plots):
    folder = HERE / name
    example = (ByConfig if (folder / "config.yaml").exists() else InPython)(folder)
    start = time.perf_counter()
    found = example.find(plots / name).suggestion
    seconds = round(time.perf_counter() - start, 1)
    result = {"verdict": found.verdict, "max_lr": found.value, "seconds": seconds}
    if found.value is None:
        return result | {"reason": found.reason}
    grid = {}
    for factor in FACTORS:
        losses = [final_loss(example, factor * found.value, seed) for seed in SEEDS]
        mean = None if None in losses else statistics.mean(losses)
        grid[factor] = {
            "max_lr": float(f"{factor * found.value:.4g}"),
            "losses": losses,
            "mean": mean,
        }
        print(f"  {name}: {factor:g} x {found.value:.3g}: {losses}", file=sys.stderr)
    # The lowest mean of the grid is a little too good, being the luckiest of seven.
    means = {factor: tried["mean"] for factor, tried in grid.items() if tried["mean"] is not None}
    best = min(means, key=means.get)
    result |= {"grid": {f"{factor:g}": tried for factor, tried in grid.items()}}
    result |= {"best_factor": best, "best_loss": means[best], "loss": means.get(1)}
    return result | {"ratio": means[1] / means[best] if 1 in means else None}


def table(results):
    """Return the table of README.md."""
    lines = [
        "| example | suggested max_lr | verdict | loss there | best of the grid | at | ratio |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, result in results.items():
        start = f"| [{name}]({name}/README.md) "
        if result["max_lr"] is None:
            lines.append(f"{start}| none | {result['verdict']} | | | | |")
            continue
        loss, ratio = (
            "diverged" if result[key] is None else f"{result[key]:.3g}" for key in ("loss", "ratio")
        )
        lines.append(
            f"{start}| {result['max_lr']:.3g} | {result['verdict']} | {loss} "
            f"| {result['best_loss']:.3g} | {result['best_factor']:g} x | {ratio} |"
        )
    return "\n".join(lines)


def main(asked):
    with tempfile.TemporaryDirectory() as scratch:
        results = {name: check(name, Path(scratch)) for name in asked or names()}
    if asked:
        return record.write(__file__, __doc__.splitlines()[0], results, "/dev/null")
    record.insert(HERE / "README.md", "table", table(results))
    return record.write(__file__, __doc__.splitlines()[0], results, HERE / "suggestions.json")


if __name__ == "__main__":
    main(sys.argv[1:])
