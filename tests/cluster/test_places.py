import pytest

from onecycle_cli.cluster.places import places

BIG = {"CPU": 16.0, "GPU": 2.0, "memory": 1e9}
SMALL = {"CPU": 4.0}


@pytest.mark.parametrize(
    ("machines", "wanted", "room"),
    [
        ([SMALL], {"CPU": 1, "GPU": 0}, 4),
        ([SMALL, SMALL], {"CPU": 1, "GPU": 0}, 8),
        ([SMALL, SMALL], {"CPU": 3, "GPU": 0}, 2),  # one each, and a core is left on both
        ([SMALL, SMALL], {"CPU": 5, "GPU": 0}, 0),  # though there are eight in all
        ([BIG, SMALL], {"CPU": 1, "GPU": 0.5}, 4),
        ([BIG, SMALL], {"CPU": 8, "GPU": 0.5}, 2),
        ([BIG], {"CPU": 0, "GPU": 0.25}, 8),
        ([BIG], {"CPU": 0.1, "GPU": 0}, 160),
        ([], {"CPU": 1, "GPU": 0}, 0),
    ],
)
def test_as_many_as_fit_on_each_machine(machines, wanted, room):
    assert places(machines, wanted) == room
