import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from onecycle_cli import schedules
from onecycle_cli.config import load_config, yaml_source
from onecycle_cli.schedules import shapes

PEERS = json.loads(
    (Path(__file__).parents[2] / "benchmarks" / "schedules" / "peers.json").read_text()
)
LOOSE = {"fastai": 5e-7, "flat_cos": 5e-7}  # fastai looks its phases up in float32


@pytest.mark.parametrize("case", PEERS["cases"], ids=lambda c: f"{c['shape']}-{c['steps']}")
def test_the_numbers_of_pytorch_and_fastai_themselves(case):
    common = {"shape": case["shape"], **case["options"]}
    tolerance = LOOSE.get(case["shape"], 1e-13)
    lrs = schedules.learning_rates(
        case["steps"], case["max_lr"], scale_percentage=case.get("scale"), **common
    )
    np.testing.assert_allclose(lrs, case["lr"], rtol=0, atol=tolerance * case["max_lr"])
    if "momentum" in case:
        momenta = schedules.momenta(case["steps"], case["high"], case["low"], **common)
        np.testing.assert_allclose(momenta, case["momentum"], rtol=0, atol=tolerance)


def test_the_peers_were_asked_for_every_shape_of_theirs():
    theirs = {"pytorch", "fastai", "flat_cos", "sgdr", "triangular", "triangular2", "exp_range"}
    assert {case["shape"] for case in PEERS["cases"]} == theirs


def test_the_defaults_are_the_peers_own():
    """PyTorch: 10 steps by its published formula; fastai: its first, highest and last value."""
    lrs = schedules.learning_rates(10, 1.0, shape="pytorch")
    down = [(1 + math.cos(math.pi * (i - 2) / 7)) / 2 for i in range(2, 10)]
    floor = 1 / 25e4
    expected = [0.04, 0.04 + 0.96 / 2, *(floor + (1 - floor) * f for f in down)]
    np.testing.assert_allclose(lrs, expected, rtol=1e-12)
    lrs = schedules.learning_rates(400, 1.0, shape="fastai")
    assert (lrs[0], lrs[100]) == (1 / 25, 1.0)
    assert lrs[399] == pytest.approx(1e-5 + (math.pi / 600) ** 2, rel=1e-3)
    lrs = schedules.learning_rates(400, 1.0, shape="flat_cos")
    assert lrs[:301] == [1.0] * 301
    assert lrs[301] < 1.0


def test_smiths_own_run_on_cifar10():
    """From the log of ResNet-56: 0.08 to 0.8 in 4003 iterations, to 0 by 8006, 8e-5 to 9277."""
    lrs = schedules.learning_rates(
        9277, 0.8, shape="smith_caffe", end_percentage=0.137, scale_percentage=0.1
    )
    assert lrs.index(max(lrs)) == pytest.approx(4003, abs=1)
    assert (lrs[0], max(lrs)) == (pytest.approx(0.08), 0.8)
    assert lrs[7800] == pytest.approx(0.0412, abs=3e-4)
    assert lrs[8000] == pytest.approx(0.0012, abs=3e-4)
    assert lrs[8010:] == [pytest.approx(8e-5)] * (9277 - 8010)
    ours = schedules.learning_rates(9277, 0.8, end_percentage=0.137, scale_percentage=0.1)
    assert max(abs(a - b) for a, b in zip(ours, lrs, strict=True)) == pytest.approx(0.08, rel=1e-2)


@pytest.mark.parametrize("shape", ["smith_caffe", "flat_cos", "sgdr"])
@pytest.mark.parametrize("num_steps", [1, 2, 3, 4, 7, 10, 99, 351])
def test_the_peak_is_max_lr_itself(shape, num_steps):
    assert max(schedules.learning_rates(num_steps, 0.7, shape=shape)) == 0.7


