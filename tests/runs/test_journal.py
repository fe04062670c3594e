import math

import pytest

from onecycle_cli.runs.journal import Journal

GAVE = {"losses": [0.1, 1 / 3, math.inf], "score": 5e-324, "name": "x\n"}


def test_a_piece_is_recalled_to_the_bit(tmp_path, listener):
    Journal(tmp_path, listener).enter("range test 0", GAVE)
    again = Journal(tmp_path, listener)
    assert again.recall("range test 0") == GAVE
    assert again.recall("range test 1") is None
    assert listener.warnings == []


def test_without_a_folder_nothing_is_remembered(listener):
    journal = Journal(None, listener)
    journal.enter("range test 0", GAVE)
    assert journal.recall("range test 0") is None


def test_a_damaged_entry_is_forgotten_and_said(tmp_path, listener):
    journal = Journal(tmp_path, listener)
    journal.enter("range test 0", GAVE)
    (path,) = (tmp_path / "journal").iterdir()
    whole = path.read_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        assert journal.recall("range test 0") is None
    assert len(listener.warnings) == len(whole)
    assert all("is damaged; doing that part again" in text for text in listener.warnings)
    path.write_bytes(whole.replace(b"5e-324", b"6e-324"))
    assert journal.recall("range test 0") is None


@pytest.mark.parametrize("text", ["", "x", "{}\n{}"])
def test_a_file_of_somebody_elses(tmp_path, listener, text):
    journal = Journal(tmp_path, listener)
    journal.enter("range test 0", GAVE)
    (path,) = (tmp_path / "journal").iterdir()
    path.write_text(text)
    assert journal.recall("range test 0") is None
