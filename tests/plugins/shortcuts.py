"""What lets thousands of tests run in minutes: work that a test is not about is done once, or not.

In the rooms whose tests make many runs, a model is compiled once a file, and pictures have one
pixel, unless the marker `pictures` asks for the real thing. Of a test with many cases a plain run
takes some, `samples`, and the harnesses the others.
"""

import collections
import contextlib
import functools
import gc
import importlib
import json
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from onecycle_cli.observer import Observer

TESTS = Path(__file__).parent.parent
WITH_MANY_RUNS = ("commands", "experiments", "training")
SLOWEST_FIRST = (*WITH_MANY_RUNS, "callbacks", "engine", "workbench")
"""Rooms with files that take long; begun last, one would keep a worker after the other's end."""


def pytest_configure(config):
    for marker in (
        "samples(count): so many of its cases run by `pytest`, the others with the harnesses.",
        "pictures: draws its pictures really, in a room where they are stubbed.",
    ):
        config.addinivalue_line("markers", marker)
    settings.register_profile(
        "the same everywhere",
        derandomize=True,
        max_examples=150,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    settings.load_profile("the same everywhere")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    leave_cases_to_the_harness(items)

    def turn(item):
        room = room_of(item)
        return SLOWEST_FIRST.index(room) if room in SLOWEST_FIRST else len(SLOWEST_FIRST)

    items.sort(key=turn)


def leave_cases_to_the_harness(items):
    """Keep as many cases of a test as its marker `samples` says, evenly spread, for a plain run."""
    cases = collections.defaultdict(list)
    for item in items:
        if (marker := item.get_closest_marker("samples")) and not item.get_closest_marker("torch"):
            cases[item.path, item.originalname, *marker.args].append(item)
    for (*_, count), found in cases.items():
        kept = {round(i * len(found) / count) for i in range(count)}
        for number, item in enumerate(found):
            if number not in kept:
                item.add_marker("harness")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Prepare what the fixtures of a test, those of its file included, are made with."""
    if "tensorflow" in sys.modules:
        settle_tensorflow()
    if "onecycle_cli.plotting" in sys.modules or room_of(item) in WITH_MANY_RUNS:
        looks = item.get_closest_marker("pictures") is not None
        stub_pictures(is_real=looks or room_of(item) not in WITH_MANY_RUNS)
    if "onecycle_cli.experiments.session" in sys.modules:
        share_benches()
        BENCHES.turn_to(item)


def room_of(item):
    return item.path.relative_to(TESTS).parts[0]


# --- TensorFlow --------------------------------------------------------------------------------


@functools.cache
def settle_tensorflow():
    """Do once what makes TensorFlow bearable in a process that runs thousands of tests."""
    make_plain_iterators()
    gc.collect()
    gc.freeze()  # or each collection would look through all of TensorFlow again
    gc.set_threshold(100_000, 20, 50)  # each graph that is traced makes as many objects


def make_plain_iterators():
    """Have TensorFlow neither rewrite its iterators nor tune them in threads that may sleep long.

    Who frees an old one waits for its thread, up to a minute: one of a `fit` that raised, as tests
    make them, is freed by the garbage collector much later, in the middle of another test.
    """
    import tensorflow as tf

    made = tf.data.Dataset.__iter__

    def plain(dataset):
        options = tf.data.Options()
        options.autotune.enabled = False
        options.experimental_optimization.apply_default_optimizations = False
        return made(dataset.with_options(options))

    tf.data.Dataset.__iter__ = plain


# --- pictures ----------------------------------------------------------------------------------


SMALLEST_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a4944415478da6360000000020001e527defc0000000049454e44ae426082"
)


DRAWING = ("draw", "draw_confusion", "draw_schedule")


def stub_pictures(*, is_real):
    """Write pictures of one pixel, where no test looks at them: to draw one takes half a second.

    And reports of one word: each would be a megabyte.
    """
    reports, written = importlib.import_module("onecycle_cli.report"), real_reports()
    for name, function in written.items():
        setattr(reports, name, function if is_real else lambda *_: "<!DOCTYPE html>")
    plotting, real = importlib.import_module("onecycle_cli.plotting"), real_pictures()
    stubs = dict.fromkeys(DRAWING, lambda *_, **__: plotting.Figure())
    for name, function in (real if is_real else stubs | {"png": lambda _: SMALLEST_PNG}).items():
        setattr(plotting, name, function)


@functools.cache
def real_pictures():
    plotting = importlib.import_module("onecycle_cli.plotting")
    return {name: getattr(plotting, name) for name in (*DRAWING, "png")}


@functools.cache
def real_reports():
    reports = importlib.import_module("onecycle_cli.report")
    return {name: getattr(reports, name) for name in ("report_of", "report_of_recipe")}


@pytest.fixture(scope="session")
def with_pictures():
    """Return a context in which a fixture draws its pictures really."""

    @contextlib.contextmanager
    def drawing():
        plotting = importlib.import_module("onecycle_cli.plotting")
        reports = importlib.import_module("onecycle_cli.report")
        real = ((plotting, real_pictures()), (reports, real_reports()))
        present = [{name: getattr(room, name) for name in names} for room, names in real]
        for room, functions in real:
            vars(room).update(functions)
        try:
            yield
        finally:
            for (room, _), functions in zip(real, present, strict=True):
                vars(room).update(functions)

    return drawing


# --- compiled models ---------------------------------------------------------------------------


class Benches:
    """Compiled models, each made once in a test file: a run on one starts as a recipe's stage does.

    Only models on digits, since other files may differ the next time, and those that warn of
    nothing.
    """

    def __init__(self):
        self.path, self.kept, self.is_open = None, {}, False

    def turn_to(self, item):
        """Forget the models of other files."""
        self.is_open = room_of(item) in WITH_MANY_RUNS
        if item.path != self.path:
            self.path, self.kept = item.path, {}

    def make(self, workbench, config, observer, in_hand=None):
        if in_hand is not None:
            return workbench(config, observer, in_hand)
        key = what_is_compiled(config) if self.is_open else None
        if key in self.kept:
            bench, heard = self.kept[key]
            repeatable = importlib.import_module("onecycle_cli.engine.repeatable")
            repeatable.make_repeatable(config.seed, jit_compile=bench.jit_compile)
            bench.config, bench._observer = config, observer
            bench.rewind()
            heard.tell(observer)
            return bench
        if key is None:
            return workbench(config, observer)
        heard = Heard()
        bench = workbench(config, heard)
        bench._observer = observer
        heard.tell(observer)
        if heard.warnings:
            return bench
        bench.close = lambda: None
        self.kept[key] = bench, heard
        return bench


BENCHES = Benches()
NOT_COMPILED = ("cycles", "max_lr", "weight_decay", "shape", "shape_options", "retries")


class Heard(Observer):
    def __init__(self):
        self.notes, self.warnings = [], []

    def note(self, text):
        self.notes.append(text)

    def warn(self, text):
        self.warnings.append(text)

    def tell(self, observer):
        for text in self.notes:
            observer.note(text)
        for text in self.warnings:
            observer.warn(text)


class Known:
    """What came of a replay the first time."""

    def __init__(self, found):
        self.as_dict = lambda: found


@functools.cache
def share_benches():
    session = importlib.import_module("onecycle_cli.experiments.session")
    timing = importlib.import_module("onecycle_cli.experiments.recipe.pace")
    steps = importlib.import_module("onecycle_cli.experiments.speed.steps")
    steps._MOST_STEPS, timing._MOST_TRIES, pace = 12, 1, timing.Pace
    workbench, replay, measured = session.Workbench, session.replay, pace.of

    @functools.lru_cache(maxsize=8)
    def pace_of(bench):
        return measured(bench)

    session.Workbench = functools.partial(BENCHES.make, workbench)
    session.replay = lambda bench: Known(bench.replay) if bench.replay else replay(bench)
    pace.of = pace_of


def what_is_compiled(config):
    """Return what two configurations have in common that may share a model; `None`: none may."""
    data = config.model_dump()
    if data["dataset"]["name"] != "digits" or ":" in data["optimizer"]["name"]:
        return None
    if ":" in data["model"]["name"]:
        functions = importlib.import_module("onecycle_cli.registry.code.functions")
        data["file"] = functions.digests(Path(data["model"]["name"].rpartition(":")[0]))
    train = {key: value for key, value in data["train"].items() if key not in NOT_COMPILED}
    common = {key: value for key, value in data.items() if key != "name" and "find_" not in key}
    return json.dumps(common | {"train": train}, sort_keys=True, default=str)
