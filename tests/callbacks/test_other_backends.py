"""The tests marked `every_backend`, under JAX and PyTorch, each in a process of its own."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.harness

TESTS = Path(__file__).parents[1]
PROOFS = [TESTS / room for room in ("callbacks", "engine", "workbench", "experiments/asked")]

INSTALLED = [name for name in ("jax", "torch") if find_spec(name)]


@pytest.fixture(scope="module")
def runs():
    """Both at once, because they take their time."""
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-n0", "-m", "every_backend", *PROOFS]
    processes = {
        backend: subprocess.Popen(
            command,
            env=os.environ | {"KERAS_BACKEND": backend},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for backend in INSTALLED
    }
    yield processes
    for process in processes.values():
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_every_proof_holds_under(backend, request):
    if backend not in INSTALLED:
        pytest.skip(f"{backend} is not installed")
    process = request.getfixturevalue("runs")[backend]
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert "passed" in output
