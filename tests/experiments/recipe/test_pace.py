import numpy as np
import pytest

from onecycle_cli.config import load_config
from onecycle_cli.experiments.recipe.pace import Pace
from onecycle_cli.observer import Observer
from onecycle_cli.workbench.bench import Workbench


@pytest.mark.pictures
def test_timing_takes_every_part_and_leaves_no_trace(small, state_of):
    bench = Workbench(load_config(small()), Observer())
    try:
        before = state_of(bench.model)
        pace = Pace.of(bench)
        after = state_of(bench.model)
    finally:
        bench.close()

    assert min(pace.step, pace.start, pace.validation, pace.saving, pace.drawing) > 0
    assert pace.replicate >= 0
    assert pace.step < 1
    for ours, theirs in zip(before, after, strict=True):
        np.testing.assert_array_equal(ours, theirs)
