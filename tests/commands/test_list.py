import pytest

from onecycle_cli.config import DATASETS, OPTIMIZERS
from onecycle_cli.registry import models
from onecycle_cli.schedules import SHAPES

pytestmark = pytest.mark.lowest


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("models", models.model_names()),
        ("datasets", DATASETS),
        ("optimizers", OPTIMIZERS),
        ("shapes", SHAPES),
    ],
)
def test_every_name_and_what_it_is(invoke, what, names):
    outcome = invoke("list", what)

    assert (outcome.exit_code, outcome.stderr) == (0, "")
    for name, about in names.items():
        assert any(
            line.split()[0] == name and line.endswith(about) for line in outcome.stdout.splitlines()
        )


def test_shapes_show_their_options_as_a_config_has_them(invoke):
    lines = [line.strip() for line in invoke("list", "shapes").stdout.splitlines()]
    pytorch = next(i for i, line in enumerate(lines) if line.startswith("pytorch "))
    assert lines[pytorch + 1] == (
        "options: pct_start: 0.3, div_factor: 25, final_div_factor: 10000, three_phase: false, "
        "anneal: cosine"
    )
    assert any("final_momentum: null" in line for line in lines)


def test_models_show_their_options(invoke):
    lines = invoke("list", "models").stdout.splitlines()
    assert any("options: hidden=128, layers=2" in line for line in lines)


@pytest.mark.parametrize("what", ["models", "optimizers", "shapes"])
def test_the_last_line_says_how_to_name_your_own(invoke, what):
    lines = invoke("list", what).stdout.splitlines()
    assert lines[-1].startswith("path/to/file.py:function ")
    assert "your own" in lines[-1]
