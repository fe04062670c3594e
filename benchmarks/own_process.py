"""A measurement that has a process of its own, so that nothing of another one is left in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def answer_of(script: str, *arguments: str, **environment: str) -> Any:
    """Run a script of this folder, and return what its last line says in JSON.

    Args:
        script: its path.
        *arguments: of its command line.
        **environment: variables beside those of this process.
    """
    root = str(Path(__file__).resolve().parents[1])
    done = subprocess.run(
        [sys.executable, script, *arguments],
        env=os.environ | {"PYTHONPATH": root} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)}: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])
