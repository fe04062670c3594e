"""Where each example's suggestions stand among complete trainings at a grid of values.

    python examples/check_suggestions.py                 # all; writes suggestions.json
    python examples/check_suggestions.py binary text     # some; the others stay as they are there

Each example is trained, with each of the same seeds, at 1/16 to 16 times of the suggested learning
rate; then, at that rate, with no weight decay, with 1e-5 to 1e-2, and with the suggested one.
"""

import functools
import importlib.util
import json
import math
import multiprocessing
import os
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
FILE = HERE / "suggestions.json"
sys.path.append(str(HERE.parent / "benchmarks"))
for variable in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
    os.environ[variable] = "1"  # networks so small lose more than they win by several

import record  # noqa: E402

import onecycle_cli  # noqa: E402

FACTORS = (1 / 16, 1 / 4, 1 / 2, 1, 2, 4, 16)
DECAYS = (0, 1e-5, 1e-4, 1e-3, 1e-2)
SEEDS = (0, 1)
SECONDS = 2.5
"""About what a training takes on two cores, with its share of all else."""
WRITERS = {"image_folder": "write_images.py", "table": "write_table.py"}


class ByConfig:
    """An example that is a config: its training splits the data by the seed, too."""

    def __init__(self, folder):
        if folder.name in WRITERS:
            module(folder / WRITERS[folder.name]).main()
        self.path = folder / "config.yaml"

    def find_lr(self):
        return onecycle_cli.find_lr(self.path, out=None)

    def find_weight_decay(self, max_lr):
        config = onecycle_cli.load_config(self.path, [f"train.max_lr={max_lr}"])
        return onecycle_cli.find_wd(config, out=None)

    def train(self, max_lr, decay, seed):
        settings = {"max_lr": max_lr, "weight_decay": decay, "retries": 0}
        settings = [f"train.{key}={value}" for key, value in settings.items()]
        return onecycle_cli.train(
            onecycle_cli.load_config(self.path, settings, seed=seed), out=None
        )


class InPython:
    """An example that is a program, with functions of these names."""

    def __init__(self, folder):
        self.example = module(folder / "example.py")

    def find_lr(self):
        return self.example.find_lr()

    def find_weight_decay(self, max_lr):
        return self.example.find_weight_decay(max_lr)

    def train(self, max_lr, decay, seed):
        settings = {"train": {"retries": 0}}
        return self.example.train(max_lr, seed, weight_decay=decay, settings=settings)


def module(path):
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}", path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def names():
    found = [*HERE.glob("*/config.yaml"), *HERE.glob("*/example.py")]
    return sorted(path.parent.name for path in found)


def final_loss(example, max_lr, decay, seed):
    """Return the last validation loss, without penalty; `None` where the training diverges."""
    sys.modules["keras"].backend.clear_session()
    try:
        loss = example.train(max_lr, decay, seed).history[-1].val_loss
    except onecycle_cli.OnecycleError as error:
        print(f"  {max_lr:.3g}, {decay:.3g}, seed {seed}: {error}", file=sys.stderr)
        return None
    return float(f"{loss:.4g}") if math.isfinite(loss) else None


def check(name):
    """Return where the suggestions of an example stand."""
    folder = HERE / name
    example = (ByConfig if (folder / "config.yaml").exists() else InPython)(folder)
    loss = functools.cache(functools.partial(final_loss, example))

    max_lr = found(name, example.find_lr)
    if (rate := max_lr["suggested"]) is None:
        return {"max_lr": max_lr}
    rates = {f"{factor:g} x": factor * rate for factor in FACTORS}
    max_lr |= among(name, rates, rate, lambda value, seed: loss(value, 0, seed))

    weight_decay = found(name, lambda: example.find_weight_decay(rate))
    if (decay := weight_decay["suggested"]) is not None:
        decays = {f"{value:g}": value for value in sorted({*DECAYS, decay})}
        weight_decay |= among(name, decays, decay, lambda value, seed: loss(rate, value, seed))
    return {"max_lr": max_lr, "weight_decay": weight_decay}


def found(name, find):
    """Return what a finder suggests, and how long it took."""
    start = time.perf_counter()
    suggestion = find().suggestion
    seconds = round(time.perf_counter() - start, 1)
    print(f"{name}: {suggestion.value}, {suggestion.verdict}, {seconds} s", file=sys.stderr)
    result = {"suggested": suggestion.value, "verdict": suggestion.verdict, "seconds": seconds}
    return result if suggestion.value is not None else result | {"reason": suggestion.reason}


def among(name, values, suggested, loss):
    """Return the losses of complete trainings at a grid of values, and the suggested one's place.

    The best mean of the grid is a little too good, being the luckiest of several.
    """
    grid, means = {}, {}
    for number, (label, value) in enumerate(values.items(), start=1):
        losses = [loss(value, seed) for seed in SEEDS]
        mean = None if None in losses else float(f"{statistics.mean(losses):.4g}")
        grid[label] = {"value": float(f"{value:.4g}"), "losses": losses, "mean": mean}
        means |= {} if mean is None else {value: mean}
        print(f"  {name} {number}/{len(values)}: {label}: {losses}", file=sys.stderr)
    best, here = min(means, key=means.get), means.get(suggested)
    return {
        "grid": grid,
        "loss": here,
        "best": next(label for label, value in values.items() if value == best),
        "best_loss": means[best],
        "ratio": here and float(f"{here / means[best]:.4g}"),
    }


def tables(results):
    """Return the tables of README.md, one of learning rates and one of weight decays."""
    return "\n\n".join(
        "\n".join(
            [
                f"| example | suggested {key} | verdict | loss there | {extra}best of the grid "
                "| at | ratio |",
                "|---" * (7 + bool(extra)) + "|",
                *(
                    row(name, result[key], extra)
                    for name, result in results.items()
                    if key in result
                ),
            ]
        )
        for key, extra in (("max_lr", ""), ("weight_decay", "loss at 0 | "))
    )


def row(name, result, extra):
    """Return one example's line of a table."""
    start = f"| [{name}]({name}/README.md) "
    if result["suggested"] is None:
        return f"{start}| none | {result['verdict']} |" + " |" * (4 + bool(extra))
    losses = [result["loss"]]
    losses += [result["grid"]["0"]["mean"]] if extra else []
    shown = " | ".join("diverged" if loss is None else f"{loss:.3g}" for loss in losses)
    ratio = "" if result["ratio"] is None else f"{result['ratio']:.3g}"
    return (
        f"{start}| {result['suggested']:.3g} | {result['verdict']} | {shown} "
        f"| {result['best_loss']:.3g} | {result['best']} | {ratio} |"
    )


def main(asked):
    checked = asked or names()
    trainings = len(checked) * (len(FACTORS) + len(DECAYS)) * len(SEEDS)
    minutes = math.ceil(trainings * SECONDS / 60)
    print(f"{trainings} trainings, about {minutes} minutes on two cores", file=sys.stderr)
    # Each in a process of its own, because the backend is the example's choice.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as pool:
        results = dict(zip(checked, pool.map(check, checked), strict=True))
    if asked:
        results = dict(sorted((json.loads(FILE.read_text())["results"] | results).items()))
    record.insert(HERE / "README.md", "table", tables(results))
    return record.write(__file__, __doc__.splitlines()[0], results, str(FILE))


if __name__ == "__main__":
    main(sys.argv[1:])
