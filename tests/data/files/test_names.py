import os

import pytest

from onecycle_cli.data.files.names import readable_name


@pytest.mark.parametrize(
    "name", ["cat", "two words", "naïve", "日本語", "שלום", "🐈", r"a\b", "می\u200cخواهم"]
)
def test_text_in_any_script_stays_as_it_is(name):
    assert readable_name(name) == name


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"caf\xe9", r"caf\xe9"),
        (b"\x80\xff", r"\x80\xff"),
        (b"a\r\n\tb", r"a\r\n\tb"),
        (b"\x1b[2J", r"\x1b[2J"),
        (b"\x7f", r"\x7f"),
        ("a\u202eb\u2066c\u200f".encode(), r"a\u202eb\u2066c\u200f"),
        ("a\u2028b".encode(), r"a\u2028b"),
        ("\x9b31m".encode(), r"\x9b31m"),
    ],
)
def test_what_is_no_text_becomes_an_escape(raw, shown):
    name = readable_name(os.fsdecode(raw))
    assert name == shown
    assert name.isascii()
    assert name.isprintable()
