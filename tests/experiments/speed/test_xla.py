import importlib

import keras
import numpy as np
import pytest

from onecycle_cli.experiments.speed import xla
from onecycle_cli.experiments.speed.settling import settle
from onecycle_cli.observer import Observer

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="a choice on TensorFlow only"
)


@pytest.fixture
def machine(timing):
    """A machine on which a step takes as long as it is told, with XLA and without."""

    def make(with_xla, without, **share):
        def told(bench):
            assert bench.model.jit_compile == bench.jit_compile == (not is_repeatable())
            return bench.jit_compile, with_xla if bench.jit_compile else without

        return timing(told, xla, **share)

    return make


def is_repeatable():
    settings = importlib.import_module("tensorflow.python.framework.config")
    return settings.is_op_determinism_enabled()


@pytest.mark.parametrize(("without", "warned"), [(0.1, True), (0.295, False), (0.5, False)])
def test_xla_that_is_slower_is_warned_of(small, bench, machine, listener, without, warned):
    timed = machine(0.3, without)
    for _ in range(2):
        settle(bench(small(jit_compile=True)), listener)
    assert timed == [True, False]
    assert listener.warnings == 2 * warned * [
        "XLA is 3 times slower than TensorFlow without it here (0.3 against 0.1 seconds a step); "
        "set jit_compile to false, or to auto."
    ]


@pytest.mark.harness
def test_it_stays_and_trains_as_if_nothing_had_been_timed(small, bench, machine, trained):
    machine(0.3, 0.1)
    settled = bench(small(jit_compile=True))
    settle(settled, Observer())
    assert settled.model.jit_compile
    assert not is_repeatable()
    weights = trained(settled)
    for ours, plain in zip(weights, trained(bench(small(jit_compile=True))), strict=True):
        np.testing.assert_array_equal(ours, plain)


def test_auto_and_without_it_nothing_is_timed(small, bench, machine, listener):
    """`auto` never takes it, however fast it may be."""
    timed = machine(0.1, 0.3)
    for asked in ("auto", False):
        opened = bench(small(jit_compile=asked))
        settle(opened, listener)
        assert not opened.model.jit_compile
        assert is_repeatable()
    assert not timed
    assert not listener.notes


def test_a_short_training_is_not_worth_it(small, bench, machine, listener):
    timed = machine(0.3, 0.1, share=0.02)
    settle(bench(small(jit_compile=True)), listener)
    assert not timed
    assert not listener.warnings
