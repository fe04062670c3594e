"""Trainings on labels that can't be learned: only examples that were seen do better than chance."""

import json
import shutil
import signal
import zipfile

import numpy as np
import pytest
from PIL import Image

from onecycle_cli.errors import DataError, Terminated
from onecycle_cli.experiments.evaluation.evaluate import evaluate
from onecycle_cli.experiments.train import train

RANDOM = np.random.default_rng(8)
X = RANDOM.integers(0, 256, (200, 16), dtype=np.uint8)
Y = RANDOM.integers(0, 4, 200)
NEW_X = RANDOM.integers(0, 256, (90, 16), dtype=np.uint8)
NEW_Y = np.arange(90) % 4
LOOKED_AT = "the test set has now been looked at again"
COPIES = "are exact copies of inputs that the training has used"


def section(path, **more):
    return {"dataset": {"name": "arrays", "path": str(path), "limit": None} | more}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def config(small, home):
    """A network that learns 162 examples by heart, of 200 in a file."""
    save(home / "mine.npz", X, Y)
    options = {"hidden": 64, "layers": 1}
    cycles = {"cycles": [{"epochs": 25}], "max_lr": 0.1}
    return small(batch_size=16, model={"options": options}, train=cycles) | section(
        home / "mine.npz"
    )


@pytest.fixture(scope="module")
def trained(config, home):
    return train(config, out=home / "runs")


@pytest.fixture(scope="module")
def own(trained):
    """The training's own parts, found before anything has changed."""
    return {part: evaluate(trained.folder, part=part) for part in ("test", "validation")}


def save(path, x, y, **more):
    np.savez(path, x_train=x, y_train=y, **more)


def rows_of(evaluation):
    """Return which of the examples an evaluation's data were split into, by their place in X."""
    dataset = evaluation.dataset
    places = {row.tobytes(): i for i, row in enumerate(X)}
    parts = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test_rows}
    return {
        part: [places[dataset.x[row].tobytes()] for row in rows] for part, rows in parts.items()
    }


def test_the_training_has_learned_by_heart_what_it_has_seen(trained, own):
    assert trained.history[-1].loss < 0.3
    assert own["test"].examined.loss == trained.test_loss > 1
    assert own["test"].seen == 0


CHANGES = {
    "appended": lambda: (np.concatenate([X, NEW_X]), np.concatenate([Y, NEW_Y])),
    "put before": lambda: (np.concatenate([NEW_X[:9], X]), np.concatenate([NEW_Y[:9], Y])),
    "reordered": lambda: (X[::-1], Y[::-1]),
    "repeated": lambda: (np.repeat(X, 2, axis=0), np.repeat(Y, 2)),
    "unchanged": lambda: (X, Y),
}


@pytest.mark.parametrize(
    ("change", "elsewhere", "part"),
    [
        ("appended", False, "test"),
        ("put before", True, "test"),
        ("reordered", False, "test"),
        ("repeated", True, "test"),
        ("unchanged", True, "test"),
        ("reordered", True, "validation"),
        ("appended", False, "validation"),
    ],
)
def test_a_part_is_known_again(trained, own, config, home, tmp_path, change, elsewhere, part):
    x, y = CHANGES[change]()
    path = tmp_path / "copy.npz" if elsewhere else home / "mine.npz"
    save(path, x, y)
    other = {"seed": 7} | section(path, limit=150, validation_fraction=0.3) if elsewhere else {}
    try:
        found = evaluate(trained.folder, config=config | other, part=part)
    finally:
        save(home / "mine.npz", X, Y)
    assert found.examined.losses.tolist() == own[part].examined.losses.tolist()


def test_what_is_left_of_a_part_is_scored(trained, own, config, tmp_path, listener):
    test = rows_of(own["test"])["test"]
    save(tmp_path / "less.npz", np.delete(X, test[:3], axis=0), np.delete(Y, test[:3]))
    found = evaluate(
        trained.folder, config=config | section(tmp_path / "less.npz"), observer=listener
    )
    np.testing.assert_allclose(
        found.examined.losses, own["test"].examined.losses[3:], rtol=1e-4, atol=1e-6
    )
    assert (
        "3 of the training's test examples are not in these data any more" in listener.warnings[0]
    )
    assert any(LOOKED_AT in text for text in listener.notes)


@pytest.mark.parametrize(
    ("part", "labels", "new"),
    [("test", "same", 0), ("test", "others", 90), ("validation", "same", 90)],
)
def test_examples_of_the_training_are_refused(trained, own, config, tmp_path, part, labels, new):
    """Whatever is drawn of them holds some that were trained on."""
    rows = rows_of(own["test"])["train"]
    x, y = np.concatenate([X[rows], NEW_X[:new]]), np.concatenate([Y[rows], NEW_Y[:new]])
    y = y if labels == "same" else (y + 1) % 4
    save(tmp_path / "seen.npz", x, y)
    with pytest.raises(
        DataError, match=r"seen\.npz: \d+ of the \d+ examples to be scored were used.*npz file"
    ):
        evaluate(trained.folder, config=config | section(tmp_path / "seen.npz"), part=part)


@pytest.mark.parametrize("part", ["test", "validation"])
def test_new_examples_are_scored_without_a_word(trained, config, tmp_path, listener, part):
    save(tmp_path / "new.npz", NEW_X, NEW_Y)
    new = config | section(tmp_path / "new.npz")
    found = evaluate(trained.folder, config=new, part=part, observer=listener)
    assert (len(found.examined.losses), found.seen, listener.warnings) == (
        {"test": 9, "validation": 8}[part],
        0,
        [],
    )


