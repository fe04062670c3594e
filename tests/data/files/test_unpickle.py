import io
import os
import pickle
import pickletools

import numpy as np
import pytest

from onecycle_cli.data.files.unpickle import load_arrays
from onecycle_cli.errors import DataError


class Malicious:
    def __init__(self, victim):
        self.victim = victim

    def __reduce__(self):
        return os.system, (f"touch {self.victim}",)


def read(content):
    return load_arrays(io.BytesIO(content), "some/file")


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_are_read_whatever_the_protocol(protocol):
    data = np.arange(60, dtype=np.uint8).reshape(20, 3)
    content = read(pickle.dumps({b"data": data, b"labels": [1, 2, 3]}, protocol))
    np.testing.assert_array_equal(content[b"data"], data)
    assert content[b"labels"] == [1, 2, 3]


def test_a_pickle_of_python_2_and_numpy_1_is_read():
    content = read(
        b"\x80\x02}(U\x04data"
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01btR"
        b"(K\x01K\x02K\x03\x86cnumpy\ndtype\n(U\x02u1K\x00K\x01tR"
        b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x06abcdeftb"
        b"U\x06labels]q\x01(K\x00K\x01eu."
    )
    assert content[b"data"].tobytes() == b"abcdef"
    assert content[b"data"].shape == (2, 3)
    assert content[b"labels"] == [0, 1]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("nested", [False, True])
def test_a_malicious_pickle_is_refused_and_not_run(tmp_path, protocol, nested):
    victim = tmp_path / "victim"
    payload = Malicious(victim)
    content = pickle.dumps({b"data": [payload]} if nested else payload, protocol)
    assert any(op.name in {"GLOBAL", "STACK_GLOBAL"} for op, _, _ in pickletools.genops(content))
    with pytest.raises(DataError, match=r"some/file was refused: .* calls posix\.system") as error:
        read(content)
    assert "\n" not in str(error.value)
    assert not victim.exists()


@pytest.mark.parametrize("name", ["builtins\neval", "numpy\nload", "numpy\nndarray.dump"])
def test_no_other_name_is_looked_up(name):
    with pytest.raises(DataError, match="was refused"):
        read(f"\x80\x02c{name}\n.".encode("latin1"))


def test_the_stand_in_for_encode_knows_one_encoding():
    assert read(
        b"\x80\x02}U\x01ac_codecs\nencode\nX\x02\x00\x00\x00\xc3\xa9X\x06\x00\x00\x00latin1\x86Rs."
    ) == {b"a": b"\xe9"}
    with pytest.raises(DataError, match=r"damaged .*'rot13' is not expected"):
        read(b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x05\x00\x00\x00rot13\x86R.")


def test_a_truncated_pickle_is_damaged_wherever_it_ends():
    whole = pickle.dumps({b"data": np.arange(50, dtype=np.uint8), b"labels": list(range(50))})
    for end in range(0, len(whole), 7):
        with pytest.raises(DataError, match=r"some/file is damaged \(.+\); fetch it again"):
            read(whole[:end])


def test_something_else_than_a_dict_is_refused():
    with pytest.raises(DataError, match="must hold a dict of arrays, got list"):
        read(pickle.dumps([1, 2]))


def test_references_that_unfold_without_end_are_refused_unopened():
    """A few hundred bytes that stand for 3^40 numbers."""
    nested = [1, 2, 3]
    for _ in range(40):
        nested = [nested, nested, nested]
    with pytest.raises(DataError, match=r"some/file must hold arrays, .* nested or foreign values"):
        read(pickle.dumps({b"labels": nested}))


@pytest.mark.parametrize(
    "data",
    [
        b"cnumpy\nndarray\nJ\x00\x94\x35\x77\x85\x85R",  # ndarray((2_000_000_000,))
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nJ\x00\x94\x35\x77\x85U\x01btR",
    ],
)
def test_no_array_is_made_out_of_nothing(data):
    with pytest.raises(DataError, match="some/file is damaged"):
        read(b"\x80\x02}U\x04data" + data + b"s.")


@pytest.mark.parametrize("value", [np.array([1, "a"], object), {"a": 1}, (1, 2), [[1]]])
def test_nothing_but_plain_values(value):
    with pytest.raises(DataError, match="nested or foreign values"):
        read(pickle.dumps({b"data": value}))


@pytest.mark.parametrize("head", [b"\x80\x04\x8e", b"\x80\x05\x96", b"\x80\x04\x95"])
def test_lengths_that_lie_are_not_believed(head):
    with pytest.raises(DataError, match="some/file is damaged"):
        read(head + (10**13).to_bytes(8, "little") + b"abc.")
