"""The schedules of PyTorch and fastai, step by step, as the packages themselves give them.

    python benchmarks/schedules/peers.py          writes peers.json, for the tests
    python benchmarks/schedules/peers.py --check  compares 3,000 further cases with `onecycle_cli`

Needs PyTorch and fastai, and nothing of this project but for `--check`. PyTorch's schedulers step
an optimizer; fastai's numbers are those that its recorder wrote down in a training of a tiny
network. fastai looks its phases up in float32, so its numbers are exact to about seven digits.
"""

import contextlib
import io
import json
import math
import random
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import torch
from torch.optim import lr_scheduler

warnings.filterwarnings("ignore")


def stepped(make, steps: int, momentum: float = 0.9) -> dict[str, list[float]]:
    """Return rate and momentum before each step of an optimizer under a scheduler."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0, momentum=momentum)
    scheduler = make(optimizer)
    lrs, momenta = [], []
    for _ in range(steps):
        group = optimizer.param_groups[0]
        lrs.append(float(group["lr"]))
        momenta.append(float(group["momentum"]))
        optimizer.step()
        scheduler.step()
    return {"lr": lrs, "momentum": momenta}


def one_cycle(draw: random.Random, longest: int) -> dict:
    steps = draw.randint(2, longest)
    options = {
        "pct_start": draw.choice([0.3, 0.1, 0.25, 0.5, 1.0, round(draw.random(), 3)]),
        "div_factor": draw.choice([25.0, 10.0, 1.0, round(1 + 99 * draw.random(), 2)]),
        "final_div_factor": draw.choice([1e4, 1.0, 100.0, round(1 + 1e4 * draw.random(), 2)]),
        "three_phase": draw.random() < 0.5,
        "anneal": draw.choice(["cosine", "linear"]),
    }
    case = {"shape": "pytorch", "steps": steps, "options": options, **ranges(draw)}
    theirs = {k: v for k, v in options.items() if k != "anneal"}
    theirs["anneal_strategy"] = {"cosine": "cos", "linear": "linear"}[options["anneal"]]
    values = stepped(
        lambda optimizer: lr_scheduler.OneCycleLR(
            optimizer,
            case["max_lr"],
            total_steps=steps,
            base_momentum=case["low"],
            max_momentum=case["high"],
            **theirs,
        ),
        steps,
    )
    return case | values


def restarts(draw: random.Random, longest: int) -> dict:
    cycles, mult = draw.randint(1, 4), draw.randint(1, 3)
    whole = sum(mult**k for k in range(cycles))
    first = draw.randint(2, max(2, longest // whole))
    options = {
        "num_cycles": cycles,
        "cycle_mult": mult,
        "final_share": draw.choice([0.0, 0.01, round(draw.random(), 3)]),
    }
    case = {"shape": "sgdr", "steps": first * whole, "options": options, **ranges(draw)}
    del case["high"], case["low"]

    def make(optimizer):
        optimizer.param_groups[0]["lr"] = case["max_lr"]
        lowest = options["final_share"] * case["max_lr"]
        return lr_scheduler.CosineAnnealingWarmRestarts(optimizer, first, mult, lowest)

    return case | {"lr": stepped(make, case["steps"])["lr"]}


def cyclic(draw: random.Random, longest: int) -> dict:
    mode = draw.choice(["triangular", "triangular2", "exp_range"])
    cycles, up, down = (
        draw.randint(1, 4),
        draw.randint(1, longest // 8),
        draw.randint(1, longest // 8),
    )
    options = {"num_cycles": cycles, "pct_start": up / (up + down)}
    if mode == "exp_range":
        options["gamma"] = draw.choice([0.999, 0.95, 1.0])
    steps, scale = cycles * (up + down), draw.choice([0.1, 0.25, 1.0])
    case = {"shape": mode, "steps": steps, "scale": scale, "options": options, **ranges(draw)}
    values = stepped(
        lambda optimizer: lr_scheduler.CyclicLR(
            optimizer,
            scale * case["max_lr"],
            case["max_lr"],
            up,
            down,
            mode,
            options.get("gamma", 1.0),
            base_momentum=case["low"],
            max_momentum=case["high"],
        ),
        steps,
    )
    return case | values


def ranges(draw: random.Random) -> dict:
    high = round(draw.uniform(0.5, 0.99), 3)
    low = round(draw.uniform(0, high), 3)
    return {"max_lr": draw.choice([0.1, 3.0, 0.004]), "high": high, "low": low}


def trained_by_fastai(fit, epochs: int, batches: int) -> dict[str, list[float]]:
    """Return what fastai's recorder wrote down of a training of so many steps."""
    from fastai.basics import DataLoader, DataLoaders, Learner, MSELossFlat
    from fastai.callback import schedule  # noqa: F401  (gives Learner its fit_one_cycle)

    data = [(torch.zeros(1), torch.zeros(1))] * batches
    loaders = DataLoaders(DataLoader(data, bs=1), DataLoader(data[:1], bs=1))
    learner = Learner(loaders, torch.nn.Linear(1, 1), MSELossFlat())
    with contextlib.redirect_stdout(io.StringIO()), learner.no_bar(), learner.no_logging():
        fit(learner, epochs)
    names = {"lr": "lr", "mom": "momentum"}
    return {
        names[theirs]: [float(value) for value in values]
        for theirs, values in learner.recorder.hps.items()
    }


