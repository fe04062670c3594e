import hashlib

import numpy as np
import pytest

from onecycle_cli.errors import ResultError
from onecycle_cli.runs.checkpoints import KEPT, VERSION, Checkpoints, State
from onecycle_cli.runs.log import Logbook

pytestmark = pytest.mark.lowest


def state(number, *earlier):
    arrays = {
        "variables/0000": np.full((2, 3), number, np.float32),
        "steps/loss": np.array([np.nan, np.inf, 0.1 + number]),
    }
    return State({"version": VERSION, "step": number, "loss": 0.1 + number}, arrays, list(earlier))


def assert_same(left, right):
    assert left.about == right.about
    assert left.arrays.keys() == right.arrays.keys()
    for name, values in left.arrays.items():
        assert values.dtype == right.arrays[name].dtype
        np.testing.assert_array_equal(values, right.arrays[name])
    assert len(left.earlier) == len(right.earlier)
    for ours, theirs in zip(left.earlier, right.earlier, strict=True):
        assert_same(ours, theirs)


def test_a_state_comes_back_as_it_was(tmp_path, clock):
    written = state(3, state(1), state(2))
    Checkpoints(tmp_path, every=60, clock=clock).write(written)

    warnings = []
    assert_same(Checkpoints(tmp_path, every=60).read_newest(warnings.append), written)
    assert warnings == []


def test_other_programs_can_read_and_verify_a_checkpoint(tmp_path, clock):
    Checkpoints(tmp_path, every=60, clock=clock).write(state(3))
    (path,) = (tmp_path / "checkpoints").iterdir()
    assert hashlib.sha256(path.read_bytes()).hexdigest()[:16] == path.stem.split("-")[1]
    with np.load(path, allow_pickle=False) as file:
        np.testing.assert_array_equal(file["0/variables/0000"], np.full((2, 3), 3, np.float32))


def test_the_oldest_are_removed_and_the_newest_is_read(tmp_path, clock):
    """A state may be of an earlier step than the one before: after a divergence."""
    checkpoints = Checkpoints(tmp_path, every=60, clock=clock)
    for number in (5, 9, 12, 7, 2):
        checkpoints.write(state(number))
    assert len(list((tmp_path / "checkpoints").iterdir())) == KEPT
    assert checkpoints.written == 5
    assert checkpoints.read_newest(pytest.fail).about["step"] == 2


def test_every_truncation_and_every_flipped_byte_is_noticed(tmp_path, clock):
    checkpoints = Checkpoints(tmp_path, every=60, clock=clock)
    checkpoints.write(state(1))
    checkpoints.write(state(2))
    path = max((tmp_path / "checkpoints").iterdir())
    whole = path.read_bytes()
    damaged = [whole[:n] for n in range(len(whole))]
    damaged += [
        whole[:i] + bytes([whole[i] ^ 0x10]) + whole[i + 1 :] for i in range(0, len(whole), 3)
    ]
    for contents in damaged:
        path.write_bytes(contents)
        warnings = []
        assert checkpoints.read_newest(warnings.append).about["step"] == 1
        assert len(warnings) == 1
        assert f"{path}: is damaged" in warnings[0]
        assert "going back to the one before" in warnings[0]
        path.with_suffix(".damaged").unlink()
    path.write_bytes(whole)
    assert checkpoints.read_newest(pytest.fail).about["step"] == 2


def test_a_file_that_is_no_state_is_passed_over_though_its_checksum_fits(tmp_path, clock):
    checkpoints = Checkpoints(tmp_path, every=60, clock=clock)
    checkpoints.write(state(1))
    for data in (b"", b"no archive", b"PK\x03\x04"):
        digest = hashlib.sha256(data).hexdigest()[:16]
        (tmp_path / "checkpoints" / f"00000009-{digest}.npz").write_bytes(data)
        assert checkpoints.read_newest(lambda _: None).about["step"] == 1


