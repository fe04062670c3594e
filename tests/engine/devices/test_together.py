"""The proofs for several devices, under TensorFlow and JAX, each in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROOFS = Path(__file__).with_name("proofs.py")


@pytest.mark.harness
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_every_proof_holds_under(backend):
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pytest", "-q", "-n0", PROOFS],
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout
