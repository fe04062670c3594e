"""Modules beside a user's file: imported at any time, mixed up never."""

import sys
from textwrap import dedent

import pytest

from onecycle_cli.registry.code.neighbours import Neighbours


@pytest.fixture
def write(tmp_path):
    """Write files, by their path without its suffix, and return the file `net.py` of a folder."""

    def write_files(folder="one", **sources):
        for name, source in sources.items():
            path = tmp_path / folder / (name.replace("__in__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(source))
        return tmp_path / folder / "net.py"

    return write_files


def load(file):
    return Neighbours(file.parent).load(file)


@pytest.fixture(autouse=True)
def leaves_no_trace():
    modules, search = set(sys.modules), list(sys.path)
    yield
    new = {name for name in set(sys.modules) - modules if "_of_test" in name}
    ours = [f for f in sys.meta_path if type(f).__module__.startswith("onecycle_cli")]
    assert (new, sys.path, ours) == (set(), search, [])


LAZY = {
    "import": "import blocks_of_test\n    return blocks_of_test.VALUE",
    "from": "from blocks_of_test import VALUE\n    return VALUE",
    "package": "from parts_of_test.inner import VALUE\n    return VALUE",
    "relative": "import parts_of_test\n    return parts_of_test.lazy()",
    "through another": "import middle_of_test\n    return middle_of_test.lazy()",
    "folder": "import plain_of_test.inner\n    return plain_of_test.inner.VALUE",
}


@pytest.mark.parametrize("body", LAZY.values(), ids=list(LAZY))
def test_neighbours_are_imported_late_and_from_ones_own_folder(write, body):
    """In `call`, say, long after the file was loaded."""
    calls = []
    for folder, value in (("one", 1), ("two", 2)):
        file = write(
            folder,
            net=f"def call():\n    {body}",
            blocks_of_test=f"VALUE = {value}",
            middle_of_test="def lazy():\n    import blocks_of_test\n"
            "    return blocks_of_test.VALUE",
            parts_of_test__in____init__="def lazy():\n    from .inner import VALUE\n"
            "    return VALUE",
            parts_of_test__in__inner=f"VALUE = {value}",
            plain_of_test__in__inner=f"VALUE = {value}",
        )
        calls.append(load(file).call)
    assert [call() for call in (*calls, *reversed(calls))] == [1, 2, 2, 1]


def test_a_neighbour_is_run_once_for_each_load(write):
    file = write(
        net="import blocks_of_test\ndef call():\n    import blocks_of_test as late\n"
        "    return late is blocks_of_test, late.CLASS is blocks_of_test.CLASS",
        blocks_of_test="class CLASS: ...",
    )
    first, second = load(file), load(file)
    assert first.call() == second.call() == (True, True)
    assert first.blocks_of_test is not second.blocks_of_test


def test_others_do_not_see_the_neighbours(write):
    """Not even a package that imports something of that name while the file is in use."""
    module = load(write(net="def call():\n    import blocks_of_test", blocks_of_test=""))
    module.call()
    with pytest.raises(ModuleNotFoundError):
        import blocks_of_test  # noqa: F401


def test_an_installed_package_is_not_hidden_by_a_folder_of_its_name(write):
    file = write(
        net="def call():\n    import keras, yaml\n    return keras.__file__, yaml.__file__",
        keras__in__notes="",
        yaml__in__notes="",
    )
    import keras
    import yaml

    assert load(file).call() == (keras.__file__, yaml.__file__)


def test_a_module_of_the_program_comes_back_after_its_namesake(write, monkeypatch):
    module = load(write(net="def call():\n    import blocks_of_test as b\n    return b.VALUE",
                        blocks_of_test="VALUE = 1"))  # fmt: skip
    assert module.call() == 1
    theirs = type(sys)("blocks_of_test")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "blocks_of_test", theirs)
        assert module.call() == 1
        assert sys.modules["blocks_of_test"] is theirs


def test_a_module_of_the_program_is_not_taken_for_a_neighbour(write, tmp_path, monkeypatch):
    """One of another folder, which was imported first."""
    write("other", blocks_of_test="VALUE = 2")
    file = write(
        net="import blocks_of_test as early\n"
        "def call():\n    import blocks_of_test as late\n    return early.VALUE, late.VALUE",
        blocks_of_test="VALUE = 1",
    )
    with monkeypatch.context() as patch:
        patch.syspath_prepend(tmp_path / "other")
        import blocks_of_test

        assert load(file).call() == (1, 1)
        assert sys.modules["blocks_of_test"] is blocks_of_test
        assert blocks_of_test.VALUE == 2
        del sys.modules["blocks_of_test"]


def test_a_module_that_the_program_has_of_the_folder_is_shared(write, tmp_path, monkeypatch):
    file = write(net="import blocks_of_test", blocks_of_test="")
    with monkeypatch.context() as patch:
        patch.syspath_prepend(tmp_path / "one")
        import blocks_of_test

        assert load(file).blocks_of_test is blocks_of_test
        del sys.modules["blocks_of_test"]


def test_what_is_not_there_says_so(write):
    module = load(write(net="def call():\n    import nowhere_of_test"))
    with pytest.raises(ModuleNotFoundError, match="nowhere_of_test"):
        module.call()


def test_a_file_that_fails_leaves_nothing(write):
    file = write(net="import blocks_of_test\n1 / 0", blocks_of_test="")
    before = set(sys.modules)
    with pytest.raises(ZeroDivisionError):
        load(file)
    assert set(sys.modules) == before
