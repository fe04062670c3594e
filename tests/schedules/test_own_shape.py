import contextlib
import math

import numpy as np
import pytest

from onecycle_cli import schedules
from onecycle_cli.errors import OnecycleError


def spike(progress):
    return progress / 0.4 if progress <= 0.4 else (1 - progress) / 0.6


def test_the_rate_is_max_lr_times_the_function_and_momentum_its_mirror():
    """Of 11 steps, the progress is 0, 0.1, ..., 1."""
    shares = [0, 1 / 4, 2 / 4, 3 / 4, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6, 0]
    lrs = schedules.learning_rates(11, 0.5, shape=spike)
    np.testing.assert_allclose(lrs, 0.5 * np.array(shares), atol=1e-15)
    momenta = schedules.momenta(11, 0.9, 0.7, shape=spike)
    np.testing.assert_allclose(momenta, 0.9 - 0.2 * np.array(shares), atol=1e-15)
    np.testing.assert_allclose(schedules.cycle_factors(11, spike), shares, atol=1e-15)


def test_both_ends_are_asked_for_exactly_once_and_in_order():
    asked = []
    shape = schedules.OwnShape(lambda p: asked.append(p) or 1.0)
    for _ in range(2):
        schedules.learning_rates(5, 0.1, shape=shape)
        schedules.momenta(5, 0.9, 0.8, shape=shape)
    assert asked == [0, 0.25, 0.5, 0.75, 1]
    schedules.learning_rates(3, 0.1, shape=shape)
    assert asked[5:] == [0, 0.5, 1]


def test_a_table_that_was_changed_does_not_change_the_next_one():
    shape = schedules.OwnShape(spike)
    shape.shares(6)[0] = 7.0
    assert shape.shares(6)[0] == 0


def test_a_single_step_is_run_at_max_lr():
    assert schedules.learning_rates(1, 0.3, shape=lambda p: 0.0) == [0.3]


def test_rounding_is_no_fault():
    lrs = schedules.learning_rates(3, 2.0, shape=lambda p: 1 + 1e-12 if p else -1e-12)
    assert lrs == [0.0, 2.0, 2.0]


def test_numbers_of_numpy_are_numbers():
    lrs = schedules.learning_rates(3, 2.0, shape=lambda p: np.float32(0.5))
    assert lrs == [1.0] * 3
    assert {type(lr) for lr in lrs} == {float}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1.5, "1.5"),
        (-0.1, "-0.1"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (None, "None"),
        ("x", "'x'"),
    ],
)
def test_what_is_no_share_is_refused_with_its_place(value, shown):
    def odd(progress):
        return value if progress > 0.4 else 1.0

    with pytest.raises(ValueError, match="gives") as error:
        schedules.learning_rates(6, 0.1, shape=odd)
    assert isinstance(error.value, OnecycleError)
    assert str(error.value) == (
        f"shape odd must give a share of max_lr in [0, 1] everywhere; at progress 0.6, step 3 of 6 "
        f"counted from 0, it gives {shown}."
    )


def test_an_error_of_the_function_goes_through():
    with pytest.raises(ZeroDivisionError):
        schedules.learning_rates(3, 0.1, shape=lambda p: 1 / p)


def test_it_is_asked_within_its_guard():
    inside = []

    @contextlib.contextmanager
    def guard():
        inside.append(True)
        yield
        inside.pop()

    shape = schedules.OwnShape(lambda p: float(bool(inside)), guard=guard)
    assert (shape.shares(3), inside) == ([1.0] * 3, [])


def test_a_path_is_no_function():
    with pytest.raises(ValueError, match=r"shape mine\.py:spike is a path; give its function, as "):
        schedules.learning_rates(3, 0.1, shape="mine.py:spike")


@pytest.mark.parametrize("shape", [spike, "my/shapes.py:spike"])
def test_options_and_shares_of_other_shapes_mean_nothing_to_it(shape):
    name = schedules.title(shape)
    with pytest.raises(ValueError, match=rf"^shape {name} has no option 'div'; it takes none\.$"):
        schedules.check_options(shape, {"div": 3})
    for key, value in (("end_percentage", 0.2), ("scale_percentage", 0.2)):
        with pytest.raises(ValueError, match=rf"^{key} means nothing to shape {name}, whose"):
            schedules.check_share(shape, key, value)
    schedules.check_options(shape, {})
    schedules.check_share(shape, "end_percentage", schedules.END_PERCENTAGE)
    assert name == ("spike" if callable(shape) else "shapes.py:spike")
