"""Records of each kind as they are read back, and what can be read off a figure."""

from dataclasses import asdict

import numpy as np
import pytest

from onecycle_cli import schedules
from onecycle_cli.runs.records import Record
from onecycle_cli.suggest import Landmarks, LRFindings, Suggestion

CONFIG = {
    "dataset": {"name": "cifar10"},
    "model": {"name": "some/where/nets.py:tiny"},
    "batch_size": 128,
    "optimizer": {"name": "sgd"},
}
FOUND = LRFindings(
    Suggestion(0.12, (0.08, 0.2), "ok", "half the learning rate at which the loss rebounds."),
    0.012,
    [Landmarks(0.001, 0.01, 0.1, 0.24)],
    {"rebound/2": 0.12, "steep": 0.01, "valley": 0.02, "minimum/10": None},
)
REFUSED = LRFindings(
    Suggestion(None, None, "never_diverged", "the loss was still falling; raise max_lr to 100."),
    None,
    [Landmarks()],
    {"steep": 0.01},
)


@pytest.fixture(scope="session")
def config():
    """Return the part of a config that the pictures name."""
    return CONFIG


@pytest.fixture(scope="session")
def found():
    """Return the findings of a range test that suggests a learning rate."""
    return FOUND


@pytest.fixture(scope="session")
def refused():
    """Return the findings of a range test that suggests none."""
    return REFUSED


@pytest.fixture(scope="session")
def sweep():
    """Draw a loss that falls from 2.3 to 1.5, explodes past 0.3, and ends in nan."""
    return _sweep


def _sweep(low=1e-5, high=10.0, steps=200, seed=0):
    rng = np.random.default_rng(seed)
    x = np.log(schedules.sweep(steps, low, high))
    fall = 0.8 / (1 + np.exp(-1.3 * (x - np.log(0.02))))
    explosion = 0.05 * np.exp(np.clip(2.2 * (x - np.log(0.3)), -50, 12))
    losses = 2.3 - fall + explosion + 0.1 * rng.standard_normal(steps)
    losses[-1] = np.nan
    return np.exp(x).tolist(), losses.tolist()


@pytest.fixture(scope="session")
def find_lr():
    """Return the record of a range test."""
    return _find_lr


def _find_lr(label="tiny/find-lr/001", repeats=1, findings=FOUND, scale="exp", config=CONFIG, **kw):
    table = {"repeat": [], "step": [], "lr": [], "loss": []}
    for repeat in range(repeats):
        lrs, losses = _sweep(seed=repeat, **kw)
        table["repeat"] += [float(repeat)] * len(lrs)
        table["step"] += list(map(float, range(len(lrs))))
        table["lr"] += lrs
        table["loss"] += losses
    result = {
        "kind": "find-lr",
        "label": label,
        "suggestion": findings.suggestion.as_dict(),
        "min_lr": findings.min_lr,
        "landmarks": [asdict(m) for m in findings.landmarks] * repeats,
        "rules": findings.rules,
        "scale": scale,
    }
    return Record("find-lr", label, result, {"curve": table}, config)


@pytest.fixture(scope="session")
def compared():
    """Return the record of a comparison, from each candidate's distance to the best."""
    return _compared


def _compared(kind, distances, suggestion, *, steps=60, label=None, **result):
    """Two replicates of each candidate; a distance of None is a candidate that diverged."""
    column = "weight_decay" if kind == "find-wd" else "momentum"
    trials = {"trial": [], column: [], "replicate": [], "score": []}
    curves = {"trial": [], "step": [], "lr": [], "momentum": [], "loss": []}
    for candidate, distance in distances.items():
        for replicate in range(2):
            losses = 1 + np.exp(-np.arange(steps) / 20) + (distance or 0) + 0.1 * replicate
            if distance is None:
                losses = np.append(losses[:20] * 1.5 ** np.arange(20), np.inf)
            trial = float(len(trials["trial"]))
            trials["trial"].append(trial)
            trials[column].append(candidate)
            trials["replicate"].append(float(replicate))
            trials["score"].append(float(losses[-1]))
            curves["trial"] += [trial] * len(losses)
            curves["step"] += list(map(float, range(len(losses))))
            curves["lr"] += [0.1] * len(losses)
            curves["momentum"] += [0.9] * len(losses)
            curves["loss"] += losses.tolist()
    differences = {
        str(c): {
            "mean": d,
            "interval": [None, None] if d is None else [d - 0.01, d + 0.01],
        }
        for c, d in distances.items()
        if d != 0
    }
    label = label or f"tiny/{kind}/001"
    result = {
        "kind": kind,
        "label": label,
        "suggestion": suggestion.as_dict(),
        "differences": differences,
        "best": next(c for c, d in distances.items() if d == 0),
        "decay": "l2",
        "momentum_name": "momentum",
        "scored_on": "batches before they were trained on",
    } | result
    return Record(kind, label, result, {"trials": trials, "curves": curves}, CONFIG)


