import sys
from textwrap import dedent

import pytest

from onecycle_cli.registry.code.local_imports import local_imports


@pytest.fixture
def write(tmp_path):
    def write_files(**sources):
        for name, source in sources.items():
            path = tmp_path / (name.replace("__in__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(source))
        return tmp_path / "net.py"

    return write_files


def names(path):
    return [found.relative_to(path.parent).as_posix() for found in local_imports(path)]


@pytest.mark.parametrize(
    "statement",
    [
        "import blocks",
        "import blocks as b",
        "from blocks import *",
        "from blocks import thing",
        "def build(a, b):\n    import blocks",
        "import importlib\nm = importlib.import_module('blocks')",
        "m = __import__('blocks')",
        "try:\n    import blocks\nexcept ImportError:\n    pass",
    ],
)
def test_every_way_to_import_a_neighbour(write, statement):
    assert names(write(net=statement, blocks="", other="")) == ["blocks.py"]


def test_imports_of_imports_count_and_circles_end(write):
    path = write(net="import one", one="import two", two="import one, net", three="")
    assert names(path) == ["one.py", "two.py"]


def test_packages_and_relative_imports(write):
    path = write(
        net="from parts.inner import deep",
        parts__in____init__="from . import used",
        parts__in__used="from .inner.deep import x",
        parts__in__unused="",
        parts__in__inner__in____init__="",
        parts__in__inner__in__deep="from ..top import y",
        parts__in__top="",
    )
    expected = ["__init__.py", "inner/__init__.py", "inner/deep.py", "top.py", "used.py"]
    assert names(path) == [f"parts/{name}" for name in expected]


def test_a_folder_without_init_is_a_package_too(write):
    assert names(write(net="import parts.one", parts__in__one="", parts__in__two="")) == [
        "parts/one.py"
    ]


def test_installed_packages_and_the_library_are_not_local(write):
    path = write(net="import json, keras, numpy.linalg, onecycle_cli.schedules, nowhere")
    assert names(path) == []


def test_the_search_path_counts(write, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    path = write(net="import shared", elsewhere__in__shared="")
    assert names(path) == []
    monkeypatch.setattr(sys, "path", [*sys.path, str(elsewhere)])
    assert names(path) == ["elsewhere/shared.py"]


@pytest.mark.parametrize("source", ["def broken(:", "x = '\0'"])
def test_a_neighbour_that_is_no_python_is_read_no_further(write, source):
    assert names(write(net="import bad", bad=source)) == ["bad.py"]
