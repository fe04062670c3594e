import numpy as np
import pytest

from onecycle_cli.data.target_scale import TargetScale


@pytest.fixture
def prices():
    """Two columns of numbers far from 0 and 1, and one that does not vary."""
    random = np.random.default_rng(0)
    y = random.normal([3e5, -70, 5], [1e5, 12, 0], size=(90, 3))
    return y.astype(np.float32)


def test_the_rows_that_are_measured_get_mean_zero_and_deviation_one(prices):
    rows = np.arange(50)
    found = TargetScale.of(prices, rows).standardised(prices)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[rows].mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(found[rows].std(axis=0), [1, 1, 0], atol=1e-5)
    varying = prices[:, :2].astype(np.float64)
    expected = (varying - varying[rows].mean(axis=0)) / varying[rows].std(axis=0)
    np.testing.assert_allclose(found[:, :2], expected, atol=1e-5)


def test_one_column_keeps_its_shape(prices):
    scale = TargetScale.of(prices[:, 0], np.arange(90))
    assert scale.standardised(prices[:, 0]).shape == (90,)
    both = TargetScale.of(prices, np.arange(90)).standardised(prices)
    assert scale.standardised(prices[:, 0]).tolist() == both[:, 0].tolist()


def test_answers_come_back_to_the_units_of_the_targets(prices):
    scale = TargetScale.from_plain(TargetScale.of(prices, np.arange(90)).as_dict())
    back = scale.in_own_units(scale.standardised(prices))
    np.testing.assert_allclose(back, prices, rtol=1e-5)


def test_it_is_written_as_a_formula():
    y = np.array([[200, 1], [400, 3]], np.float32)
    assert str(TargetScale.of(y[:, 0], np.arange(2))) == "(y - 300) / 100"
    assert str(TargetScale.of(y, np.arange(2))) == "(y - [300, 2]) / [100, 1]"
