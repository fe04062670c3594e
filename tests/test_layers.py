"""Imports point downwards, wherever they stand: at the top, in functions, for the type checker."""

import ast
import functools
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LAYERS = [
    {"__main__"},
    {"main"},
    {"commands"},
    {"doctor"},
    {"experiments"},
    {"training"},
    {"callbacks"},
    {"workbench"},
    {"data", "registry"},
    {"engine"},
    {"report"},
    {"plotting", "export", "cluster"},
    {"runs"},
    {"suggest", "config"},
    {"schedules", "kinds"},
    {"observer", "shown"},
    {"errors", "plugin_names", "throttle", "version"},
]
HEIGHT = {room: -depth for depth, rooms in enumerate(LAYERS) for room in rooms}

WHO_MAY_IMPORT = {
    "typer": {"main", "commands"},
    "rich": {"commands"},
    "matplotlib": {"plotting"},
    "altair": {"report"},
    "jinja2": {"report"},
    "vl_convert": {"report"},
    "keras": {"experiments", "training", "workbench", "callbacks", "engine", "data", "registry"},
    "tensorflow": {"engine", "data"},
    "jax": {"engine"},
    "torch": {"engine"},
    "pydantic": {"config"},
    "pydantic_core": {"config"},
    "filelock": {"runs"},
    "ray": {"cluster"},
    "fsspec": {"runs"},
    "tensorboard": {"runs"},
    "mlflow": {"runs"},
    "wandb": {"runs"},
    "yaml": {"config", "runs"},
    "numpy": {
        *("experiments", "training", "workbench", "callbacks", "engine", "data", "registry"),
        *("plotting", "report", "runs", "suggest"),
    },
    "PIL": {"data"},
    "polars": {"data"},
}


def room_of(path):
    first = path.relative_to(ROOT / "onecycle_cli").parts[0]
    return first.removesuffix(".py")


def imported(tree, package):
    """Yield (line, full name) of every import, also of those by `import_module` with a literal."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*parents, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "attr", getattr(node.func, "id", None))
            if name == "import_module" and isinstance(node.args[0], ast.Constant):
                yield node.lineno, node.args[0].value


@functools.cache
def our_imports():
    return list(imports_of(ROOT / "onecycle_cli", "onecycle_cli"))


def imports_of(folder, package):
    for path in sorted(folder.rglob("*.py")):
        inner = (package, *path.relative_to(folder).parent.parts)
        for line, name in imported(ast.parse(path.read_text()), inner):
            yield path, f"{path.relative_to(ROOT)}, line {line}: {name}", name.split(".")


ROOMS = sorted({room_of(path) for path in (ROOT / "onecycle_cli").rglob("*.py")} - {"__init__"})


def test_every_room_has_a_layer():
    assert sorted(HEIGHT) == ROOMS


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_from_below_only(room):
    wrong = [
        where
        for path, where, (top, *inner) in our_imports()
        if room_of(path) == room and top == "onecycle_cli" and inner[0] != room
        if inner[0] not in HEIGHT or HEIGHT[inner[0]] >= HEIGHT[room]
    ]
    assert wrong == []


@pytest.mark.parametrize("library", sorted(WHO_MAY_IMPORT))
def test_a_library_stays_in_its_rooms(library):
    wrong = [
        where
        for path, where, (top, *_) in our_imports()
        if top == library and room_of(path) not in WHO_MAY_IMPORT[library]
    ]
    assert wrong == []


def test_no_other_library_is_needed():
    known = {*WHO_MAY_IMPORT, *sys.stdlib_module_names, "onecycle_cli", "onecycle_models"}
    assert [where for _, where, (top, *_) in our_imports() if top not in known] == []


def test_importing_the_package_imports_its_version_only():
    tree = ast.parse((ROOT / "onecycle_cli" / "__init__.py").read_text())
    at_once = ast.Module([node for node in tree.body if not isinstance(node, ast.If)], [])
    ours = [name for _, name in imported(at_once, ("onecycle_cli",)) if "onecycle" in name]
    assert ours == ["onecycle_cli.version.__version__"]


def test_models_know_keras_only():
    """And they reach each other by relative imports, so that a file can be taken along."""
    known = {"keras", "onecycle_models", *sys.stdlib_module_names}
    models = ROOT / "models"
    wrong = [
        where for _, where, name in imports_of(models, "onecycle_models") if name[0] not in known
    ]
    assert wrong == []
    for path in models.glob("*.py"):
        tree = ast.parse(path.read_text())
        absolute = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and not n.level]
        assert not [n.module for n in absolute if n.module.startswith("onecycle_models")]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("import a.b, c", ["a.b", "c"]),
        ("from a import b, c", ["a.b", "a.c"]),
        ("def f():\n    from a import b", ["a.b"]),
        ("if TYPE_CHECKING:\n    import a", ["a"]),
        ("from . import b", ["top.inner.b"]),
        ("from ..a import b", ["top.a.b"]),
        ("importlib.import_module('a.b')", ["a.b"]),
        ("import_module('a', x)", ["a"]),
        ("import_module(name)", []),
    ],
)
def test_no_import_escapes(text, names):
    assert [name for _, name in imported(ast.parse(text), ("top", "inner"))] == names


def test_no_room_is_crowded_and_no_file_long():
    """What outgrows these numbers holds a second idea."""
    package = ROOT / "onecycle_cli"
    files = list(package.rglob("*.py"))
    rooms = {path.parent for path in files}
    crowded = [str(room) for room in rooms if len(list(room.glob("*.py"))) > 12]
    long = [str(path) for path in files if len(path.read_text().splitlines()) > 350]
    assert (crowded, long) == ([], [])
