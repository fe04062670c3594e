"""The private names that the engine uses are all listed, are there, and are used nowhere else."""

import ast
import importlib
import re
from pathlib import Path

import keras
import pytest

from onecycle_cli.engine.private_names import GLOBAL_ATTRIBUTES, PRIVATE_NAMES

PACKAGE = Path(__file__).parents[2] / "onecycle_cli"

LISTED = {name for names in PRIVATE_NAMES.values() for name in names}
PRIVATE_PLACES = re.compile(r"keras\.src|tensorflow\.python")
PRIVATE = re.compile(r"_[a-z]\w*")

NOT_KERAS = {
    "_getframe",
    "_command",
    "_codecs",
    "_suggested",
    "_validation",
    "_exit",
    "_helpers",
    "_file",
    "_top",
}
"""What other rooms have of Python's own, of their own options, and in the text of pictures."""


@pytest.fixture(scope="module")
def engine():
    """The syntax tree of each of its files."""
    return {path: tree for path, tree in trees() if path.parts[0] == "engine"}


@pytest.fixture(scope="module")
def elsewhere():
    return {path: tree for path, tree in trees() if path.parts[0] != "engine"}


def trees():
    for path in PACKAGE.rglob("*.py"):
        yield path.relative_to(PACKAGE), ast.parse(path.read_text())


def keras_places(tree):
    """Yield what is imported from a private place, also by name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and PRIVATE_PLACES.match(node.module or ""):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (a.name for a in node.names if PRIVATE_PLACES.match(a.name))
        elif isinstance(node, ast.Constant) and PRIVATE_PLACES.match(str(node.value)):
            yield node.value
        elif isinstance(node, ast.Attribute) and PRIVATE_PLACES.fullmatch(ast.unparse(node)):
            yield ast.unparse(node)


def private_names(tree):
    """Yield every private name that is asked of something, also as a string."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and PRIVATE.fullmatch(node.attr):
            yield node.attr, ast.unparse(node.value) in ("self", "cls")
        elif isinstance(node, ast.Constant) and PRIVATE.fullmatch(str(node.value)):
            yield node.value, False


def own_names(trees):
    """Return the names that modules define: functions, classes, attributes and variables."""
    found = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found |= {node.attr} if ast.unparse(node.value) in ("self", "cls") else set()
    return found


def built():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def optimizer(name):
    made = getattr(keras.optimizers, name)()
    made.build(built().trainable_variables)
    return made


def context():
    keras.utils.set_random_seed(0)
    return importlib.import_module("tensorflow.python.eager.context").context()


def generator():
    return importlib.import_module("tensorflow").random.Generator.from_seed(0)


OWNERS = {
    "keras.Model": built,
    "keras.optimizers.Optimizer": lambda: optimizer("SGD"),
    "keras.optimizers.Adam": lambda: optimizer("Adam"),
    "keras.optimizers.Nadam": lambda: optimizer("Nadam"),
    "keras.optimizers.RMSprop": lambda: optimizer("RMSprop"),
    "keras.src.backend.tensorflow.optimizer": lambda: optimizer("SGD"),
    "tensorflow.python.eager.context.context": context,
    "tensorflow.random.Generator": generator,
    "torch.nn.Module": lambda: importlib.import_module("torch").nn.Module(),
}
"""What makes the objects that have the names; the other places are modules."""


def owner_of(place):
    return OWNERS[place]() if place in OWNERS else importlib.import_module(place)


OF_OTHER_BACKENDS = {
    "keras.src.backend.jax.distribution_lib",
    "keras.src.backend.jax.trainer",
    "keras.src.backend.torch.nn",
    "keras.src.backend.torch.optimizers",
}
"""Read, as they can be imported only beside PyTorch and JAX."""

PLACES = [
    pytest.param(
        place, marks=pytest.mark.torch if place.startswith("torch.") else pytest.mark.lowest
    )
    for place in sorted(set(PRIVATE_NAMES) - OF_OTHER_BACKENDS)
]


@pytest.mark.parametrize("place", PLACES)
def test_the_installed_versions_have_the_names(place):
    owner = owner_of(place)
    assert [name for name in PRIVATE_NAMES[place] if not hasattr(owner, name)] == []


@pytest.mark.lowest
@pytest.mark.parametrize("place", sorted(OF_OTHER_BACKENDS))
def test_what_is_of_another_backend_has_the_names(place):
    path = Path(keras.__file__).parents[1].joinpath(*place.split("."))
    files = path.glob("*.py") if path.is_dir() else [path.with_suffix(".py")]
    text = "".join(file.read_text() for file in files)
    assert [name for name in PRIVATE_NAMES[place] if f"def {name}(" not in text] == []


@pytest.mark.lowest
def test_keras_keeps_its_global_state_under_the_names():
    global_state = importlib.import_module("keras.src.backend.common.global_state")
    before = {name: global_state.get_global_attribute(name) for name in GLOBAL_ATTRIBUTES}
    seeds, names, safe_mode = GLOBAL_ATTRIBUTES
    try:
        keras.utils.set_random_seed(0)
        keras.random.uniform((1,))
        assert isinstance(global_state.get_global_attribute(seeds), keras.random.SeedGenerator)
        keras.layers.Dense(1)
        assert global_state.get_global_attribute(names)["dense"] > 0
        keras.config.enable_unsafe_deserialization()
        assert global_state.get_global_attribute(safe_mode) is False
    finally:
        for name, value in before.items():
            global_state.set_global_attribute(name, value)


def test_what_the_engine_uses_is_listed(engine):
    own = own_names(engine.values()) | {"_onecycle_instruments", "_enliven_"}
    used = {name for tree in engine.values() for name, _ in private_names(tree)}
    assert used - own - LISTED == set()


def test_the_private_places_that_the_engine_imports_are_listed(engine):
    modules = {place for tree in engine.values() for place in keras_places(tree)}
    unlisted = {
        name
        for name in modules
        if name not in PRIVATE_NAMES
        if not any(name == place.rpartition(".")[0] for place in PRIVATE_NAMES)
    }
    assert unlisted == set()


def test_what_is_listed_is_used(engine):
    text = "".join((PACKAGE / path).read_text() for path in engine if path.stem != "private_names")
    names = [*LISTED, *GLOBAL_ATTRIBUTES]
    assert [name for name in names if not re.search(rf"\b{name}\b", text)] == []


def test_no_other_room_imports_from_private_places(elsewhere):
    assert {str(path): list(keras_places(tree)) for path, tree in elsewhere.items()} == {
        str(path): [] for path in elsewhere
    }


def test_no_other_room_uses_private_names(elsewhere):
    """Neither those that are listed nor any that the package doesn't define itself."""
    own = own_names(elsewhere.values()) | NOT_KERAS | {"_onecycle_user_"}
    wrong = [
        f"{path}: {name}"
        for path, tree in elsewhere.items()
        for name, of_itself in private_names(tree)
        if name not in own or (name in LISTED and not of_itself)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("model._flatten_layers()", ["_flatten_layers"]),
        ("getattr(optimizer, '_momentums')", ["_momentums"]),
        ("from keras.src import backend", ["keras.src.backend"]),
        ("import tensorflow.python.eager", ["tensorflow.python.eager"]),
        (
            "import_module('tensorflow.python.framework.config')",
            ["tensorflow.python.framework.config"],
        ),
        ("keras.src.backend", ["keras.src"]),
        ("keras.backend, model.layers, x.__dict__", []),
    ],
)
def test_no_private_name_escapes(text, found):
    tree = ast.parse(text)
    assert [*(name for name, _ in private_names(tree)), *keras_places(tree)] == found
