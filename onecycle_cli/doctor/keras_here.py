"""Whether Keras starts, and which devices it sees: tried in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator

from onecycle_cli.doctor.finding import Finding, State
from onecycle_cli.engine.backends.choice import name_of_backend

LONGEST = 120
"""Seconds that starting Keras may take."""

_MODULE = "onecycle_cli.engine.devices.listing"


def started() -> Iterator[Finding]:
    """Yield how long Keras takes to start, and the devices; or why it does not start."""
    began = time.perf_counter()
    try:
        done = subprocess.run(
            [sys.executable, "-m", _MODULE],
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST,
        )
    except subprocess.TimeoutExpired:
        yield Finding("Keras", f"did not start within {LONGEST} s", State.PROBLEM)
        return
    if done.returncode:
        yield Finding("Keras", f"does not start: {_last_line(done.stderr)}", State.PROBLEM)
        return
    seconds = time.perf_counter() - began
    devices = json.loads(done.stdout.splitlines()[-1])
    yield Finding("Keras", f"starts on {name_of_backend()} in {seconds:.1f} s")
    yield Finding("devices", ", ".join(devices))


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it says nothing"
