from pathlib import Path

import pytest

from onecycle_cli.errors import ConfigError
from onecycle_cli.runs.stores.urls import (
    address,
    from_here,
    is_url,
    local,
    url_of,
    working_folder,
)


@pytest.mark.parametrize(
    ("place", "is_one"),
    [
        ("s3://bucket/runs", True),
        ("gs://b", True),
        ("file:///tmp/x", True),
        ("git+ssh://host/x", True),
        ("runs", False),
        ("/runs", False),
        ("s3:/bucket", False),
        ("s3://", False),
        ("c://runs", False),
        (r"C:\runs", False),
        (Path("runs"), False),
        (None, False),
    ],
)
def test_what_is_a_url(place, is_one):
    assert is_url(place) is is_one


def test_a_working_folder_stands_for_its_url_and_what_lies_in_it(cache):
    url = "s3://bucket/some where/%7E"
    folder = working_folder(f"{url}/")
    assert folder.is_relative_to(cache)
    assert url_of(folder) == address(folder) == url
    for name in ("001", ".001-running"):
        assert url_of(folder / "digits/train" / name) == f"{url}/digits/train/001"
    assert working_folder("s3://bucket/some") != working_folder("s3://bucket/some/where")


def test_other_folders_stand_for_none(cache, tmp_path):
    assert url_of(tmp_path / "runs") is None
    assert url_of(cache / "onecycle/stores") is None
    assert address(tmp_path / "runs/digits/train/001") == str(tmp_path / "runs/digits/train/001")


def test_local_places_are_left_as_they_are():
    assert local("runs") == Path("runs")
    assert local(Path("/some/runs")) == Path("/some/runs")


def test_what_can_be_no_place():
    with pytest.raises(ConfigError, match="too long a URL"):
        local("memory://" + "x" * 250)
    with pytest.raises(ConfigError, match="as text, not as a Path"):
        local(Path("s3://bucket/runs"))
    with pytest.raises(ConfigError, match="fsspec knows no protocol 's4'; s3, gs and az"):
        local("s4://bucket")


def test_a_path_within_the_current_folder_is_shown_from_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert from_here(tmp_path / "runs/d") == "runs/d"
    assert from_here(tmp_path.parent / "other") == str(tmp_path.parent / "other")


def test_a_folder_that_stands_for_a_url_is_shown_as_that_from_anywhere(cache, monkeypatch):
    cache.mkdir()
    monkeypatch.chdir(cache)
    folder = working_folder("s3://bucket/runs") / "d/train/.001-running"
    assert from_here(folder) == "s3://bucket/runs/d/train/001"
