import pytest

from onecycle_cli.config import SOURCES
from onecycle_cli.data.files.locate import download_folder
from onecycle_cli.doctor import State, data_sets
from onecycle_cli.doctor.finding import found


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("ONECYCLE_DATA", raising=False)


def test_every_data_set_that_is_downloaded_is_looked_for():
    downloaded = {name for name, source in SOURCES.items() if source.path == "optional"}
    assert downloaded == set(data_sets.LAYOUTS)


def test_where_they_are_looked_for_and_found(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/mnist.npz").write_bytes(b"")
    monkeypatch.setenv("ONECYCLE_DATA", str(tmp_path / "data"))

    (places,) = data_sets.places()
    assert f"ONECYCLE_DATA={tmp_path / 'data'}" in places.text
    assert str(tmp_path / "keras/datasets") in places.text
    shown = {finding.topic: finding for finding in data_sets.present()}
    assert shown["data set mnist"].text == str(tmp_path / "data/mnist.npz")
    assert shown["data set mnist"].state is State.OK
    assert shown["data set cifar10"].state is State.MISSING


def test_a_folder_that_is_not_there_is_a_problem(monkeypatch):
    monkeypatch.setenv("ONECYCLE_DATA", "/nowhere")
    (finding,) = found("data", data_sets.places)
    assert finding.state is State.PROBLEM
    assert "ONECYCLE_DATA must name a folder" in finding.text


def test_what_the_caches_take():
    (nothing,) = data_sets.caches()
    assert "nothing yet" in nothing.text
    speeds = download_folder() / "speeds"
    speeds.mkdir(parents=True)
    (speeds / "a.json").write_bytes(b"x" * 3 * 1024)
    whole, inner = data_sets.caches()
    assert whole.text == f"{download_folder()}: 3 KiB in 1 file"
    assert inner.text == f"{speeds}: 3 KiB in 1 file"
