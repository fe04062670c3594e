"""A model by name, or by `path/to/file.py:function`.

Names, options and mistakes are read from the source: nothing is executed and Keras is not imported
before `build`. A user's file runs only then, and only because a config names it.

A model's function takes the shape of one example and the number of outputs, then its options:

    def build(input_shape, num_classes, *, width: int = 64) -> keras.Model: ...

A function `adapt(model, images)` beside it, if there is one, then sets what the model takes from
the data, such as the scale of its inputs, once for each set of initial weights.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onecycle_cli.errors import ConfigError, ModelError
from onecycle_cli.registry.code import options as model_options
from onecycle_cli.registry.code.functions import Function, Wanted, described, digests, find, parse
from onecycle_cli.registry.code.options import Option
from onecycle_cli.registry.code.running import Runner
from onecycle_cli.registry.model_shapes import check_shapes, shapes_of

if TYPE_CHECKING:
    import keras

__all__ = ["Option", "build", "files", "model_names", "options", "problem"]

_LIBRARY = "onecycle_models"
_BUILDER = "build"
_ADAPTER = "adapt"
_SAVED = (".keras", ".h5", ".hdf5")
_MODEL = Wanted("model", ("the input shape", "the number of outputs"), takes_options=True)


def model_names() -> dict[str, str]:
    """Return each model that comes with the package and one line about it, sorted by name."""
    return {name: _summary(path) for name, path in _library().items()}


def options(name: str) -> dict[str, Option]:
    """Return the options of a model, in the order of its signature.

    Raises:
        ConfigError: there is no such model, file or function.
    """
    return _options(_found(name))


def problem(name: str, given: Mapping[str, object]) -> tuple[str, str] | None:
    """Return what is wrong with a model's name and options, or None if nothing is.

    Args:
        name: a model that comes with the package, or `path/to/file.py:function`.
        given: option name -> value.

    Returns:
        (key, message): the key in the config, such as "model.options.width", and one sentence
        with the rule, what was given and what to do. Ranges are left to the model's function.
    """
    try:
        function = _found(name)
    except ConfigError as refusal:
        return "model.name", str(refusal)
    return _wrong_option(function, given)


def files(name: str) -> tuple[str, dict[str, str]]:
    """Return a digest of the file that a model is built by, and of each of one's own it imports.

    Raises:
        ConfigError: there is no such model or file.
    """
    function = _found(name)
    digest, imported = digests(function.path)
    return digest, imported if function.is_users else {}


def build(
    name: str,
    given: Mapping[str, object],
    *,
    input_shape: Any,
    num_outputs: int,
    activation: str | None,
    examples: Callable[[], Any] | None = None,
    built: Callable[[keras.Model], None] | None = None,
    also: Collection[int] = (),
) -> keras.Model:
    """Build a model, check that it fits the data, and let it adapt to them.

    Args:
        name: a model that comes with the package, or `path/to/file.py:function`.
        given: option name -> value.
        input_shape: shape of one example, without the batch; None where any size must do.
        num_outputs: number of classes, or of target columns.
        activation: for the last layer, or None for the model's own; passed only to a function
            with a parameter of that name, and an `activation` in `given` goes first.
        examples: gives training inputs as the model will see them, an array of shape
            (n, *input_shape); called only if there is an `adapt` beside the model's function, or
            the model has no shapes before it is called, such as a subclassed one.
        built: called with the model before it adapts.
        also: other numbers of outputs that the model may have.

    Returns:
        A Keras model from (None, *input_shape) to (None, num_outputs); one that its function has
        compiled may answer with whatever its loss takes.

    Raises:
        ConfigError: `problem(name, given)` finds something.
        ModelError: the function or `adapt` fails, or a model does not fit.
    """
    try:
        function = _found(name)
    except ConfigError as refusal:
        raise ConfigError(f"model.name: {refusal}") from None
    if wrong := _wrong_option(function, given):
        raise ConfigError(f"{wrong[0]}: {wrong[1]}")
    arguments = dict(given)
    if activation is not None and "activation" in _options(function):
        arguments.setdefault("activation", activation)
    runner = Runner(function, ModelError, _LIBRARY)
    with runner.doing("build"):
        make = runner.load()
        result = make(input_shape, num_outputs, **arguments)
    model = _a_model(result, name)
    with runner.doing("answer"):
        taken, answered = shapes_of(model, input_shape, examples)
    allowed = () if model.compiled else (num_outputs, *also)
    check_shapes(name, taken, answered, input_shape, allowed)
    if built is not None:
        built(model)
    if examples is not None and _ADAPTER in function.neighbours:
        adapt, inputs = runner.beside(make, _ADAPTER), examples()
        with runner.doing("adapt"):
            adapt(model, inputs)
    return model


def _found(name: str) -> Function:
    if name.endswith(_SAVED):
        raise ConfigError(
            f"{name} is a saved model, which a function of yours has to load: write 'def "
            f"build(input_shape, num_outputs): return keras.models.load_model({name!r})' into "
            f"net.py, and set model: net.py:build"
        )
    return find(_MODEL, name, _library(), _BUILDER)


def _wrong_option(function: Function, given: Mapping[str, object]) -> tuple[str, str] | None:
    wrong = model_options.problem(function, _options(function), given)
    if wrong is None:
        return None
    option, message = wrong
    return f"model.options.{option}" if option else "model.options", message


def _options(function: Function) -> dict[str, Option]:
    return model_options.options_of(function, len(_MODEL.takes))


def _library() -> dict[str, Path]:
    """Return the name and the file of each model of the package, without importing it."""
    spec = importlib.util.find_spec(_LIBRARY)
    folders = (spec.submodule_search_locations if spec else None) or []
    paths = sorted(path for folder in folders for path in Path(folder).glob("*.py"))
    return {path.stem: path for path in paths if not path.stem.startswith("_")}


def _summary(path: Path) -> str:
    text = ast.get_docstring(parse(path)) or ""
    return text.partition("\n")[0]


def _a_model(result: Any, name: str) -> keras.Model:
    import keras

    if not isinstance(result, keras.Model):
        raise ModelError(
            f"model {name!r} must be a keras.Model; its function returned {described(result)}"
        )
    return result
