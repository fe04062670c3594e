"""A folder of small runs of every kind, as the commands write them, without any training."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from onecycle_cli import report, schedules
from onecycle_cli.runs import files
from onecycle_cli.runs.mistakes import Mistake
from onecycle_cli.runs.records import Record, read_record

CONFIG = {
    "name": "tiny",
    "batch_size": 128,
    "dataset": {"name": "digits", "limit": None},
    "model": {"name": "mlp", "options": {}},
    "optimizer": {"name": "sgd", "nesterov": True},
    "train": {
        "cycles": [{"epochs": 4}, {"epochs": 3}],
        "max_lr": 0.122,
        "momentum": {"max": 0.95, "min": 0.85},
        "weight_decay": 0.0015,
    },
}
MANIFEST = {
    "schema_version": 1,
    "command": ["onecycle", "run", "digits.yaml"],
    "versions": {"onecycle": "0.1.0", "keras": "3.15.1"},
    "backend": "tensorflow",
    "precision": "float32",
    "devices": 1,
    "threads": 2,
    "seed": 0,
    "origins": {
        "batch_size": "file",
        "optimizer.name": "default",
        "train.max_lr": "suggestion of tiny/find-lr/001",
        "train.momentum": "default",
    },
    "start": "2026-11-27T08:00:00+00:00",
    "end": "2026-11-27T08:00:09+00:00",
    "status": "done",
}
COST = {"steps": 375, "epochs": 16.3, "training_runs": 0.815, "seconds": 1.67}
CHANCE = 2.3026
GREY = (
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAAAAADRSSBWAAAAC0lEQVR4nGNg+A8AAQIBAEK+vGgAAAAASUVORK5CYII="
)
"""A picture of two pixels, as PNG in Base64."""

MISTAKES = tuple(
    Mistake(true, answer, example, "image/png", 2, 1, GREY)
    for true, answer, example in ((0, 1, 3), (0, 1, 7), (1, 2, 30))
)
"""Two cats that were taken for dogs, and a dog that was taken for an owl."""


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """Keep what draws the charts elsewhere than in the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """Write runs of every kind, and return their folder."""
    folder = tmp_path_factory.mktemp("runs")
    for record in (probes(), range_test(), decays(), momenta(), training(), training(2, lr=0.05)):
        write_run(folder, record)
    write_recipe(folder / "tiny/run/001")
    return folder


@pytest.fixture(scope="session")
def manifest():
    """Return what the manifests say."""
    return MANIFEST


@pytest.fixture(scope="session")
def record(runs):
    """Read one of these runs."""
    return lambda name: read_record(runs / "tiny" / name)


@pytest.fixture(scope="session")
def write():
    """Write a run into a folder of runs, and return its folder."""
    return write_run


@pytest.fixture(scope="session")
def made():
    """Make a record of a kind, with other options than the usual ones."""
    return {"train": training, "find-lr": probes, "find-wd": decays, "sweep": range_test}


@pytest.fixture(scope="session")
def page(runs):
    """Return what is in the report of one of these runs."""
    known = {}

    def page(name):
        if name not in known:
            known[name] = read(report.report_of(read_record(runs / "tiny" / name), MANIFEST))
        return known[name]

    return page


@pytest.fixture(scope="session")
def read_page():
    """Read HTML as a page."""
    return read


def write_run(folder, record):
    name = record.label.removesuffix("/")
    place = folder / name
    record.write(place)
    files.write_yaml(place / "config.yaml", record.config)
    files.write_json(place / "manifest.json", MANIFEST)
    return place


def write_recipe(folder):
    stages = {}
    for name, value, interval in (
        ("find-lr", 0.122, [0.0904, 0.157]),
        ("find-wd", 0.0015, [0.0, 0.003]),
        ("find-momentum", {"max": 0.95, "min": 0.85}, [0.75, 0.95]),
        ("train", None, None),
    ):
        stages[name] = {
            "name": name,
            "status": "done",
            "note": "",
            "value": value,
            "interval": interval,
            "verdict": None if name == "train" else "ok",
            "folder": f"tiny/{name}/001",
            "cost": COST,
        }
    recipe = {"schema_version": 1, "status": "done", "conditions": {}, "stages": stages}
    files.write_json(folder / "recipe.json", recipe)
    files.write_json(folder / "manifest.json", MANIFEST)
    files.write_yaml(folder / "config.yaml", CONFIG)
    files.write_json(folder / "result.json", {"kind": "run", "label": "tiny/run/001"})


def suggestion(value, interval, verdict="ok", reason="it is so."):
    return {"value": value, "interval": interval, "verdict": verdict, "reason": reason}


