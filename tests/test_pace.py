import pytest

from onecycle_cli.pace import Pace


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_the_first_time_is_at_once(clock):
    assert Pace(clock).is_due()


def test_work_takes_a_hundredth_of_the_time_at_most(clock):
    pace, worked = Pace(clock), 0.0
    for second in range(5000):
        clock.now += 1
        if pace.is_due():
            with pace.work():
                clock.now += (took := 0.5 + second % 3)
            worked += took
    assert pace.seconds == worked
    assert 0.005 < worked / (clock.now - 100) < 0.011
    assert pace.times > 10


def test_it_waits_as_long_as_it_is_told(clock):
    pace = Pace(clock)
    assert not pace.is_due(after=5)
    clock.now += 5
    assert pace.is_due(after=5)


def test_work_that_fails_does_not_count(clock):
    pace = Pace(clock)
    with pytest.raises(OSError, match="full"), pace.work():
        clock.now += 50
        raise OSError("the disk is full")
    assert (pace.times, pace.seconds) == (0, 0.0)
    assert pace.is_due()
