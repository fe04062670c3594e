"""No GPU is at hand: this is what JAX would ask of one, and the variable that TensorFlow reads."""

import os

import pytest

from onecycle_cli.engine.devices.growth import GROWS, grow_memory

SHARES = ("XLA_CLIENT_MEM_FRACTION", "XLA_PYTHON_CLIENT_MEM_FRACTION")


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch):
    """Restore afterwards what is set meanwhile, also where there was nothing before."""
    for name in [*SHARES, *(variable for variable, _ in GROWS.values())]:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def asked_by_jax():
    xla_client = pytest.importorskip("jaxlib.xla_client")
    return xla_client.generate_pjrt_gpu_plugin_options()


def test_jax_takes_memory_as_it_needs_it():
    assert "preallocate" not in asked_by_jax()
    grow_memory("jax")
    assert asked_by_jax()["preallocate"] is False


@pytest.mark.parametrize("share", SHARES)
def test_a_share_that_jax_is_told_to_take_is_taken_at_once(monkeypatch, share):
    monkeypatch.setenv(share, "0.5")
    grow_memory("jax")
    asked = asked_by_jax()
    assert asked["memory_fraction"] == 0.5
    assert "preallocate" not in asked


def test_tensorflow_is_told_to():
    grow_memory("tensorflow")
    assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"


@pytest.mark.parametrize(
    ("backend", "variable", "said"),
    [
        ("tensorflow", "TF_FORCE_GPU_ALLOW_GROWTH", "false"),
        ("jax", "XLA_PYTHON_CLIENT_PREALLOCATE", "true"),
    ],
)
def test_what_the_user_has_set_stays(monkeypatch, backend, variable, said):
    monkeypatch.setenv(variable, said)
    grow_memory(backend)
    assert os.environ[variable] == said


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_no_other_backend_is_told_anything(backend):
    grow_memory(backend)
    others = [variable for name, (variable, _) in GROWS.items() if name != backend]
    assert not set(others) & set(os.environ)
