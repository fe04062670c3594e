from importlib.metadata import version

import pytest
import vl_convert

from onecycle_cli.report.charting import charting


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Use an empty cache, and count how often the script is made."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = []
    monkeypatch.setattr(
        vl_convert, "javascript_bundle", lambda text: made.append(text) or "run()\n"
    )
    charting.cache_clear()
    yield tmp_path / "onecycle/report", made
    charting.cache_clear()


def again():
    charting.cache_clear()
    return charting()


def test_it_is_made_once_and_kept(cache):
    folder, made = cache
    assert [again(), again()] == ["run()\n"] * 2
    assert len(made) == 1
    (path,) = folder.iterdir()
    assert version("vl-convert-python") in path.name


def test_a_damaged_one_is_made_anew(cache):
    folder, made = cache
    again()
    (path,) = folder.iterdir()
    path.write_text(path.read_text() + "steal()")
    assert again() == "run()\n"
    path.write_bytes(b"\xff")
    assert again() == "run()\n"
    assert len(made) == 3


def test_a_cache_that_cannot_be_written_is_done_without(cache):
    folder, _ = cache
    folder.parent.write_text("a file is in the way")
    assert again() == "run()\n"
