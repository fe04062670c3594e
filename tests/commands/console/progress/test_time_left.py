import pytest

from onecycle_cli.commands.console.progress.time_left import TimeLeft, duration


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def started(steps, advice="", later=0.0):
    clock = Clock()
    left = TimeLeft(advice, clock)
    left.later = later
    left.expect(steps)
    left.begin()
    return left, clock


def run(left, clock, *times, together=1):
    for seconds in times:
        clock.now += seconds
        for _ in range(together):
            left.advance()


def test_the_pace_is_that_of_the_steps_after_the_first():
    left, clock = started(10)
    run(left, clock, 8.0)
    assert left.in_words() == ""
    run(left, clock, 2.0, 2.0)
    assert left.seconds == pytest.approx(7 * 2.0)
    assert left.in_words() == "14 s left"


def test_steps_that_are_executed_together_count_as_many():
    left, clock = started(100)
    run(left, clock, 8.0, 2.0, 2.0, together=10)
    assert left.seconds == pytest.approx(70 * 0.2)


def test_fast_steps_give_a_time_too():
    left, clock = started(10_000)
    run(left, clock, 3.0, *[0.002] * 1000)
    assert left.seconds == pytest.approx(0.002 * 8999)


def test_what_lies_between_two_trials_counts():
    left, clock = started(40)
    run(left, clock, *[1.0] * 10)
    clock.now += 10
    left.begin()
    run(left, clock, *[1.0] * 10)
    assert left.seconds == pytest.approx(20 * (9 + 10 + 10) / 19)


def test_on_a_very_slow_machine_the_second_step_says_something():
    left, clock = started(302)
    run(left, clock, 120.0)
    assert left.in_words() == ""
    assert left.remark() is None
    run(left, clock, 60.0)
    assert left.in_words() == "5 h left"
    assert left.remark() == "all of it may take 5 h on this machine"


def test_more_is_to_come_after_the_steps():
    left, clock = started(3, later=600.0)
    run(left, clock, 5.0, 1.0)
    assert left.in_words() == "10 min left"


def test_it_never_goes_below_nothing():
    left, clock = started(2)
    run(left, clock, 1.0, 1.0, 1.0)
    assert left.seconds == 0


def test_what_was_done_before_is_not_done_again():
    left, clock = started(100)
    left.recall(60)
    run(left, clock, 5.0, 1.0)
    assert left.seconds == 38


def test_nobody_knows_without_a_number_of_steps():
    left, clock = started(0)
    run(left, clock, 1.0, 1.0, 1.0)
    assert left.in_words() == ""
    assert left.remark() is None


def test_a_long_time_is_remarked_once_and_with_advice():
    left, clock = started(1000, "--quick is a small test")
    run(left, clock, 9.0, 1.0)
    assert left.remark() is None
    run(left, clock, *[1.0] * 5)
    assert left.remark() == ("all of it may take 17 min on this machine; --quick is a small test")
    run(left, clock, 1.0)
    assert left.remark() is None


def test_a_short_time_is_never_remarked():
    left, clock = started(100)
    run(left, clock, 9.0, *[1.0] * 6)
    assert left.remark() is None
    run(left, clock, 1000.0)
    assert left.remark() is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "1 s"), (40.4, "40 s"), (59.6, "1 min"), (150, "2 min"), (7800, "2 h 10 min"),
     (7200, "2 h"), (40_000, "11 h")],
)  # fmt: skip
def test_durations(seconds, words):
    assert duration(seconds) == words
