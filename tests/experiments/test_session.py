"""Finders that break off and are taken up."""

import json
import shutil

import numpy as np
import pytest

from onecycle_cli import plotting
from onecycle_cli.errors import ConfigError, ResultError
from onecycle_cli.experiments.find_lr import find_lr
from onecycle_cli.experiments.find_momentum import find_momentum
from onecycle_cli.experiments.find_wd import find_wd
from onecycle_cli.experiments.recipe.run import run
from onecycle_cli.experiments.train import train
from onecycle_cli.runs import finding, records, suggestions_file

TABLES = {
    find_lr: ("curve.csv",),
    find_wd: ("trials.csv", "curves.csv"),
    find_momentum: ("trials.csv", "curves.csv"),
}
KINDS = {find_lr: "find-lr", find_wd: "find-wd", find_momentum: "find-momentum"}


@pytest.mark.samples(2)
@pytest.mark.parametrize("verb", [find_lr, find_wd, find_momentum, train])
def test_the_picture_shows_what_is_written(small, tmp_path, monkeypatch, verb):
    """It is drawn of the same values, though no file is read back for it."""
    drawn = []
    for draw in ("draw", "draw_confusion"):
        monkeypatch.setattr(plotting, draw, lambda record: drawn.append(record) or object())
    result = verb(small(), out=tmp_path)
    pictures = ["confusion.png", "plot.png"] if verb is train else ["plot.png"]
    assert sorted(p.name for p in result.folder.glob("*.png")) == pictures
    assert len(drawn) == len(pictures)
    for record in drawn:
        np.testing.assert_equal(vars(record), vars(records.read_record(result.folder)))


class Killed(BaseException):
    """Whatever ends a process."""


def config_of(small):
    return small(find_lr={"repeats": 3}, find_wd={"refine": True})


def break_off(finder, config, out, listener, step):
    def each_step(now):
        if now == step:
            raise Killed

    listener.each_step = each_step
    with pytest.raises(Killed):
        finder(config, out=out, observer=listener)


def result_of(folder):
    result = json.loads((folder / "result.json").read_text())
    del result["cost"]
    return result


@pytest.mark.samples(1)
@pytest.mark.parametrize(
    ("finder", "steps"), [(find_lr, (14, 20)), (find_wd, (5, 20)), (find_momentum, (13, 20))]
)
def test_a_finder_that_is_taken_up_gives_the_same_bytes(
    small, tmp_path, listener, finder, steps, tree
):
    """Broken off after a piece was finished, within one, and before the first was."""
    whole = finder(config_of(small), out=tmp_path / "whole")
    for step in steps:
        out = tmp_path / f"{step}"
        listener.steps = 0
        break_off(finder, config_of(small), out, listener, step)
        listener.each_step, listener.steps = lambda _: None, 0
        kind = KINDS[finder]
        try:
            found = finding.find_unfinished(out / "small", kind)
        except ResultError:  # nothing was finished, so nothing was kept
            assert not list(out.glob("small/*/*"))
            continue
        resumed = finder(resume=found, observer=listener)

        assert listener.steps < whole.cost.steps
        assert resumed.folder == found
        assert tree(found) == tree(whole.folder)
        for name in TABLES[finder]:
            assert (found / name).read_bytes() == (whole.folder / name).read_bytes()
        assert result_of(found) == result_of(whole.folder)
        suggested = (
            suggestions_file.read_suggestions(o / "small") for o in (out, tmp_path / "whole")
        )
        ours, theirs = ([{**e, "when": ""} for e in s.values()] for s in suggested)
        assert ours == theirs
        for name in ("config.yaml",):
            assert (found / name).read_bytes() == (whole.folder / name).read_bytes()


def test_values_are_those_it_was_started_with(small, tmp_path, listener):
    """Suggestions that come in between belong to other runs."""
    break_off(find_lr, config_of(small), tmp_path, listener, 14)
    (tmp_path / "small/suggestions.yaml").write_text("weight_decay: {value: 0.5}\n")
    assert find_lr(resume=tmp_path / "small").values.weight_decay == 0


