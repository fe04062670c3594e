import math

import numpy as np
import pytest

from onecycle_cli.suggest import (
    COLUMNS,
    FINAL,
    Bounds,
    Estimate,
    SearchPlan,
    plan_as_data,
    plan_of,
    probes_of,
    rows_of,
)


def test_probes_come_back_as_they_were(probe):
    probes = [
        probe(0.1, 0.5),
        probe(0.3, math.inf),
        probe(0.2, 0.4, FINAL, 40, held_out=Estimate(0.6, 0.05)),
    ]
    rows = rows_of(probes, Bounds(0.0, 2.3))
    trials = dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
    assert trials["looks"] == ["good", "high", "good"]
    curves = {
        "trial": [float(i) for i, p in enumerate(probes) for _ in p.losses],
        "loss": [loss for p in probes for loss in p.losses],
    }
    again = probes_of(trials, curves)
    for then, now in zip(probes, again, strict=True):
        assert (then.value, then.stage, then.steps) == (now.value, now.stage, now.steps)
        assert then.held_out == now.held_out
        np.testing.assert_array_equal(then.losses, now.losses)


@pytest.mark.parametrize("lacking", ["trial", "max_lr", "stage", "steps", "held_out"])
def test_a_table_that_lacks_a_column_is_refused(lacking):
    trials = {name: [] for name in COLUMNS if name != lacking}
    with pytest.raises(LookupError):
        probes_of(trials, {"trial": [], "loss": []})


def test_a_plan_comes_back_as_it_was():
    plan = SearchPlan(960, 0.1, 1e-5, 10.0, (0.1, 0.2))
    assert plan_of(plan_as_data(plan, -0.1)) == (plan, -0.1)
    quick = SearchPlan(150, 0.1, 1e-5, 10.0, usual=600)
    assert plan_of(plan_as_data(quick, 0.1)) == (quick, 0.1)
    older = {k: v for k, v in plan_as_data(plan, 0.1).items() if k != "usual"}
    assert plan_of(older) == (plan, 0.1)
    with pytest.raises(LookupError):
        plan_of({"budget": 3})
