import os
import subprocess
import sys

import pytest

from onecycle_cli import registry, schedules
from onecycle_cli.config import load_config
from onecycle_cli.errors import ConfigError, PluginError
from onecycle_cli.registry import shapes

HILL = """
from heights import TOP

def hill(progress, top=TOP):
    return top * (1 - abs(2 * progress - 1))
"""


@pytest.fixture
def hill(write):
    write("TOP = 0.5", "mine/heights.py")
    return write(HILL, "mine/hills.py") + ":hill"


def config_with(shape):
    source = {"dataset": {"name": "digits"}, "model": {"name": "mlp"}, "train": {"shape": shape}}
    return load_config(source)


def test_a_path_becomes_the_function_that_it_names(hill):
    shape = shapes.load(hill)
    assert schedules.learning_rates(5, 2.0, shape=shape) == [0, 0.5, 1, 0.5, 0]
    assert schedules.title(shape) == "hills.py:hill"


@pytest.mark.parametrize("shape", ["smith", len])
def test_other_shapes_stay_what_they_are(shape):
    assert shapes.load(shape) is shape


def test_a_relative_path_counts_from_the_folder_of_the_config(hill, tmp_path, monkeypatch):
    text = "dataset: {name: digits}\nmodel: {name: mlp}\ntrain: {shape: 'mine/hills.py:hill'}\n"
    (tmp_path / "experiment.yaml").write_text(text)
    monkeypatch.chdir("/")
    assert load_config(tmp_path / "experiment.yaml").train.shape == hill


@pytest.mark.parametrize(
    ("source", "function", "message"),
    [
        ("def hill(p): ...", "hil", "has no function 'hil'; did you mean 'hill'?"),
        ("def hill(p): ...", None, "needs the name of a function, as in "),
        ("def hill(): ...", "hill", "must take the progress as its first parameter, and need no "),
        ("def hill(p, *, k): ...", "hill", "and need no more; it takes (p, *, k)"),
        ("def hill(p, k): ...", "hill", "and need no more; it takes (p, k)"),
        ("def hill(p:", "hill", "is not valid Python: line 1: "),
    ],
)
def test_what_is_wrong_with_a_file_is_said_before_it_is_run(write, source, function, message):
    path = write(source, "hills.py")
    config = config_with(path if function is None else f"{path}:{function}")
    with pytest.raises(ConfigError) as error:
        registry.check(config)
    text = str(error.value)
    assert text.startswith("train.shape: ")
    assert message in text
    assert "\n" not in text
    assert text.endswith((".", "?"))


def test_a_file_that_is_not_there_is_said_with_the_place_in_the_config(tmp_path):
    file = tmp_path / "experiment.yaml"
    file.write_text("dataset: {name: digits}\nmodel: {name: mlp}\ntrain:\n  shape: no.py:hill\n")
    with pytest.raises(ConfigError) as error:
        registry.check(load_config(file))
    assert str(error.value) == (
        f"{file}, line 4: train.shape: there is no file {tmp_path / 'no.py'}."
    )


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ("return 1 // 0", "ZeroDivisionError: integer division or modulo by zero ({path}, line 4)"),
        ("os._exit(3)", "SystemExit: os._exit(3) would end the program ({path}, line 4)"),
        ("raise SystemExit(0)", "SystemExit: 0 ({path}, line 4)"),
    ],
)
def test_whatever_the_function_does_is_one_sentence(write, body, cause):
    path = write(f"\nimport os\ndef hill(progress):\n    {body}\n", "hills.py")
    shape = shapes.load(f"{path}:hill")
    with pytest.raises(PluginError) as error:
        schedules.learning_rates(3, 0.1, shape=shape)
    assert str(error.value) == (
        f"shape '{path}:hill' failed to give a learning rate: {cause.format(path=path)}"
    )


def test_a_file_that_fails_when_it_is_run_says_so(write):
    path = write("import no_such_package\ndef hill(p): ...", "hills.py")
    with pytest.raises(PluginError, match=r"hill' failed to load: ModuleNotFound.*, line 1\)"):
        shapes.load(f"{path}:hill")


def test_the_function_cannot_change_the_surroundings(write, tmp_path):
    path = write("import os\ndef hill(p):\n    os.chdir('/')\n    return p", "hills.py")
    before = os.getcwd()  # noqa: PTH109
    shapes.load(f"{path}:hill").shares(3)
    assert os.getcwd() == before  # noqa: PTH109


def test_neither_finding_nor_drawing_needs_keras(hill):
    code = (
        "import sys\n"
        "from onecycle_cli import registry, schedules\n"
        "from onecycle_cli.registry import shapes\n"
        f"assert schedules.learning_rates(3, 1., shape=shapes.load({hill!r})) == [0, .5, 0]\n"
        "sys.exit(', '.join({'keras', 'tensorflow'} & set(sys.modules)) or None)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_digests_of_its_files_change_with_them(hill, write):
    config = config_with(hill)
    before = registry.files(config)
    assert before.keys() == {"model_file", "model_helpers", "shape_file", "shape_helpers"}
    assert before["shape_helpers"].keys() == {"heights.py"}
    assert registry.changed_files(before, registry.files(config)) == {}

    write("TOP = 0.25", "mine/heights.py")
    assert registry.changed_files(before, registry.files(config)) == {
        "shape_helpers": "other versions of what the shape's file imports: heights.py"
    }
    write(f"{HILL}\n# changed", "mine/hills.py")
    assert registry.changed_files(before, registry.files(config)).keys() == {
        "shape_file",
        "shape_helpers",
    }


def test_a_shape_by_name_has_no_files():
    assert registry.files(config_with("smith")).keys() == {"model_file", "model_helpers"}
