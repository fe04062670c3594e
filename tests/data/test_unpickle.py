import io
import os
import pickle
import pickletools

import numpy as np
import pytest

from onecycle_cli.data.unpickle import load_arrays
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
