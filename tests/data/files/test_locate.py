import pytest

from onecycle_cli.data.files.locate import Layout, download_folder, locate
from onecycle_cli.errors import DataError

LAYOUT = Layout(
    title="Thing", files=("thing.tar.gz",), folders=("thing", "deep/thing"), members=("a", "b")
)


def fill(folder, names=("a", "b")):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("x")
    return folder


@pytest.fixture
def here(tmp_path):
    return fill(tmp_path / "here", ())


def test_nothing_anywhere_is_none(here):
    assert locate(LAYOUT, None) is None


@pytest.mark.parametrize("below", ["", "thing", "deep/thing"])
def test_a_path_may_be_the_folder_or_hold_it(here, below):
    folder = fill(here / below)
    assert locate(LAYOUT, str(here)) == folder


def test_a_path_may_be_an_archive_of_any_name_or_hold_one(here):
    archive = here / "renamed"
    archive.write_text("x")
    assert locate(LAYOUT, str(archive)) == archive
    (here / "thing.tar.gz").write_text("x")
    assert locate(LAYOUT, str(here)) == here / "thing.tar.gz"


def test_the_order_is_path_variable_keras_ours(here, tmp_path, monkeypatch):
    (download_folder()).mkdir(parents=True)
    ours = download_folder() / "thing.tar.gz"
    ours.write_text("x")
    assert locate(LAYOUT, None) == ours
    keras = fill(tmp_path / "keras" / "datasets" / "deep" / "thing")
    assert locate(LAYOUT, None) == keras
    variable = fill(tmp_path / "variable" / "thing")
    monkeypatch.setenv("ONECYCLE_DATA", str(tmp_path / "variable"))
    assert locate(LAYOUT, None) == variable
    monkeypatch.setenv("ONECYCLE_DATA", str(variable))
    assert locate(LAYOUT, None) == variable
    fill(here)
    assert locate(LAYOUT, str(here)) == here


def test_the_variable_may_hold_other_data_only(here, tmp_path, monkeypatch):
    monkeypatch.setenv("ONECYCLE_DATA", str(here))
    assert locate(LAYOUT, None) is None
    other = here / "other.tar.gz"
    other.write_text("x")
    monkeypatch.setenv("ONECYCLE_DATA", str(other))
    assert locate(LAYOUT, None) is None


def test_loose_members_count_only_where_the_user_says_what_they_are(here, monkeypatch):
    fill(here)
    monkeypatch.setenv("ONECYCLE_DATA", str(here))
    assert locate(LAYOUT, None) is None
    assert locate(LAYOUT, str(here)) == here


def test_a_variable_that_names_nothing_is_refused(here, monkeypatch):
    monkeypatch.setenv("ONECYCLE_DATA", str(here / "gone"))
    with pytest.raises(DataError, match=r"ONECYCLE_DATA must name .* exists, got .*gone; correct"):
        locate(LAYOUT, None)


def test_a_path_that_names_nothing_is_refused(here):
    with pytest.raises(DataError, match=r"dataset\.path must exist, got .*gone"):
        locate(LAYOUT, str(here / "gone"))


def test_a_path_without_the_data_is_refused(here):
    with pytest.raises(DataError, match=r"must hold Thing as thing or thing\.tar\.gz, got .*here"):
        locate(LAYOUT, str(here))


def test_half_a_folder_names_what_is_missing(here, tmp_path, monkeypatch):
    fill(here / "thing", ["a"])
    message = r"must hold all of Thing, but .*here/thing lacks b; complete it"
    with pytest.raises(DataError, match=rf"dataset\.path {message}"):
        locate(LAYOUT, str(here))
    monkeypatch.setenv("ONECYCLE_DATA", str(here))
    with pytest.raises(DataError, match=f"ONECYCLE_DATA {message}"):
        locate(LAYOUT, None)


def test_half_a_folder_in_a_cache_is_passed_over(tmp_path):
    fill(tmp_path / "keras" / "datasets" / "thing", ["a"])
    assert locate(LAYOUT, None) is None


def test_without_a_home_folder_the_sentence_says_what_to_set(here, monkeypatch):
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setattr("pathlib.Path.home", lambda: (_ for _ in ()).throw(RuntimeError))
    with pytest.raises(DataError, match=r"no home folder .*; set dataset\.path or ONECYCLE_DATA"):
        locate(LAYOUT, None)
