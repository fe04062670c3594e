"""The tests marked `every_backend`, under JAX and PyTorch, each in a process of its own."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PROOFS = [TESTS / room for room in ("callbacks", "engine", "workbench", "experiments/asked")]


@pytest.mark.parametrize(
    "backend",
    [
        pytest.param("jax", marks=pytest.mark.harness),
        pytest.param("torch", marks=pytest.mark.torch),
    ],
)
def test_every_proof_holds_under(backend, prove_under):
    prove_under(backend, "-m", "every_backend", *PROOFS)
