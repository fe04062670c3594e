import pytest

from onecycle_cli.config import load_config
from onecycle_cli.experiments.speed import steps
from onecycle_cli.observer import Observer
from onecycle_cli.workbench.bench import Workbench


@pytest.fixture
def bench(small):
    bench = Workbench(load_config(small()), Observer())
    yield bench
    bench.close()


def test_steps_are_timed_after_the_first_ones(bench, monkeypatch):
    taken = []
    monkeypatch.setattr(steps.time, "perf_counter", lambda: taken.append(0) or _clock(len(taken)))
    assert steps.seconds_of_a_step(bench) == pytest.approx(0.5)
    assert len(taken) == 11


def test_it_gives_up_on_a_step_that_takes_too_long(bench, monkeypatch):
    taken = []
    monkeypatch.setattr(steps.time, "perf_counter", lambda: taken.append(0) or 7.0 * len(taken))
    assert steps.seconds_of_a_step(bench, give_up=6.9) == 7.0
    assert len(taken) == 3


def test_enough_steps_are_enough(bench, monkeypatch):
    taken = []
    monkeypatch.setattr(steps.time, "perf_counter", lambda: taken.append(0) or 1.0 * len(taken))
    assert steps.seconds_of_a_step(bench) == 1.0
    assert len(taken) == steps.WARM_UP + 7


def _clock(count):
    """Four steps of ten seconds, then some of half a second."""
    return 10.0 * min(count, steps.WARM_UP) + 0.5 * max(0, count - steps.WARM_UP)


@pytest.mark.harness
def test_what_several_steps_in_one_execution_take_is_shared_by_them(bench, monkeypatch):
    taken = []
    monkeypatch.setattr(steps.time, "perf_counter", lambda: taken.append(0) or _clock(len(taken)))
    assert steps.seconds_of_a_step(bench, together=4) == pytest.approx(0.5 / 4)
    assert int(bench.model.optimizer.iterations.numpy()) == 4 * len(taken)


def test_a_smaller_batch_at_an_epochs_end_is_among_the_first(small):
    """What compiles each size by itself then does so before the clock counts."""
    bench, sizes = Workbench(load_config(small(batch_size=50)), Observer()), []
    train_step = bench.model.train_step
    vars(bench.model)["train_step"] = lambda data: sizes.append(len(data[0])) or train_step(data)
    bench.model.run_eagerly = True
    bench.model.make_train_function(force=True)
    steps.train_a_little(bench, 3)
    bench.close()
    assert sizes == [10, 50, 50]
