import hashlib

import numpy as np
import pytest

from onecycle_cli.errors import ResultError
from onecycle_cli.runs.checkpoints import KEPT, VERSION, Checkpoints, State

pytestmark = pytest.mark.lowest


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


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
