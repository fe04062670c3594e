"""Commands that are given the URL of an object store."""

import importlib.util
import secrets
from pathlib import Path

import pytest


@pytest.fixture
def url():
    return f"memory://{secrets.token_hex(4)}/runs"


def test_what_goes_to_folders_only_is_said(invoke, config, url):
    for command in (["plot", config], ["init", "mnist"], ["evaluate", "runs"]):
        outcome = invoke(*command, "--out", url)
        assert outcome.exit_code == 2
        assert "only runs go to object stores" in " ".join(outcome.stderr.split())
    outcome = invoke("suggest", f"{url}/digits/find-wd/001", "--write")
    assert outcome.exit_code == 2
    assert "--write is for runs in a folder" in outcome.stderr
    assert not Path("memory:").exists()


@pytest.mark.parametrize("command", ["train", "run", "find-lr"])
def test_a_url_that_will_not_do_is_refused_before_anything_is_done(
    invoke, config, monkeypatch, command
):
    outcome = invoke(command, config, "--out", "s4://bucket/runs")
    assert outcome.exit_code == 2
    assert "fsspec knows no protocol 's4'" in outcome.stderr
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "fsspec" else find(name, *a)
    )
    outcome = invoke(command, config, "--out", "s3://bucket/runs")
    assert outcome.exit_code == 2
    assert outcome.stderr == (
        "onecycle: s3://bucket/runs: an object store needs fsspec, which is not installed; run "
        "pip install 'onecycle-cli[stores]'.\n"
    )


@pytest.mark.parametrize(
    "arguments", [["train", "--resume"], ["run", "--resume"], ["plot"], ["suggest"], ["evaluate"]]
)
def test_where_nothing_is(invoke, url, arguments):
    outcome = invoke(*arguments, f"{url}/digits")
    assert outcome.exit_code == 1
    assert f"{url}/digits: holds no " in outcome.stderr


@pytest.mark.harness
def test_a_way_through_in_a_store(invoke, config, small, rows, url):
    """No command says or needs where the folder on this machine is."""
    for command in ("find-wd", "train"):
        outcome = invoke(command, config, *small, "--set", "train.max_lr=0.1", "--out", url)
        assert outcome.exit_code == 0, outcome.stderr
        assert rows(outcome.stdout)["saved in"] == f"{url}/digits/{command}/001"
    for reading, kind in (("suggest", "find-wd"), ("evaluate", "train")):
        outcome = invoke(reading, f"{url}/digits/{kind}", "--json")
        assert outcome.exit_code == 0, outcome.stderr
        assert f"{url}/digits/{kind}/001" in outcome.stdout
    assert invoke("plot", f"{url}/digits").exit_code == 0
    assert Path("digits-train-001.png").is_file()
    outcome = invoke("suggest", f"{url}/digits")
    assert f"{url}/digits/train/001: is a run of 'train'" in outcome.stderr
    outcome = invoke("train", "--resume", f"{url}/digits")
    assert "holds no unfinished run of train" in outcome.stderr