def probes(number=1, found=None, **result):
    """Short trainings at seven rates, the best of them at 0.1, the highest broken off."""
    trials = {name: [] for name in ("trial", "max_lr", "stage", "replicate", "steps", "score",
                                    "looks", "held_out", "held_out_error")}  # fmt: skip
    curves = {name: [] for name in ("trial", "step", "lr", "momentum", "loss")}
    plan = [("ladder", 25, lr) for lr in (0.0237, 0.1, 0.422, 1.78)]
    plan += [("final", 100, lr) for lr in (0.0422, 0.1, 0.237)]
    for trial, (stage, steps, lr) in enumerate(plan):
        broke_off = lr > 1
        end = 0.2 + np.log10(lr / 0.1) ** 2 * 0.4 - (0.1 if stage == "final" else 0)
        losses = end + (CHANCE - end) * np.exp(-np.arange(steps) / steps * 8)
        if broke_off:
            losses[10:] = np.inf
            losses = losses[:11]
        score = float("inf") if broke_off else float(losses[-steps // 5 :].mean())
        row = (trial, lr, stage, 0, steps, score, "high" if broke_off else "good", "", "")
        for values, value in zip(trials.values(), row, strict=True):
            values.append(value)
        for step, loss in enumerate(losses):
            for values, value in zip(curves.values(), (trial, step, lr, 0.9, loss), strict=True):
                values.append(float(value))
    found = found or suggestion(0.122, [0.0904, 0.157], reason="the loss is lowest around 0.1.")
    plan = {"budget": 600, "first": 0.1, "lowest": 1e-5, "highest": 10.0, "given": [], "shift": 0.1}
    label = f"tiny/find-lr/{number:03d}"
    result = {"suggestion": found, "min_lr": 0.0122, "method": "probes", "chance_loss": CHANCE,
              "floor": 0.0, "plan": plan, "cost": COST, "caveats": []} | result  # fmt: skip
    return Record("find-lr", label, result, {"trials": trials, "curves": curves}, CONFIG)


def range_test(number=2, steps=100, **result):
    """Two range tests, in which the loss falls until 0.1 and then explodes."""
    table = {name: [] for name in ("repeat", "step", "lr", "loss")}
    lrs = np.array(schedules.sweep(steps, 1e-5, 10.0))
    for repeat in range(2):
        noise = 0.05 * np.random.default_rng(repeat).standard_normal(steps)
        losses = CHANCE - 1.5 / (1 + (0.01 / lrs) ** 1.3) + np.minimum(40, 0.5 * lrs**2) + noise
        table["repeat"] += [repeat] * steps
        table["step"] += list(range(steps))
        table["lr"] += lrs.tolist()
        table["loss"] += losses.tolist()
    marks = {"noise": 0.05, "descend": 0.001, "minimum": 0.1, "diverge": 0.9}
    result = {
        "suggestion": suggestion(0.21, [0.19, 0.23]),
        "min_lr": 0.021,
        "method": "sweep",
        "landmarks": [{k: marks.get(k) for k in ("steep", "descend", "minimum", "diverge")}] * 2,
        "rules": {"middle": 0.21, "rebound/2": 0.45, "steep": 0.011, "valley": None},
        "scale": "exp",
        "chance_loss": CHANCE,
        "floor": 0.0,
        "cost": COST,
        "caveats": [],
    } | result
    return Record("find-lr", f"tiny/find-lr/{number:03d}", result, {"curve": table}, CONFIG)


def compared(kind, column, distances, found, **more):
    trials = {name: [] for name in ("trial", column, "stage", "replicate", "steps", "score")}
    curves = {name: [] for name in ("trial", "step", "lr", "momentum", "loss")}
    for trial, (value, distance) in enumerate(distances.items()):
        losses = 1 + np.exp(-np.arange(60) / 20) + distance
        row = (trial, value, "first", 0, 60, float(losses[-12:].mean()))
        for values, entry in zip(trials.values(), row, strict=True):
            values.append(entry)
        for step, loss in enumerate(losses):
            for values, entry in zip(curves.values(), (trial, step, 0.1, 0.9, loss), strict=True):
                values.append(float(entry))
    if column == "momentum":
        trials["momentum_max"] = [value + 0.05 for value in distances]
        trials["momentum_min"] = [value - 0.05 for value in distances]
    differences = {
        str(v): {"mean": d, "interval": [d - 0.01, d + 0.02]} for v, d in distances.items() if d
    }
    result = {
        "suggestion": found,
        "best": next(v for v, d in distances.items() if not d),
        "differences": differences,
        "decay": "l2",
        "momentum_name": "momentum",
        "scored_on": "validation split",
        "chance_loss": CHANCE,
        "cost": COST,
        "caveats": [],
    } | more
    label = f"tiny/{kind}/001"
    return Record(kind, label, result, {"trials": trials, "curves": curves}, CONFIG)


def decays(found=None, **more):
    """Four weight decays, of which the largest is far off."""
    distances = {0.0: 0.015, 1e-4: 0.005, 1e-3: 0.0, 1e-2: 0.9}
    found = found or suggestion(0.0015, [0.0, 0.003], "undecided", "none is clearly the best.")
    return compared("find-wd", "weight_decay", distances, found, **more)


def momenta(**more):
    """Three ranges of momentum, of which the suggested one is not the best."""
    found = suggestion({"max": 0.95, "min": 0.85}, [0.75, 0.95], "undecided", "it is safe.")
    distances = {0.8: 0.0, 0.85: 0.004, 0.9: 0.02}
    return compared("find-momentum", "momentum", distances, found, **more)


def training(number=1, lr=0.122, per_epoch=23, config=CONFIG, names=None, **result):
    """Two cycles of four and three epochs, and a test of three classes."""
    lrs, momenta, cycle = [], [], []
    for index, epochs in enumerate((4, 3), start=1):
        lrs += schedules.learning_rates(epochs * per_epoch, lr / index)
        momenta += schedules.momenta(epochs * per_epoch, 0.95, 0.85)
        cycle += [index] * (epochs * per_epoch)
    total = len(lrs)
    noise = 0.02 * np.random.default_rng(number).standard_normal(total)
    losses = 0.05 + lr + 2 * np.exp(-np.arange(total) / total * 6) * (1 + noise)
    steps = {
        "step": list(range(total)),
        "lr": lrs,
        "momentum": momenta,
        "loss": losses.tolist(),
        "cycle": cycle,
        "weight_decay": [0.0015] * total,
    }
    history = {
        "epoch": list(range(1, 8)),
        "cycle": cycle[::per_epoch],
        "loss": np.linspace(1.2, 0.1, 7).tolist(),
        "val_loss": np.linspace(1.1, 0.2, 7).tolist(),
        "val_accuracy": np.linspace(0.5, 0.95, 7).tolist(),
    }
    names = names or ["cat", "dog", "owl"]
    result = {
        "test_accuracy": 0.9,
        "test_loss": 0.21,
        "val_accuracy_last": 0.95,
        "val_accuracy_best": 0.96,
        "val_loss_last": 0.2,
        "best_epoch": 6,
        "max_lr": [lr, lr],
        "momentum": {"max": 0.95, "min": 0.85},
        "weight_decay": 0.0015,
        "decay": "l2",
        "sources": {
            "max_lr": ["suggestion of tiny/find-lr/001"] * 2,
            "momentum": "default",
            "weight_decay": "suggestion of tiny/find-wd/001",
        },
        "steps_per_epoch": per_epoch,
        "cost": COST,
        "per_class": [{"class": n, "examples": 20, "accuracy": 0.9} for n in names],
        "confusion": [[18, 2, 0], [1, 17, 2], [0, 1, 19]],
        "caveats": [],
    } | result
    config = config | {"train": config["train"] | {"max_lr": lr}}
    tables = {"steps": steps, "history": history}
    return Record("train", f"tiny/train/{number:03d}", result, tables, config, MISTAKES)


class Page(HTMLParser):
    """What is in a page: its elements, its text, its charts and tables."""

    def __init__(self, html):
        super().__init__()
        self.html, self.elements, self.scripts = html, [], []
        self.tables, self._open, self.words = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self._open.append(tag)
        if tag == "script":
            self.scripts.append((dict(attributes), ""))
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data):
        if "script" in self._open:
            about, text = self.scripts.pop()
            self.scripts.append((about, text + data))
            return
        if "style" not in self._open:
            self.words.append(data)
        if {"td", "th"} & set(self._open):
            self.tables[-1][-1][-1] += data

    @property
    def text(self):
        """All that is to be read, with single spaces."""
        return re.sub(r"\s+", " ", " ".join(self.words)).strip()

    @property
    def specs(self):
        """The charts, as Vega-Lite."""
        return [json.loads(t) for about, t in self.scripts if about.get("type")]

    def table(self, first):
        """Return the rows of the table whose first heading this is."""
        return next(rows for rows in self.tables if rows[0][0] == first)

    def named(self, tag):
        """Return the attributes of all elements of a kind."""
        return [about for name, about in self.elements if name == tag]


def read(html):
    return Page(html)
