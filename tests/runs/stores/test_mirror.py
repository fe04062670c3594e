"""Runs whose folder stands for a URL: what is in the store at each moment, and whose it is."""

import json
import threading

import pytest

from onecycle_cli.errors import ResultError
from onecycle_cli.runs import files
from onecycle_cli.runs.run_folder import RunFolder, new_folder
from onecycle_cli.runs.stores.mark import MARK, Sum, read_mark
from onecycle_cli.runs.stores.mirror import CLAIM, StoreMirror
from onecycle_cli.runs.stores.objects import Objects, StoreError
from onecycle_cli.runs.stores.urls import local

pytestmark = pytest.mark.lowest


def create(url, warn=None):
    return RunFolder.create(local(url), "name", "train", {"seed": 3}, warn)


def objects_of(url, number=1):
    return Objects(f"{url}/name/train/{number:03d}")


def checkpoint(run, number, steps):
    """Write what a training writes at a checkpoint."""
    files.write_text(run.path / "steps.csv", "row\n" * steps)
    files.write_text(run.path / "best.keras", f"after {steps}")
    files.write_text(run.path / f"checkpoints/{number}.npz", f"names {steps} rows")
    run.keep()


def test_a_run_at_work_is_followed_and_a_finished_one_is_marked(url):
    objects = objects_of(url)
    with create(url) as run:
        assert objects.names() == [CLAIM]
        files.write_text(run.path / "resume.json", "{}")
        checkpoint(run, 1, 5)
        run._mirror.upload(run.path, at_once=True)
        files.write_text(run.path / "checkpoints/2.npz", "newer")
        (run.path / "checkpoints/1.npz").unlink()
        files.write_text(run.path / ".half.0123abcd", "")
        run._mirror.upload(run.path, at_once=True)
        assert set(objects.names()) == {
            "best.keras", "checkpoints/2.npz", CLAIM, "manifest.json", "resume.json", "steps.csv",
        }  # fmt: skip
        files.write_text(run.path / "result.json", "{}")

    here = ["best.keras", "manifest.json", "result.json", "steps.csv"]
    assert objects.names() == sorted([*here, CLAIM, MARK])
    assert read_mark(objects) == {name: Sum.of(run.path / name) for name in here}
    assert all(objects.read(name) == (run.path / name).read_bytes() for name in here)
    assert json.loads(objects.read("manifest.json"))["status"] == "done"


def test_what_broke_off_is_marked_with_what_it_takes_to_go_on(url):
    with pytest.raises(KeyboardInterrupt), create(url) as run:
        files.write_text(run.path / "resume.json", "{}")
        checkpoint(run, 1, 5)
        raise KeyboardInterrupt
    marked = read_mark(objects_of(url))
    assert {"resume.json", "checkpoints/1.npz"} <= marked.keys()


def test_a_run_of_which_nothing_is_kept_leaves_nothing(url):
    with pytest.raises(RuntimeError), create(url) as run:
        files.write_text(run.path / "file", "")
        run.upload()
        raise RuntimeError
    assert Objects(url).names() == []


def test_what_another_process_has_taken_up_is_not_removed(url):
    with pytest.raises(RuntimeError), create(url):
        objects_of(url).write(CLAIM, b"of somebody else")
        raise RuntimeError
    assert objects_of(url).names() == [CLAIM]


def test_nothing_is_uploaded_before_what_it_needs(shaky):
    """A kill in between leaves what a disk would show after one."""
    with create(shaky.url) as run:
        files.write_text(run.path / "model.keras", "")
        files.write_text(run.path / "journal/piece.json", "")
        checkpoint(run, 1, 5)
        shaky.log.clear()
        run.upload()
        needed, named, last = shaky.log[:-3], shaky.log[-3:-1], shaky.log[-1]
        assert set(needed) == {"steps.csv", "best.keras", "manifest.json"}
        assert named == ["checkpoints/1.npz", "journal/piece.json"]
        assert last == "model.keras"
    assert shaky.log[-1] == MARK


def test_what_it_takes_to_go_on_stays_until_the_mark_is_there(shaky, monkeypatch):
    """A kill just before it would leave what is neither whole nor to be resumed."""
    objects = objects_of(shaky.url)

    def no_mark(self, name, data):
        raise StoreError("no mark")

    with pytest.raises(ResultError, match="no mark"), create(shaky.url) as run:
        files.write_text(run.path / "resume.json", "{}")
        checkpoint(run, 1, 5)
        run.upload()
        monkeypatch.setattr(Objects, "write", no_mark)
    assert not (run.path / "resume.json").exists()
    assert {"resume.json", "checkpoints/1.npz", "manifest.json"} <= set(objects.names())


def test_only_what_has_changed_is_uploaded_again(shaky):
    with create(shaky.url) as run:
        checkpoint(run, 1, 5)
        run._mirror.upload(run.path, at_once=True)
        shaky.log.clear()
        run._mirror.upload(run.path, at_once=True)
        assert shaky.log == []
        files.write_text(run.path / "best.keras", "same size")
        files.write_text(run.path / "best.keras", "same-size")
        run._mirror.upload(run.path, at_once=True)
        assert shaky.log == ["best.keras"]