@pytest.fixture(scope="session")
def find_wd():
    """Return the record of a comparison of weight decays."""
    return _find_wd


def _find_wd(**kw):
    distances = {0.0: 0.03, 1e-2: None, 1e-3: 0.005, 1e-4: 0.0, 1e-5: 0.02, 1e-6: 5.0}
    reason = "2 values from 0.0001 to 0.001 can't be told apart."
    return _compared(
        "find-wd", distances, Suggestion(1e-3, (1e-4, 1e-3), "undecided", reason), **kw
    )


@pytest.fixture(scope="session")
def find_momentum():
    """Return the record of a comparison of momentum values."""
    return _find_momentum


def _find_momentum(**kw):
    distances = {0.8: 0.03, 0.85: 0.02, 0.9: 0.01, 0.95: 0.02, 0.99: None, "cycled": 0.0}
    found = Suggestion({"max": 0.95, "min": 0.85}, (0.85, 0.95), "ok", "cycling is best.")
    return _compared("find-momentum", distances, found, **kw)


@pytest.fixture(scope="session")
def train():
    """Return the record of a training of one or more cycles."""
    return _train


def _train(
    label="tiny/train/001",
    cycles=((4, 0.1), (3, 0.005)),
    per_epoch=10,
    accuracy=True,
    momentum=True,
):
    lrs, momenta, cycle = [], [], []
    for number, (epochs, max_lr) in enumerate(cycles):
        steps = epochs * per_epoch
        lrs += schedules.learning_rates(steps, max_lr)
        momenta += schedules.momenta(steps, 0.95, 0.85)
        cycle += [float(number)] * steps
    total, epochs = len(lrs), len(lrs) // per_epoch
    rng = np.random.default_rng(0)
    losses = 0.3 + 2 * np.exp(-np.arange(total) / total * 4) + 0.1 * rng.standard_normal(total)
    steps = {
        "step": list(map(float, range(total))),
        "lr": lrs,
        "momentum": momenta if momentum else [""] * total,
        "loss": losses.tolist(),
        "cycle": cycle,
    }
    history = {
        "epoch": list(map(float, range(1, epochs + 1))),
        "cycle": cycle[::per_epoch],
        "val_loss": np.linspace(2, 0.5, epochs).tolist(),
        "val_accuracy": np.linspace(0.3, 0.9, epochs).tolist() if accuracy else [""] * epochs,
    }
    result = {"kind": "train", "label": label, "test_loss": 0.52, "steps_per_epoch": per_epoch}
    if accuracy:
        result |= {"test_accuracy": 0.9123, "val_accuracy_last": 0.9, "val_accuracy_best": 0.91}
    return Record("train", label, result, {"steps": steps, "history": history}, CONFIG)


@pytest.fixture(scope="session")
def confused():
    """Return the record of a training whose test gave a confusion matrix."""
    return _confused


def _confused(counts, names=None, **result):
    names = names or [f"class {i}" for i in range(len(counts))]
    per_class = [{"class": name} for name in names]
    result = {"kind": "train", "confusion": counts, "per_class": per_class} | result
    return Record("train", "tiny/train/001", result, {}, CONFIG)


@pytest.fixture(scope="session")
def heading():
    """Read the lines of text above a figure's axes."""
    return _heading


def _heading(figure):
    return [text.get_text() for text in figure.texts]


@pytest.fixture(scope="session")
def tick_labels():
    """Read the labels of an axis, as they are drawn."""
    return _tick_labels


def _tick_labels(axis):
    axis.get_figure().canvas.draw()
    return [label.get_text() for label in axis.get_ticklabels()]


@pytest.fixture(scope="session")
def line():
    """Find the one line of some axes that has this label."""
    return _line


def _line(axes, label):
    (found,) = [drawn for drawn in axes.lines if drawn.get_label() == label]
    return found


@pytest.fixture(scope="session")
def legend_texts():
    """Read the names in a figure's one legend."""
    return _legend_texts


def _legend_texts(figure):
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


@pytest.fixture(scope="session")
def notes():
    """Read what is written into some axes."""
    return _notes


def _notes(axes):
    return [text.get_text() for text in axes.texts]
