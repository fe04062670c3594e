"""The harnesses of benchmarks/reliability, each with a small, fixed part of its cases."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HARNESSES = Path(__file__).parents[1] / "benchmarks" / "reliability"

pytestmark = [
    pytest.mark.harness,
    pytest.mark.skipif(not HARNESSES.is_dir(), reason="not part of the distribution"),
]


def figures_of(name, tmp_path, *arguments):
    target = tmp_path / "result.json"
    done = subprocess.run(
        [sys.executable, HARNESSES / name, "--result", target, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(target.read_text())["results"]


def test_configs_gone_wrong(tmp_path):
    figures = figures_of("configs.py", tmp_path, "--count", "150")
    assert figures["broken"] == 0
    assert figures["cases"] == sum(figures["by exit code"].values()) == 150
    assert {"0", "1", "2"} < set(figures["by exit code"])


def test_a_disk_that_fails(tmp_path):
    figures = figures_of("disk_full.py", tmp_path, "--commands", "train", "--every", "60")
    assert figures["broken"] == 0
    assert figures["failures injected"] >= 3
    assert "exit code 1" in figures["by outcome"]


def test_runs_that_are_killed_and_taken_up(tmp_path):
    figures = figures_of("kills.py", tmp_path, "--count", "6", "--commands", "find-lr", "train")
    assert figures["broken"] == 0
    assert figures["kills"] >= 6
    assert figures["resumed"] >= 1


def test_a_long_training_that_is_killed_again_and_again(tmp_path):
    figures = figures_of("kills.py", tmp_path, "--count", "4", "--commands", "long")
    assert figures["broken"] == 0
    assert figures["finished"] >= 1
    assert figures["kills"] == 4