@pytest.mark.parametrize("shape", shapes.SHAPES)
@pytest.mark.parametrize("num_steps", [1, 2, 3, 5, 8, 31])
def test_every_shape_gives_so_many_sound_values(shape, num_steps):
    options = {"phases": [{"until": 1, "first": 0.1, "last": 1}]} if shape == "phases" else {}
    lrs = schedules.learning_rates(num_steps, 2.0, shape=shape, **options)
    momenta = schedules.momenta(num_steps, 0.9, 0.5, shape=shape, **options)
    assert len(lrs) == len(momenta) == num_steps
    assert all(0 < lr <= 2.0 for lr in lrs)
    assert all(0.5 - 1e-15 <= m <= 0.9 for m in momenta)
    if num_steps == 1:
        assert (lrs, momenta) == ([2.0], [0.5])


def test_the_configs_in_the_documentation_are_valid():
    text = (Path(__file__).parents[2] / "docs" / "schedules.md").read_text()
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        needed = {"dataset": {"name": "digits"}, "model": {"name": "mlp"}}
        load_config(needed | yaml_source.parse(block)[0])


def test_a_schedule_of_ones_own():
    phases = [
        {"until": 0.3, "first": 0.1, "last": 1},
        {"until": 0.7, "first": 1, "last": 0.5, "anneal": "cosine"},
        {"until": 1, "first": 0.25, "last": 0.25 / 8, "anneal": "exp"},
    ]
    lrs = schedules.learning_rates(10, 2.0, shape="phases", phases=phases)
    expected = [0.2, 0.8, 1.4, 2.0]
    expected += [1 + (1 + math.cos(math.pi * i / 4)) / 2 for i in (1, 2, 3)]
    expected += [0.5, 0.25, 0.125]
    np.testing.assert_allclose(lrs, expected, rtol=1e-12)
    momenta = schedules.momenta(10, 0.9, 0.8, shape="phases", phases=phases)
    np.testing.assert_allclose(momenta, 0.9 - 0.1 * np.array(lrs) / 2, rtol=1e-12)


@pytest.mark.parametrize(("num_cycles", "mult"), [(3, 3), (4, 2), (5, 1), (2, 7)])
def test_a_restart_is_at_the_peak(num_cycles, mult):
    whole = sum(mult**k for k in range(num_cycles))
    for rest in range(whole):  # cycles that are no whole numbers of steps are rounded to them
        lrs = schedules.learning_rates(
            9 * whole + rest, 1.0, shape="sgdr", num_cycles=num_cycles, cycle_mult=mult
        )
        assert lrs.count(1.0) == num_cycles
    for first in range(1, 40):
        lrs = schedules.learning_rates(
            first * whole, 1.0, shape="sgdr", num_cycles=num_cycles, cycle_mult=mult
        )
        starts = np.cumsum([0, *(first * mult**k for k in range(num_cycles - 1))])
        assert [i for i, lr in enumerate(lrs) if lr == 1.0] == starts.tolist()


