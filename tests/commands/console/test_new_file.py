import pytest

from onecycle_cli.commands.console.new_file import check_is_new, free_path
from onecycle_cli.errors import ConfigError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "file.json").write_text("precious")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.json").symlink_to("nowhere")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("file.json", "is there already; give the name of a new file."),
        ("link.json", "is there already; give the name of a new file."),
        ("folder", "is a folder; give the name of a new file in it."),
    ],
)
def test_what_is_there_is_refused(folder, name, said):
    with pytest.raises(ConfigError) as refused:
        check_is_new(folder / "new.json", folder / name)
    assert str(refused.value) == f"--out: {folder / name} {said}"


def test_new_files_are_fine(folder):
    check_is_new(folder / "new.json", folder / "missing/new.json")


def test_a_name_is_numbered_until_it_is_free(folder):
    assert free_path(folder / "new.json") == folder / "new.json"
    assert free_path(folder / "link.json") == folder / "link-2.json"
    (folder / "file-2.json").write_text("")
    (folder / "file-3.json").symlink_to("nowhere")
    assert free_path(folder / "file.json") == folder / "file-4.json"
    assert free_path(folder / "file.json", "-copy-") == folder / "file-copy-2.json"