def test_a_finder_is_not_taken_up_with_another_config(small, tmp_path, listener):
    break_off(find_lr, config_of(small), tmp_path, listener, 14)
    with pytest.raises(ConfigError, match=r"another config: find_lr.repeats 3, now 5"):
        find_lr(small(find_lr={"repeats": 5}), resume=tmp_path / "small")
    with pytest.raises(ResultError, match="holds no unfinished run of find-wd"):
        find_wd(resume=tmp_path / "small")


def test_a_run_says_of_which_kind_it_is(small, tmp_path, listener):
    break_off(find_lr, config_of(small), tmp_path, listener, 14)
    folder = tmp_path / "small/find-lr/001"
    assert json.loads((folder / "resume.json").read_text())["kind"] == "find-lr"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for other in (train, find_wd, find_momentum):
        with pytest.raises(ConfigError, match=r"001: is a run of find-lr, which .* can't go on"):
            other(resume=folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.samples(2)
@pytest.mark.parametrize("experiment", [train, find_lr, find_wd, run])
def test_when_the_runs_are_removed_meanwhile_nothing_half_written_comes_back(
    small, tmp_path, listener, experiment
):
    out = tmp_path / "runs"

    def each_step(now):
        if now == 8:
            shutil.rmtree(out)

    listener.each_step = each_step
    config = config_of(small) | {"train": {"cycles": [{"epochs": 3}], "max_lr": 0.1}}
    with pytest.raises(ResultError, match="folder was removed") as error:
        experiment(config, out=out, observer=listener)
    assert error.value.exit_code == 1
    assert not hasattr(error.value, "__notes__")
    assert not out.exists()


@pytest.mark.harness
def test_a_change_in_any_row_of_the_data_is_noticed(small, tmp_path, listener):
    path = tmp_path / "mine.npz"
    x = np.random.default_rng(1).normal(size=(600, 5)).astype(np.float32)
    y = np.arange(600) % 3
    np.savez(path, x_train=x, y_train=y)
    section = {"name": "arrays", "path": str(path), "limit": None}
    break_off(find_lr, config_of(small) | {"dataset": section}, tmp_path, listener, 14)
    listener.each_step = lambda _: None

    changes = [{"x_train": np.roll(x, 1, axis=0), "y_train": np.roll(y, 1)}]
    for row in (0, 1, 301, 599):
        other_x, other_y = x.copy(), y.copy()
        other_x[row, -1] += 1e-6
        other_y[row] = (y[row] + 1) % 3
        changes += [{"x_train": other_x}, {"y_train": other_y}]
    for change in changes:
        np.savez(path, **({"x_train": x, "y_train": y} | change))
        with pytest.raises(ConfigError, match="was started with other data"):
            find_lr(resume=tmp_path / "small")

    np.savez(path, x_train=x, y_train=y, unused=x)
    assert find_lr(resume=tmp_path / "small", observer=listener).folder is not None


@pytest.mark.harness
@pytest.mark.parametrize("key", ["validation", "test", "validation_rows"])
def test_a_change_in_parts_that_lie_elsewhere_is_noticed(small, tmp_path, listener, key):
    x, y = np.random.default_rng(1).normal(size=(600, 5)), np.arange(600) % 3
    np.savez(tmp_path / "mine.npz", x_train=x, y_train=y)

    def save(change):
        np.savez(tmp_path / "part.npz", x=x[:40] + 9 + change, y=y[:40])
        np.save(tmp_path / "part.npy", np.arange(40) + change)

    save(0)
    part = str(tmp_path / ("part.npy" if key == "validation_rows" else "part.npz"))
    section = {"name": "arrays", "path": str(tmp_path / "mine.npz"), "limit": None, key: part}
    cycles = {"train": {"cycles": [{"epochs": 3}], "max_lr": 0.1, "checkpoint_seconds": 0.001}}
    break_off(train, small() | cycles | {"dataset": section}, tmp_path, listener, 14)
    listener.each_step = lambda _: None
    save(1)
    sentence = "another test set" if key == "test" else "other data"
    with pytest.raises(ConfigError, match=f"was started with {sentence}"):
        train(resume=tmp_path / "small")
    save(0)
    assert train(resume=tmp_path / "small", observer=listener).test_loss is not None


def test_without_a_config_or_a_run_there_is_nothing_to_do():
    with pytest.raises(ConfigError, match="a config is needed"):
        find_lr()
