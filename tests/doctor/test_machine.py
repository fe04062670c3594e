import collections
import os
import shutil

import pytest

from onecycle_cli.data.files.locate import download_folder
from onecycle_cli.doctor import State, machine
from onecycle_cli.experiments.speed import measured

BFLOAT16 = {"flags": "fpu avx avx2 avx512_bf16 amx_bf16"}


@pytest.mark.parametrize(
    ("about", "instructions", "precision"),
    [
        (BFLOAT16, "avx avx2 avx512_bf16 amx_bf16", "bfloat16 may pay (avx512_bf16, amx_bf16)"),
        ({"flags": "fpu avx avx2"}, "avx avx2", "float32: without a GPU"),
        ({"Features": "asimd sve bf16"}, "asimd sve bf16", "bfloat16 may pay (bf16)"),
        ({}, "not known", None),
    ],
)
def test_what_the_processor_can_do(monkeypatch, about, instructions, precision):
    monkeypatch.setattr(measured, "machine", lambda: about)
    shown = {finding.topic: finding.text for finding in machine.processor()}
    assert shown["instructions"] == instructions
    said = [finding.text for finding in machine.precision()]
    assert [text[: len(precision)] for text in said] == [precision] if precision else said == []


def test_threads_that_are_limited_are_named(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    (cores,) = [finding for finding in machine.processor() if finding.topic == "cores"]
    assert cores.text.startswith(f"{len(os.sched_getaffinity(0))} usable of {os.cpu_count()}")
    assert "OMP_NUM_THREADS=3" in cores.text


@pytest.mark.parametrize(
    ("free", "state"), [(2**40, State.OK), (machine.LITTLE_DISK - 1, State.PROBLEM)]
)
def test_room_on_the_disk(monkeypatch, tmp_path, free, state):
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage(2**41, 0, free))
    (found,) = machine.disk(tmp_path / "not" / "yet")
    assert found.state is state
    assert str(tmp_path) in found.text


def test_a_folder_that_can_not_be_written_is_a_problem(tmp_path):
    (tmp_path / "file").write_text("")
    (found,) = machine.disk(tmp_path / "file" / "runs")
    assert found.state is State.PROBLEM
    assert "can't be written" in found.text


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0 KiB"), (5 * 2**20, "5.0 MiB"), (3 * 2**29, "1.5 GiB")]
)
def test_sizes_are_readable(size, words):
    assert machine.in_words(size) == words


def test_what_was_timed_goes_before_what_the_processor_can_do():
    place = download_folder() / "speeds"
    for i, seconds in enumerate([{"float32": 0.3, "mixed_bfloat16": 0.2}, {"xla": 1.0}]):
        measured.write(place / f"{i}.json", measured.Speeds(seconds, epoch=10, took=1.0))
    (said,) = machine.precision()
    assert said.text == "bfloat16 was timed for one model: 1.5 times as fast"
    fails = measured.Speeds({"float32": 0.2, "mixed_bfloat16": float("inf")}, epoch=10, took=1.0)
    measured.write(place / "2.json", fails)
    (said,) = machine.precision()
    assert said.text == "bfloat16 was timed for 2 models: 0 to 1.5 times as fast"
