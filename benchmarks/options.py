"""What the options of `train` gain: the speedrun's recipe, made small, with one of them changed.

    python benchmarks/options.py [RESULT.json]

Half the width of configs/cifar10-speedrun.yaml, 10,000 images of CIFAR-10 ($ONECYCLE_DATA, or a
cache), 5 epochs; judged on the validation split, a fifth of the images. The test set is not read by
the comparison. Gains are differences of accuracy in percentage points, of runs with the same seed.
"""

import statistics
import sys
from pathlib import Path

import record

CONFIG = Path(__file__).parents[1] / "configs/cifar10-speedrun.yaml"
SMALL = [
    "model.options.widths=[32, 128, 128]",
    "dataset.limit=10000",
    "dataset.validation_fraction=0.2",
    "train.cycles=[{epochs: 5}]",
    "train.max_lr=1.0",
    "train.momentum={max: 0.85, min: 0.75}",
    "train.weight_decay=0.003",
]
CHANGES = {
    "label_smoothing 0.2": "train.label_smoothing=0",
    "ema 0.99": "train.ema=null",
    "flip_evaluation": "train.flip_evaluation=false",
    "alternating flips": "dataset.augment.flip=true",
    "any flips": "dataset.augment.flip=false",
}
"""Each option, and what takes it away."""

RESIZE = "train.resize=[{until: 0.4, size: 24}]"
SEEDS = range(3)


def accuracy(seed: int, *changes: str) -> tuple[float, float]:
    """Return the validation accuracy of the last epoch, in percent, and the seconds it took."""
    from onecycle_cli import load_config, train

    result = train(load_config(CONFIG, [*SMALL, *changes], seed=seed), out=None)
    return 100 * result.history[-1].val_accuracy, result.cost.seconds


def gain(whole: list[float], without: list[float]) -> dict[str, float]:
    differences = [a - b for a, b in zip(whole, without, strict=True)]
    return {
        "gain": round(statistics.mean(differences), 2),
        "deviation": round(statistics.stdev(differences), 2),
        "accuracy": round(statistics.mean(without), 2),
    }


def main() -> None:
    whole = [accuracy(seed) for seed in SEEDS]
    scores = [score for score, _ in whole]
    found = {"accuracy with all": round(statistics.mean(scores), 2), "without": {}}
    for name, change in CHANGES.items():
        without = [accuracy(seed, change)[0] for seed in SEEDS]
        found["without"][name] = gain(scores, without)
    resized = [accuracy(seed, RESIZE) for seed in SEEDS]
    found["with resize, 24 pixels for 40 % of the steps"] = {
        **gain([score for score, _ in resized], scores),
        "time": round(sum(s for _, s in resized) / sum(s for _, s in whole), 2),
    }
    what = f"gain in points of validation accuracy, mean of {len(SEEDS)} seeds"
    record.write(__file__, what, found, *sys.argv[1:])


if __name__ == "__main__":
    main()