def fit_one_cycle(draw: random.Random, longest: int) -> dict:
    epochs = draw.randint(1, 4)
    batches = draw.randint(2, max(2, longest // epochs))
    options = {
        "pct_start": draw.choice([0.25, 0.3, 0.5, 0.75]),
        "div": draw.choice([25.0, 10.0, 5.0]),
        "div_final": draw.choice([1e5, 1e4, 100.0]),
        "final_momentum": draw.choice([0.95, 0.9, 0.8]),
    }
    case = {"shape": "fastai", "steps": epochs * batches, "options": options, **ranges(draw)}
    case["low"] = round(0.7 * case["high"], 3)
    options["final_momentum"] = max(options["final_momentum"], case["low"])
    values = trained_by_fastai(
        lambda learner, count: learner.fit_one_cycle(
            count,
            case["max_lr"],
            div=options["div"],
            div_final=options["div_final"],
            pct_start=options["pct_start"],
            moms=(case["high"], case["low"], options["final_momentum"]),
        ),
        epochs,
        batches,
    )
    return case | values


def fit_flat_cos(draw: random.Random, longest: int) -> dict:
    epochs = draw.randint(1, 4)
    batches = draw.randint(2, max(2, longest // epochs))
    options = {
        "pct_start": draw.choice([0.75, 0.5, 0.25]),
        "div_final": draw.choice([1e5, 1e4, 100.0]),
    }
    case = {"shape": "flat_cos", "steps": epochs * batches, "options": options, **ranges(draw)}
    del case["high"], case["low"]
    values = trained_by_fastai(
        lambda learner, count: learner.fit_flat_cos(
            count, case["max_lr"], div_final=options["div_final"], pct_start=options["pct_start"]
        ),
        epochs,
        batches,
    )
    return case | values


MAKERS = {
    one_cycle: (24, 2000),
    restarts: (6, 400),
    cyclic: (9, 400),
    fit_one_cycle: (5, 100),
    fit_flat_cos: (3, 100),
}
"""How many cases of each go to the tests, and to `--check`."""


def cases(counts: dict, seed: int, longest: int) -> list[dict]:
    found = []
    for make, count in counts.items():
        draw, left = random.Random(f"{make.__name__} {seed}"), count
        while left:
            with contextlib.suppress(ZeroDivisionError):  # PyTorch's, where a phase has no length
                found.append(make(draw, longest))
                left -= 1
    return found


def differences(case: dict) -> dict[str, float]:
    """Return by how much ours differ at most, as shares of `max_lr` and of 1."""
    from onecycle_cli import schedules

    common = {"shape": case["shape"], **case["options"]}
    lrs = schedules.learning_rates(
        case["steps"], case["max_lr"], scale_percentage=case.get("scale"), **common
    )
    found = {"lr": farthest(lrs, case["lr"]) / case["max_lr"]}
    if "momentum" in case:
        momenta = schedules.momenta(case["steps"], case["high"], case["low"], **common)
        found["momentum"] = farthest(momenta, case["momentum"])
    return found


def farthest(ours: list[float], theirs: list[float]) -> float:
    return max(math.fabs(a - b) for a, b in zip(ours, theirs, strict=True))


def check() -> None:
    worst: dict[str, dict[str, float]] = {}
    for case in cases({make: more for make, (_, more) in MAKERS.items()}, 1, 600):
        seen = worst.setdefault(case["shape"], {})
        for name, difference in differences(case).items():
            seen[name] = max(seen.get(name, 0.0), difference)
    print(json.dumps(worst, indent=2))


def write() -> None:
    few = cases({make: count for make, (count, _) in MAKERS.items()}, 0, 40)
    record = {
        "what": "learning rate and momentum of each step, by the packages themselves",
        "versions": {name: version(name) for name in ("torch", "fastai")},
    }
    rows = ",\n    ".join(map(json.dumps, few))
    text = json.dumps(record, indent=2)[:-2] + f',\n  "cases": [\n    {rows}\n  ]\n}}\n'
    Path(__file__).with_name("peers.json").write_text(text)


if __name__ == "__main__":
    check() if "--check" in sys.argv else write()
