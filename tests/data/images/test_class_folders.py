import pytest

from onecycle_cli.data.images.class_folders import (
    class_names,
    entries,
    files_of_part,
    training_files,
    training_folder,
)
from onecycle_cli.errors import DataError


@pytest.fixture
def root(tmp_path):
    """Two classes; only names count here, so all files are empty."""
    for name in ("cat/b.png", "cat/a.JPG", "dog/deep/er/c.tif", "dog/notes.txt"):
        write(tmp_path / "train" / name)
    return tmp_path


def write(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def names(paths, root):
    return [str(path.relative_to(root)) for path in paths]


def test_what_lies_in_a_folder(tmp_path):
    for name in ("b.png", ".hidden", ".git/config", "a/x.png", ".DS_Store", "._b.png", "Thumbs.db"):
        write(tmp_path / name)
    found = entries(tmp_path)
    assert names(found.shown, tmp_path) == ["a", "b.png"]
    assert names(found.folders, tmp_path) == ["a"]
    assert names(found.files, tmp_path) == ["b.png"]
    assert found.hidden == 2


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"gone cannot be read \(No such file or directory\); make"):
        entries(tmp_path / "gone")


def test_images_lie_class_by_class_and_the_rest_is_told(root):
    for name in ("stray.png", "cat/.hidden.png", "dog/deep/.x/y.png", ".z"):
        write(root / "train" / name)
    files = training_files(root / "train", ("cat", "dog"))
    assert names(files.paths, root / "train") == ["cat/a.JPG", "cat/b.png", "dog/deep/er/c.tif"]
    assert files.labels.tolist() == [0, 0, 1]
    assert names(files.others, root / "train") == ["stray.png", "dog/notes.txt"]
    assert files.hidden == 3


def test_what_is_hidden_in_a_linked_folder_counts_once(root):
    write(root / "train" / "cat" / ".hidden")
    (root / "train" / "cat" / "again").symlink_to(root / "train" / "cat", target_is_directory=True)
    assert training_files(root / "train", ("cat", "dog")).hidden == 1


def test_a_part_that_is_not_there_is_empty(root):
    files = files_of_part(None, ("cat", "dog"))
    assert (files.paths, files.others, files.hidden) == ([], [], 0)
    assert files.labels.tolist() == []


def test_a_part_need_not_have_all_classes(root):
    write(root / "val" / "dog" / "a.png")
    assert files_of_part(root / "val", ("cat", "dog")).labels.tolist() == [1]
    write(root / "val" / "cow" / "a.png")
    with pytest.raises(
        DataError, match=r"val must hold classes of the training part only, got cow; rename"
    ):
        files_of_part(root / "val", ("cat", "dog"))


def test_the_training_must_have_all(root):
    with pytest.raises(DataError, match=r"train/cow must hold images, got none; add or remove"):
        training_files(root / "train", ("cat", "cow", "dog"))


def test_the_folder_of_the_training(root):
    assert training_folder(root) == root / "train"
    assert training_folder(root / "train") == root / "train"
    with pytest.raises(DataError, match=r"got .*a\.JPG without them"):
        training_folder(root / "train" / "cat" / "a.JPG")


def test_the_names_of_the_classes(root):
    assert class_names(root / "train") == ("cat", "dog")
    with pytest.raises(DataError, match=r"two or more classes, got \['deep'\]"):
        class_names(root / "train" / "dog")