@pytest.mark.parametrize(
    ("shape", "options", "sentence"),
    [
        ("smith", {"pct_start": 0.3}, "shape smith has no option 'pct_start'; it takes none."),
        ("pytorch", {"pct_strat": 0.3}, "pytorch has no option 'pct_strat'; did you mean 'pct_sta"),
        ("fastai", {"div_factor": 9}, "fastai has no option 'div_factor'; did you mean 'div"),
        (
            "sgdr",
            {"gamma": 0.9},
            "sgdr has no option 'gamma'; the known ones are num_cycles, cycle_mult",
        ),
        ("pytorch", {"pct_start": 1.1}, r"pct_start must be a number in \[0, 1\]; got 1.1"),
        ("pytorch", {"pct_start": True}, r"pct_start must be a number in \[0, 1\]; got True"),
        ("pytorch", {"pct_start": math.nan}, "pct_start must be a number in .*; got nan"),
        ("pytorch", {"div_factor": 0.5}, "div_factor must be a number of at least 1; got 0.5"),
        ("pytorch", {"final_div_factor": 0}, "final_div_factor must be a number above 0; got 0"),
        ("pytorch", {"three_phase": 1}, "three_phase must be true or false; got 1"),
        ("pytorch", {"anneal": "cos"}, "anneal must be 'cosine' or 'linear'; got 'cos'"),
        ("pytorch", {"anneal": ["cosine"]}, "anneal must be 'cosine' or 'linear'; got"),
        ("fastai", {"div": math.inf}, "div must be a number of at least 1; got inf"),
        ("fastai", {"div_final": "big"}, "div_final must be a number of at least 1; got 'big'"),
        ("fastai", {"final_momentum": 1}, r"final_momentum must be a number in \[0, 1\); got 1"),
        ("sgdr", {"num_cycles": 0}, "num_cycles must be a whole number from 1 to 100; got 0"),
        ("sgdr", {"num_cycles": 2.0}, "num_cycles must be a whole number from 1 to 100; got 2.0"),
        ("sgdr", {"cycle_mult": 0.5}, "cycle_mult must be a number from 1 to 100; got 0.5"),
        ("sgdr", {"final_share": -1}, r"final_share must be a number in \[0, 1\]; got -1"),
        ("exp_range", {"gamma": 0}, r"gamma must be a number in \(0, 1\]; got 0"),
        ("phases", {}, "needs its option phases, a list such as .*; got none"),
        ("phases", {"phases": 3}, "phases must be a list of phases; got 3"),
        ("phases", {"phases": [1]}, "needs its option phases, .*; phase 1 is 1"),
        ("phases", {"phases": [{"until": 1}]}, "phase 1 needs first and last; got"),
        (
            "phases",
            {"phases": [{"until": 1, "first": 1, "last": 0, "aneal": "exp"}]},
            "phase 1 has no key 'aneal'; did you mean 'anneal'",
        ),
        (
            "phases",
            {"phases": [{"until": 1, "first": 2, "last": 0}]},
            r"first of phase 1 must be a share of max_lr in \[0, 1\]; got 2",
        ),
        (
            "phases",
            {"phases": [{"until": 1, "first": 1, "last": 0, "anneal": "exp"}]},
            "phase 1 cannot anneal by exp from or to 0; use linear",
        ),
        (
            "phases",
            {"phases": [{"until": 0.5, "first": 1, "last": 0}]},
            r"the phases' until must rise, the last to 1; got \[0.5\]",
        ),
        (
            "phases",
            {"phases": [{"until": 1, "first": 0.5, "last": 0}]},
            "one of the phases must reach 1, which is max_lr itself",
        ),
    ],
)
def test_options_of_another_shape_and_out_of_range_are_refused(shape, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        schedules.learning_rates(9, 1, shape=shape, **options)
    with pytest.raises(ValueError, match=sentence):
        schedules.momenta(9, 0.9, 0.8, shape=shape, **options)


@pytest.mark.parametrize("shape", ["pytorch", "fastai", "flat_cos", "sgdr", "phases"])
def test_a_first_rate_that_the_shape_has_its_own_of_is_refused(shape):
    more = {"phases": [{"until": 1, "first": 1, "last": 0}]} if shape == "phases" else {}
    with pytest.raises(ValueError, match=f"scale_percentage means nothing to shape {shape}"):
        schedules.learning_rates(9, 1, shape=shape, scale_percentage=0.2, **more)
    with pytest.raises(ValueError, match=f"end_percentage means nothing to shape {shape}"):
        schedules.learning_rates(9, 1, shape=shape, end_percentage=0.2, **more)


def test_a_tail_that_a_cyclic_shape_has_not_is_refused():
    with pytest.raises(ValueError, match="end_percentage means nothing to shape triangular"):
        schedules.momenta(9, 0.9, 0.8, shape="triangular", end_percentage=0.2)


def test_a_final_momentum_may_lie_below_the_lowest():
    momenta = schedules.momenta(8, 0.9, 0.8, shape="fastai", pct_start=0.5, final_momentum=0.4)
    half = math.sin(math.pi / 8) ** 2
    expected = [0.9, 0.9 - 0.1 * half, 0.85, 0.8 + 0.1 * half, 0.8]
    expected += [0.8 - 0.4 * half, 0.6, 0.4 + 0.4 * half]
    np.testing.assert_allclose(momenta, expected, rtol=1e-12)
