"""The tests marked `every_backend`, under JAX and PyTorch, each in a process of its own."""

import os
import subprocess
import sys
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
def test_every_proof_holds_under(backend):
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pytest", "-q", "-n0", "-m", "every_backend", *PROOFS],
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout
