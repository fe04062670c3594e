import pytest

from onecycle_cli import plugin_names
from onecycle_cli.registry import models


@pytest.mark.parametrize(
    ("source", "function", "message"),
    [
        (
            "def make_net(a, b): ...\ndef _own(): ...\nclass Net: ...",
            ":make_nets",
            "has no function 'make_nets'; did you mean 'make_net'?",
        ),
        ("def build(a, b): ...", ":xyz", "has no function 'xyz'; the known ones are build."),
        ("x = 1", ":build", "has no function 'build'; it has no function at its top level"),
        (
            "def build(a, b): ...",
            "",
            "needs the name of a function, as in {path}:function; it has 'build'",
        ),
        ("x = 1\ndef build(:\n", ":build", "is not valid Python: line 2: invalid syntax"),
        ("x = '\0'", ":build", "is not valid Python: "),
    ],
)
def test_files_without_such_a_function(write, source, function, message):
    path = write(source)
    key, found = models.problem(path + function, {})
    assert key == "model.name"
    assert found.startswith(f"{path} " + message.format(path=path))


def test_checking_a_file_repeats_none_of_its_warnings(write):
    path = write("def build(a, b):\n    return 1 is 1")
    assert models.problem(f"{path}:build", {}) is None


def test_a_folder_is_no_file(tmp_path):
    folder = tmp_path / "net.py"
    folder.mkdir()
    assert models.problem(f"{folder}:build", {}) == (
        "model.name",
        f"{folder} cannot be read: Is a directory",
    )


def test_a_function_that_does_not_take_the_data(write):
    path = write("def build(width=3): ...")
    assert models.problem(f"{path}:build", {}) == (
        "model.name",
        f"build() in {path} must take the input shape and the number of outputs "
        "as its first two parameters; it takes (width=3)",
    )


@pytest.mark.parametrize(
    ("name", "is_one", "parts"),
    [
        ("net.py:build", True, ("net.py", "build")),
        ("nets/net.py", True, ("nets/net.py", "")),
        ("c:/nets/net.py:build", True, ("c:/nets/net.py", "build")),
        ("a.py:b/net.py:build", True, ("a.py:b/net.py", "build")),
        ("net.pyc:build", False, None),
        ("sgd", False, None),
        (3, False, None),
    ],
)
def test_which_names_mean_a_file(name, is_one, parts):
    assert plugin_names.names_a_file(name) == is_one
    if is_one:
        assert plugin_names.file_and_function(name) == parts


def test_short_names():
    assert plugin_names.short("/nets/net.py:build") == "net.py:build"
    assert plugin_names.short("minimum/10") == "minimum/10"