def test_none_is_due_before_its_time(tmp_path, clock):
    checkpoints = Checkpoints(tmp_path, every=60, clock=clock)
    assert checkpoints.is_due(at_epoch_end=True)
    clock.now = 59.9
    assert not checkpoints.is_due(at_epoch_end=False)
    clock.now = 60
    assert checkpoints.is_due(at_epoch_end=False)


def test_they_take_no_more_than_a_hundredth_of_the_time(tmp_path, clock, monkeypatch):
    checkpoints = Checkpoints(tmp_path, every=1, clock=clock)
    write = State.to_bytes

    def slowly(self):
        clock.now += 5
        return write(self)

    monkeypatch.setattr(State, "to_bytes", slowly)
    begun = clock.now
    checkpoints.write(state(1))
    for second in range(20_000):
        clock.now += 1
        if checkpoints.is_due(at_epoch_end=second % 7 == 0):
            checkpoints.write(state(second))
    assert checkpoints.written > 30
    assert checkpoints.seconds <= 5 + 0.01 * (clock.now - begun)  # the first one is not waited for


def test_its_size_does_not_depend_on_the_steps_before(tmp_path, clock):
    """But for the digits of some numbers."""
    log, sizes = Logbook(tmp_path), []
    checkpoints = Checkpoints(tmp_path, every=60, clock=clock)
    for steps in (100, 10_000):
        while len(log) < steps:
            log.enter({"lr": 0.1, "loss": 1 / (1 + len(log))}, cycle=1)
            if len(log) % 100 == 0:
                log.end_epoch(cycle=1)
        about = {"version": VERSION, "step": steps, "tables": log.mark()}
        checkpoints.write(State(about, state(1).arrays), before=log.append)
        sizes.append(max((tmp_path / "checkpoints").iterdir()).stat().st_size)
    assert 0 <= sizes[1] - sizes[0] < 50
    assert (tmp_path / "steps.csv").stat().st_size > 100_000


def test_a_state_whose_tables_are_gone_is_passed_over(tmp_path, clock):
    """For those in the same file that it may have to go back to, and then for older files."""
    checkpoints = Checkpoints(tmp_path, every=60, clock=clock)
    checkpoints.write(state(4, state(2)))
    checkpoints.write(state(12, state(5), state(9)))

    def newest(most):
        def take(state):
            if state.about["step"] > most:
                raise ValueError("the table is too short")

        said = []
        return checkpoints.read_newest(said.append, take), said

    found, said = newest(12)
    assert (found.about["step"], said) == (12, [])
    assert "is_anchor" not in found.about
    for most, step, earlier, warnings in ((9, 9, [5], 1), (5, 5, [], 2), (4, 4, [2], 3)):
        found, said = newest(most)
        assert found.about["step"] == step
        assert [state.about["step"] for state in found.earlier] == earlier
        assert len(said) == warnings
        assert "can't be gone on from (the table is too short); going back to the o" in said[0]
    assert newest(1)[0] is None
    assert len(list((tmp_path / "checkpoints").glob("*.npz"))) == 2


def test_one_of_another_version_is_refused(tmp_path, clock):
    checkpoints = Checkpoints(tmp_path, every=60, clock=clock)
    checkpoints.write(State({"step": 1, "epochs": []}, state(1).arrays))
    with pytest.raises(ResultError, match=r"npz: was written by another version of onecycle, wh"):
        checkpoints.read_newest(pytest.fail)
    assert len(list((tmp_path / "checkpoints").glob("*.npz"))) == 1


def test_one_that_cannot_be_written_leaves_those_before(tmp_path, clock, monkeypatch):
    checkpoints = Checkpoints(tmp_path, every=60, clock=clock)
    checkpoints.write(state(1))

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ResultError, match="No space left on device"):
        checkpoints.write(state(2))
    assert checkpoints.read_newest(pytest.fail).about["step"] == 1
    assert len(list((tmp_path / "checkpoints").iterdir())) == 1