def test_an_example_in_common_does_not_make_other_data_those_of_the_training(
    trained, own, config, tmp_path, listener
):
    row = rows_of(own["test"])["test"][:1]
    save(tmp_path / "new.npz", np.concatenate([NEW_X, X[row]]), np.concatenate([NEW_Y, Y[row]]))
    new = config | section(tmp_path / "new.npz")
    found = evaluate(trained.folder, config=new, observer=listener)
    assert (len(found.examined.losses), listener.warnings) == (9, [])


def test_a_small_rest_of_the_training_data_is_known(trained, own, config, tmp_path, listener):
    rows = rows_of(own["test"])
    kept = [*rows["train"][:70], *rows["test"][15:]]
    save(tmp_path / "rest.npz", X[kept], Y[kept])
    found = evaluate(
        trained.folder, config=config | section(tmp_path / "rest.npz"), observer=listener
    )
    np.testing.assert_allclose(
        found.examined.losses, own["test"].examined.losses[15:], rtol=1e-4, atol=1e-6
    )
    assert "15 of the training's test examples" in listener.warnings[0]


@pytest.mark.parametrize("copies", [0, 5])
def test_copies_in_a_test_set_of_its_own_are_counted(
    trained, own, config, tmp_path, listener, copies
):
    seen = rows_of(own["test"])["train"][:copies]
    test = {"x_test": np.concatenate([X[seen], NEW_X]), "y_test": np.concatenate([Y[seen], NEW_Y])}
    save(tmp_path / "given.npz", X, Y, **test)
    given = config | section(tmp_path / "given.npz")
    found = evaluate(trained.folder, config=given, observer=listener)
    assert len(found.examined.losses) == 90 + copies
    assert found.as_dict()["seen_in_training"] == copies
    warnings = [f"5 of the 95 examples {COPIES}"] if copies else []
    assert [w.split(";")[0] for w in listener.warnings] == warnings


@pytest.mark.harness
@pytest.mark.parametrize("copies", [0, 5])
def test_a_training_counts_the_copies_in_its_test_set(small, tmp_path, listener, copies):
    test = {"x_test": np.concatenate([X[:copies], NEW_X]), "y_test": [0] * (90 + copies)}
    save(tmp_path / "given.npz", X, Y, **test)
    result = train(
        small(batch_size=16) | section(tmp_path / "given.npz"), out=tmp_path, observer=listener
    )
    assert json.loads((result.folder / "result.json").read_text())["seen_in_training"] == copies
    warnings = [f"5 of the 95 examples {COPIES}"] if copies else []
    assert [w.split(";")[0] for w in listener.warnings if COPIES in w] == warnings


def test_a_run_without_hashes_warns_as_ever(trained, config, tmp_path, listener):
    run = shutil.copytree(trained.folder, tmp_path / "run")
    (run / "split.npz").unlink()
    found = evaluate(run, config=config | {"seed": 5}, observer=listener)
    assert ["split in another way" in warning for warning in listener.warnings] == [True]
    assert found.seen is None


def test_a_run_that_broke_off_knows_its_parts_and_their_mean_too(config, home, tmp_path, listener):
    def stop(step):
        if step == 15:
            signal.raise_signal(signal.SIGTERM)

    listener.each_step = stop
    with pytest.raises(Terminated):
        train(config, out=tmp_path, observer=listener)
    (run,) = tmp_path.glob("small/train/001")
    before = evaluate(run)
    save(tmp_path / "new.npz", NEW_X, NEW_Y)
    save(home / "mine.npz", np.concatenate([NEW_X, X[::-1]]), np.concatenate([NEW_Y, Y[::-1]]))
    try:
        found = evaluate(run)
        other = evaluate(run, config=config | section(tmp_path / "new.npz"))
        save(home / "mine.npz", X[:150], Y[:150])
        with pytest.raises(DataError, match=r"of the 162 examples that .*001 was trained on are"):
            evaluate(run)
    finally:
        save(home / "mine.npz", X, Y)
    assert found.examined.losses.tolist() == before.examined.losses.tolist()
    assert (found.seen, len(found.examined.losses)) == (0, 20)
    assert other.dataset.mean.tolist() == before.dataset.mean.tolist()


@pytest.fixture
def pictures(tmp_path):
    """Two classes of 20 images each."""

    def write(folder, order, ending):
        for place, number in enumerate(order):
            path = tmp_path / folder / "train" / "ab"[number % 2] / f"{place:02d}.{ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(NEW_X[number].reshape(4, 4)).save(path)
        return {"dataset": {"name": "image_folder", "path": str(tmp_path / folder), "limit": None}}

    return write


@pytest.mark.harness
def test_images_are_known_whatever_their_files_are_called(small, pictures, tmp_path):
    first, renamed = pictures("first", range(40), "png"), pictures("b", range(59, -1, -1), "bmp")
    config = small(batch_size=8) | first
    result = train(config, out=tmp_path / "runs")

    found = evaluate(result.folder, config=config | renamed)

    assert found.examined.loss == result.test_loss
    assert len(found.examined.losses) == 4


def test_the_file_is_small_and_read_without_pickles(trained):
    path = trained.folder / "split.npz"
    assert path.stat().st_size < 200 * 16 + 1000
    assert sorted(zipfile.ZipFile(path).namelist()) == ["test.npy", "train.npy", "validation.npy"]
