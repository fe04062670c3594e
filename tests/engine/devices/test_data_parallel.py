"""The proofs for several devices, under TensorFlow and JAX, each in a process of its own."""

from pathlib import Path

import pytest

PROOFS = Path(__file__).with_name("proofs.py")


@pytest.mark.harness
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_every_proof_holds_under(backend, prove_under):
    prove_under(backend, PROOFS)
