"""Tasks given to workers of a script, which finish in any order, or are lost."""

import itertools
from dataclasses import dataclass

import pytest

from onecycle_cli.cluster.dispatch import Dispatch
from onecycle_cli.cluster.pool import Done, Lost, Ready
from onecycle_cli.errors import TrainingError


@dataclass(frozen=True)
class Task:
    title: str


TASKS = [Task(f"task {letter}") for letter in "abcde"]


class Pool:
    """Hired workers are ready at once; of those at work, a script says who is heard of next.

    Attributes:
        given: (worker, title) of each task, in the order in which they were assigned.
    """

    def __init__(self, size, script=lambda at_work: Done(min(at_work), "")):
        self.size, self.script = size, script
        self.numbers, self.hired, self.at_work, self.given = itertools.count(), [], {}, []

    def hire(self):
        number = next(self.numbers)
        self.hired.append(number)
        return number

    def assign(self, worker, task):
        assert worker not in self.at_work
        self.at_work[worker] = task
        self.given.append((worker, task.title))

    def wait(self):
        if self.hired:
            return self.start(self.hired.pop(0))
        heard = self.script(self.at_work)
        task = self.at_work.pop(heard.worker)
        return heard if isinstance(heard, Lost) else Done(heard.worker, f"result of {task.title}")

    def start(self, worker):
        return Ready(worker)


def last_first(at_work):
    return Done(max(at_work), "")


@pytest.mark.parametrize("size", [1, 2, 3, 9])
def test_each_task_is_done_once_in_whatever_order(size, listener):
    pool = Pool(size, last_first)
    found = dict(Dispatch(pool, listener).run(TASKS))
    assert found == {place: f"result of {task.title}" for place, task in enumerate(TASKS)}
    assert sorted(title for _, title in pool.given) == [task.title for task in TASKS]
    assert len({worker for worker, _ in pool.given}) == min(size, len(TASKS))
    assert listener.notes == [f"{title}: begins" for _, title in pool.given]


def test_results_come_as_they_arrive(listener):
    arrived = [place for place, _ in Dispatch(Pool(2, last_first), listener).run(TASKS)]
    assert arrived != sorted(arrived)


def test_workers_stay_for_the_next_tasks(listener):
    pool = Pool(2)
    dispatch = Dispatch(pool, listener)
    for _ in range(3):
        list(dispatch.run(TASKS))
    assert next(pool.numbers) == 2


def test_no_more_workers_are_hired_than_there_are_tasks(listener):
    pool = Pool(5)
    dispatch = Dispatch(pool, listener)
    list(dispatch.run(TASKS[:1]))
    assert next(pool.numbers) == 1
    list(dispatch.run(TASKS[:3]))
    assert {worker for worker, _ in pool.given} == {0, 2, 3}


def losing(title, times):
    """Lose whoever has this task, so many times; else the first one is done."""
    left = iter(range(times))

    def script(at_work):
        for worker, task in at_work.items():
            if task.title == title and next(left, None) is not None:
                return Lost(worker, "it was killed")
        return Done(min(at_work), "")

    return script


@pytest.mark.parametrize("times", [1, 2])
def test_a_worker_that_is_lost_costs_its_task_only(times, listener):
    pool = Pool(2, losing("task b", times))
    found = dict(Dispatch(pool, listener).run(TASKS))
    assert found == {place: f"result of {task.title}" for place, task in enumerate(TASKS)}
    had_it = [worker for worker, title in pool.given if title == "task b"]
    assert len(had_it) == len(set(had_it)) == times + 1
    assert len(pool.given) == len(TASKS) + times
    assert (
        listener.warnings
        == ["task b: its worker was lost because it was killed; trying it again"] * times
    )


def test_a_task_that_no_worker_survives_ends_it_by_its_name(listener):
    running, found = Dispatch(Pool(2, losing("task b", 3)), listener).run(TASKS), []
    with pytest.raises(TrainingError, match=r"^task b: 3 workers were lost over it, the last one "
                       "because it was killed; see whether"):  # fmt: skip
        found.extend(running)
    assert len(listener.warnings) == 2


def test_losses_of_different_tasks_do_not_add_up(listener):
    scripts = [losing(task.title, 2) for task in TASKS]

    def script(at_work):
        heard = (script(at_work) for script in scripts)
        return next((one for one in heard if isinstance(one, Lost)), Done(min(at_work), ""))

    assert len(dict(Dispatch(Pool(2, script), listener).run(TASKS))) == len(TASKS)
    assert len(listener.warnings) == 10


class Doomed(Pool):
    """So many workers are lost before they are ready."""

    def __init__(self, size, lost):
        super().__init__(size)
        self.lost = lost

    def start(self, worker):
        return Lost(worker, "it ran out of memory") if worker in self.lost else Ready(worker)


def test_workers_that_are_lost_before_they_are_ready_are_replaced(listener):
    pool = Doomed(2, lost={0, 1, 3, 4})
    assert len(dict(Dispatch(pool, listener).run(TASKS))) == len(TASKS)
    assert {worker for worker, _ in pool.given} == {2, 5}


def test_when_none_gets_ready_it_ends(listener):
    pool = Doomed(2, lost=set(range(100)))
    with pytest.raises(TrainingError, match="3 workers in a row were lost before they were ready, "
                       "the last one because it ran out of memory"):  # fmt: skip
        list(Dispatch(pool, listener).run(TASKS))


def test_what_a_worker_raises_goes_through(listener):
    def script(at_work):
        raise ArithmeticError("of the task")

    with pytest.raises(ArithmeticError, match="of the task"):
        list(Dispatch(Pool(2, script), listener).run(TASKS))
