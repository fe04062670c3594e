from textwrap import dedent

import pytest


@pytest.fixture
def write(tmp_path):
    """Write a file and return its path as text."""

    def write_file(source, name="net.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(source), encoding="utf-8")
        return str(path)

    return write_file
