import pytest

from onecycle_cli.runs.stores.objects import Objects, StoreError
from onecycle_cli.runs.stores.shared import refresh, upload
from onecycle_cli.runs.stores.urls import working_folder


@pytest.fixture
def path():
    def at(url):
        folder = working_folder(url) / "name"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / "suggestions.yaml"

    return at


def test_a_file_is_what_its_object_is(url, path, another_machine):
    mine = path(url)
    mine.write_text("one")
    upload(mine)
    another_machine()
    theirs = path(url)
    refresh(theirs)
    assert theirs.read_text() == "one"
    theirs.write_text("two")
    upload(theirs)
    refresh(mine := path(url))
    assert mine.read_text() == "two"
    Objects(f"{url}/name").remove(["suggestions.yaml"])
    refresh(mine)
    assert not mine.exists()


def test_what_could_not_be_uploaded_is_not_lost(shaky, path):
    mine = path(shaky.url)
    mine.write_text("one")
    shaky.left = 0
    for work in (upload, refresh):
        with pytest.raises(StoreError):
            work(mine)
    shaky.left = None
    refresh(mine)
    assert mine.read_text() == "one"
    assert Objects(f"{shaky.url}/name").read("suggestions.yaml") == b"one"


def test_a_file_in_a_folder_has_no_object(tmp_path):
    (tmp_path / "file").write_text("one")
    refresh(tmp_path / "file")
    upload(tmp_path / "file")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
