from pathlib import Path

import pytest

from onecycle_cli.config import DatasetConfig
from onecycle_cli.data.files.places import Place, places_of
from onecycle_cli.errors import DataError


@pytest.fixture
def places(tmp_path):
    """Return the places of parts, as paths below a folder, with those that are within `path`."""
    for name in ("data", "val", "test"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "val")

    def places(within=("train",), **keys):
        config = DatasetConfig(
            name="arrays",
            path=str(tmp_path / "data"),
            **{key: str(tmp_path / name) for key, name in keys.items()},
        )
        found = places_of(
            {part: Place(tmp_path / "data", part) for part in within},
            config,
            lambda path, part, key: Place(path, f"{part} by {key}"),
        )
        return {p: (path.relative_to(tmp_path), name) for p, (path, name) in found.items()}

    return places


def test_parts_within_stay_and_those_elsewhere_are_found(places):
    assert places(("train", "test"), validation="val") == {
        "train": (Path("data"), "train"),
        "test": (Path("data"), "test"),
        "val": (Path("val"), "val by dataset.validation"),
    }
    assert places(test="test")["test"] == (Path("test"), "test by dataset.test")
    assert list(places()) == ["train"]


@pytest.mark.parametrize(("part", "key"), [("val", "validation"), ("test", "test")])
def test_a_part_within_and_elsewhere_is_refused(places, part, key):
    with pytest.raises(
        DataError, match=rf"data has a {key} part already, and dataset\.{key} names"
    ):
        places(("train", part), **{key: "val"})


def test_two_parts_in_one_place_are_refused_by_whatever_name(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    paths = {"validation": str(tmp_path / "x"), "test": str(tmp_path / "link" / "x")}
    Path(paths["validation"]).write_text("")
    config = DatasetConfig(name="table", path=str(tmp_path), target="a", **paths)
    with pytest.raises(DataError, match="x can't be both the validation and the test part; name"):
        places_of({"train": Place(tmp_path)}, config, lambda path, part, key: Place(path))


def test_a_part_that_is_the_training_is_refused(tmp_path):
    (tmp_path / "train").mkdir()
    config = DatasetConfig(
        name="image_folder", path=str(tmp_path), validation=str(tmp_path / "train")
    )
    with pytest.raises(DataError, match="train can't be both the training and the validation part"):
        places_of({"train": Place(tmp_path / "train")}, config, lambda path, part, key: Place(path))
