import pytest

from onecycle_cli.throttle import Throttle


def test_the_first_time_is_at_once(clock):
    assert Throttle(clock).is_due()


def test_work_takes_a_hundredth_of_the_time_at_most(clock):
    throttle, worked = Throttle(clock), 0.0
    for second in range(5000):
        clock.now += 1
        if throttle.is_due():
            with throttle.work():
                clock.now += (took := 0.5 + second % 3)
            worked += took
    assert throttle.seconds == worked
    assert 0.005 < worked / clock.now < 0.011
    assert throttle.times > 10


def test_it_waits_as_long_as_it_is_told(clock):
    throttle = Throttle(clock)
    assert not throttle.is_due(after=5)
    clock.now += 5
    assert throttle.is_due(after=5)


def test_work_that_fails_does_not_count(clock):
    throttle = Throttle(clock)
    with pytest.raises(OSError, match="full"), throttle.work():
        clock.now += 50
        raise OSError("the disk is full")
    assert (throttle.times, throttle.seconds) == (0, 0.0)
    assert throttle.is_due()