def test_a_store_that_is_away_for_a_while_costs_one_warning(shaky):
    warnings = []
    with create(shaky.url, warnings.append) as run:
        shaky.left = 1
        for number in (1, 2):
            checkpoint(run, number, 5 * number)
            run._mirror.upload(run.path, at_once=True)
        (warning,) = warnings
        assert "no route to the store" in warning
        assert f"The run goes on in {run.path}, and is uploaded when" in warning
        shaky.left = None
        run._mirror.upload(run.path, at_once=True)
        assert objects_of(shaky.url).read("steps.csv") == b"row\n" * 10
    assert read_mark(objects_of(shaky.url)).keys() >= {"steps.csv", "best.keras"}
    assert len(warnings) == 1


@pytest.mark.parametrize(("is_away", "share"), [(False, 0.01), (True, 0.1)])
def test_uploads_take_a_small_share_of_the_time(shaky, tmp_path, is_away, share):
    """More of it while the store is away, so that it is soon noticed when it is back."""
    (tmp_path / "file").write_text("")
    clock = [0.0]

    class Slow(Objects):
        def put(self, source, name):
            clock[0] += 2.0
            super().put(source, name)

    objects = Slow(shaky.url)
    objects.write(CLAIM, b"mine")
    mirror = StoreMirror(objects, b"mine", lambda _: None, lambda: clock[0])
    shaky.left = 0 if is_away else None
    mirror.upload(tmp_path)
    assert clock == [2.0]
    for waits, took in ((1.9 / share, 0.0), (0.2 / share, 2.0)):
        (tmp_path / "file").write_text(f"after {waits}")
        before = clock[0] = clock[0] + waits
        mirror.upload(tmp_path)
        assert clock[0] == before + took


def test_a_store_that_stays_away_ends_the_run_with_one_sentence_and_loses_nothing(shaky):
    with pytest.raises(ResultError) as raised, create(shaky.url) as run:
        checkpoint(run, 1, 5)
        shaky.left = 0
    url = f"{shaky.url}/name/train/001"
    assert f"Nothing is lost: the run is kept in {run.final}, and" in str(raised.value)
    assert f"'onecycle train --resume {url}' on this machine uploads it." in str(raised.value)
    assert (run.final / "steps.csv").read_text() == "row\n" * 5
    assert MARK not in objects_of(shaky.url).names()


def test_an_interruption_stays_one_while_the_store_is_away(shaky):
    warnings = []
    with pytest.raises(KeyboardInterrupt), create(shaky.url, warnings.append) as run:
        checkpoint(run, 1, 5)
        shaky.left = 0
        raise KeyboardInterrupt
    assert "Nothing is lost" in warnings[0]
    assert json.loads((run.final / "manifest.json").read_text())["status"] == "interrupted"


def test_the_end_is_tried_again(shaky, monkeypatch):
    monkeypatch.setattr(
        "onecycle_cli.runs.stores.mirror.time.sleep", lambda _: setattr(shaky, "left", None)
    )
    with create(shaky.url) as run:
        checkpoint(run, 1, 5)
        shaky.left = 1
    assert read_mark(objects_of(shaky.url)).keys() >= {"steps.csv", "best.keras"}


def test_two_machines_get_two_numbers(url, another_machine):
    with create(url) as first:
        another_machine()
        with create(url) as second:
            assert (first.number, second.number) == (1, 2)
        assert new_folder(local(url), "name", "train").name == "003"


def test_many_at_once_get_numbers_of_their_own(url):
    """The store decides: each has read the same numbers before the first claims one."""
    numbers, start = [], threading.Barrier(6)

    def work():
        start.wait()
        with create(url) as run:
            numbers.append(run.number)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(numbers)) == 6


def test_a_number_that_is_taken_in_the_store_is_left_alone(url, monkeypatch):
    monkeypatch.setattr("onecycle_cli.runs.run_folder.numbers_behind", lambda _: [])
    objects_of(url).write(CLAIM, b"of somebody else")
    with create(url) as run:
        assert run.number == 2
    assert objects_of(url).read(CLAIM) == b"of somebody else"


def test_a_run_that_was_taken_up_elsewhere_ends(url):
    """And writes no more over what the other one has uploaded."""
    with pytest.raises(ResultError, match="was taken up by another process"), create(url) as run:
        checkpoint(run, 1, 5)
        run.upload()
        objects_of(url).write(CLAIM, b"of somebody else")
        objects_of(url).write("steps.csv", b"by the other")
        checkpoint(run, 2, 10)
        run._mirror.upload(run.path, at_once=True)
    assert objects_of(url).read("steps.csv") == b"by the other"
    assert run.path.is_dir()


def test_a_run_that_was_removed_from_the_store_ends(url):
    with pytest.raises(ResultError, match="was removed from the store"), create(url) as run:
        checkpoint(run, 1, 5)
        objects_of(url).remove([CLAIM])
        run._mirror.upload(run.path, at_once=True)


def test_a_store_out_of_reach_is_said_before_anything_is_done(shaky, cache):
    shaky.left = 0
    with pytest.raises(ResultError, match=r"claim\.json: the object store is out of reach"):
        create(shaky.url)
    assert [p for p in cache.rglob("*") if p.is_file()] == []
    assert [p.name for p in cache.rglob("*") if "001" in p.name] == []
