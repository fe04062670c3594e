import numpy as np
import polars as pl
import pytest
from PIL import Image

from onecycle_cli.data.recognition import recognise
from onecycle_cli.errors import DataError


@pytest.fixture
def table(tmp_path):
    frame = pl.DataFrame(
        {"id": [1, 2, 3], "width": [0.5, 1.5, 2.5], "colour": ["red", "blue", "red"],
         "label": ["a", "b", "a"]}
    )  # fmt: skip
    frame.write_csv(tmp_path / "flowers.csv")
    (tmp_path / "parts").mkdir()
    frame.write_parquet(tmp_path / "parts/train.parquet")
    return tmp_path


@pytest.mark.parametrize("name", ["flowers.csv", "parts"])
def test_a_table_and_what_is_to_be_predicted(table, name):
    found = recognise(table / name)
    assert (found.dataset, found.examples) == ("table", 3)
    assert found.columns == ("id", "width", "colour", "label")
    assert found.obvious_target == "label"
    colour, label = (
        {n: f"no numbers, such as '{v}'"} for n, v in (("colour", "red"), ("label", "a"))
    )
    assert found.useless("label") == {"id": "an index, by its name"} | colour
    assert found.useless("colour") == {"id": "an index, by its name"} | label
    assert found.about == "a table of 3 rows and 4 columns"


@pytest.mark.parametrize(
    ("columns", "target"),
    [(["a", "Target"], "Target"), (["class", "label"], None), (["a", "b"], None), (["Y"], "Y")],
)
def test_a_target_is_obvious_if_one_column_is_called_so(tmp_path, columns, target):
    pl.DataFrame({name: [1, 2] for name in columns}).write_csv(tmp_path / "t.csv")
    assert recognise(tmp_path / "t.csv").obvious_target == target


def test_arrays(tmp_path):
    x = np.zeros((7, 4, 5), np.float32)
    np.savez(tmp_path / "a.npz", x_train=x, y_train=np.zeros(7))
    (tmp_path / "folder").mkdir()
    np.save(tmp_path / "folder/x_train.npy", x)
    np.save(tmp_path / "folder/y_train.npy", np.zeros(7))
    for name in ("a.npz", "folder"):
        found = recognise(tmp_path / name)
        assert (found.dataset, found.examples) == ("arrays", 7)
        assert found.about == "arrays, x_train of 7x4x5"


@pytest.fixture
def images(tmp_path):
    """Write images of given sizes, width and height, into two classes of the training part."""

    def write(*sizes):
        for i, size in enumerate(sizes):
            folder = tmp_path / "images" / "train" / "ab"[i % 2]
            folder.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", size).save(folder / f"{i}.png")
        return tmp_path / "images"

    return write


def test_images_of_one_size(images):
    found = recognise(images((30, 20), (30, 20), (30, 20)))
    assert (found.dataset, found.examples, found.size) == ("image_folder", 3, None)
    assert found.about == "3 images of 2 classes, 30x20 pixels"


def test_images_of_several_sizes_are_brought_to_one_that_is_not_too_large(images):
    found = recognise(images((300, 20), (200, 30), (100, 40)))
    assert found.size == (30, 64), "height and width: the median, but not above 64"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nothing", "there is nothing at this path"),
        ("notes.txt", "is none of what can be read"),
        ("empty", "is none of what can be read"),
        ("other.npz", "must hold x_train and y_train, got pixels"),
    ],
)
def test_what_can_not_be_read_is_refused(tmp_path, name, sentence):
    (tmp_path / "notes.txt").write_text("a")
    (tmp_path / "empty").mkdir()
    np.savez(tmp_path / "other.npz", pixels=np.zeros(3))
    with pytest.raises(DataError, match=sentence):
        recognise(tmp_path / name)
