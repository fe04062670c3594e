"""A model by name, or by `path/to/file.py:function`.

Names, options and mistakes are read from the source with `ast`: nothing is executed and Keras is
not imported before `build`. A user's file runs only then, and only because a config names it.

A model's function takes the shape of one example and the number of outputs, then its options:

    def build(input_shape, num_classes, *, width: int = 64) -> keras.Model: ...

A function `adapt(model, images)` beside it, if there is one, then sets what the model takes from
the data, such as the scale of its inputs, once for each set of initial weights.
"""

from __future__ import annotations

import ast
import contextlib
import difflib
import hashlib
import importlib
import importlib.util
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onecycle_cli.errors import ConfigError, ModelError, cause_of
from onecycle_cli.registry.containment import contained
from onecycle_cli.registry.local_imports import local_imports
from onecycle_cli.registry.neighbours import Neighbours

if TYPE_CHECKING:
    import keras

    from onecycle_cli.config import Config

__all__ = [
    "Option",
    "build",
    "check",
    "fingerprint",
    "helpers",
    "model_names",
    "options",
    "problem",
]

_LIBRARY = "onecycle_models"
_BUILDER = "build"
_ADAPTER = "adapt"
_FEW, _ANY_SIZE = 2, 32
_SIMPLE_TYPES = {"bool": bool, "int": int, "float": float, "str": str, "None": type(None)}


@dataclass(frozen=True)
class Option:
    """One option of a model, as its function's signature states it.

    Attributes:
        name: what a config writes under `model.options`.
        annotation: the type as written in the source, or None if there is none.
        default: the default value; if that is no literal, its source text.
        required: whether the option has no default.
    """

    name: str
    annotation: str | None = None
    default: object = None
    required: bool = False


def model_names() -> dict[str, str]:
    """Return each model that comes with the package and one line about it, sorted by name."""
    return {name: _summary(path) for name, path in _library().items()}


def options(name: str) -> dict[str, Option]:
    """Return the options of a model, in the order of its signature.

    Raises:
        ConfigError: there is no such model, file or function.
    """
    return _read_signature(name).options


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
        signature = _read_signature(name)
    except ConfigError as refusal:
        return "model.name", str(refusal)
    for option, value in given.items():
        message = _option_problem(signature, str(option), value)
        if message:
            return f"model.options.{option}", message
    missing = [o.name for o in signature.options.values() if o.required and o.name not in given]
    if missing:
        return "model.options", f"model {name!r} needs a value for {_listed(missing)}"
    return None


def check(config: Config) -> None:
    """Raise unless the configured model exists and has the options that are asked for.

    Raises:
        ConfigError: with the place in the file, and without having imported Keras.
    """
    found = problem(config.model.name, config.model.options)
    if found:
        key, message = found
        raise config.error(key, f"{key}: {message.rstrip('.')}.")


def fingerprint(name: str) -> str:
    """Return a digest of the file that a model is built by.

    Raises:
        ConfigError: there is no such model or file.
    """
    path, _ = _locate(name)
    return _digest(path)


def helpers(name: str) -> dict[str, str]:
    """Return a digest of each file of one's own that a model's file imports.

    Returns:
        Path from the folder of the model's file -> digest; empty for a model of the package.

    Raises:
        ConfigError: there is no such model.
    """
    path, _ = _locate(name)
    if name in _library():
        return {}
    folder = path.resolve().parent
    return {
        Path(os.path.relpath(file, folder)).as_posix(): _digest(file)
        for file in local_imports(path)
    }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def build(
    name: str,
    given: Mapping[str, object],
    *,
    input_shape: tuple[int | None, ...],
    num_outputs: int,
    activation: str | None,
    examples: Callable[[], Any] | None = None,
    built: Callable[[keras.Model], None] | None = None,
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

    Returns:
        A Keras model from (None, *input_shape) to (None, num_outputs).

    Raises:
        ConfigError: `problem(name, given)` finds something.
        ModelError: the function or `adapt` fails, or a model does not fit.
    """
    found = problem(name, given)
    if found:
        raise ConfigError(f"{found[0]}: {found[1]}")
    signature = _read_signature(name)
    arguments = dict(given)
    if activation is not None and "activation" in signature.options:
        arguments.setdefault("activation", activation)
    neighbours = Neighbours(signature.path.resolve().parent)
    with _failing_as_model_error(signature, "build"), _theirs(signature, neighbours):
        function = _import_function(signature, neighbours)
        result = function(input_shape, num_outputs, **arguments)
    model = _a_model(result, name)
    with _failing_as_model_error(signature, "answer"), _theirs(signature, neighbours):
        taken, answered = _shapes(model, input_shape, examples)
    _check_shapes(name, taken, answered, input_shape, num_outputs)
    if built is not None:
        built(model)
    if examples is not None:
        _adapt(signature, neighbours, function, model, examples)
    return model


# Reading the source


@dataclass(frozen=True)
class _Signature:
    """A model's function as its source states it."""

    model: str
    path: Path
    function: str
    options: dict[str, Option]
    takes_any: bool
    is_users: bool


def _library() -> dict[str, Path]:
    """Return the name and the file of each model of the package, without importing it."""
    spec = importlib.util.find_spec(_LIBRARY)
    folders = (spec.submodule_search_locations if spec else None) or []
    files = sorted(path for folder in folders for path in Path(folder).glob("*.py"))
    return {path.stem: path for path in files if not path.stem.startswith("_")}


def _summary(path: Path) -> str:
    text = ast.get_docstring(_parse(path)) or ""
    return text.partition("\n")[0]


def _parse(path: Path) -> ast.Module:
    """Parse a file; what Python would warn of is left to when the file runs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(path.read_bytes(), filename=str(path))


def _read_signature(name: str) -> _Signature:
    """Find a model's function; a ConfigError says what is wrong with the name."""
    path, function = _locate(name)
    functions = _functions(path)
    if function not in functions:
        raise ConfigError(_no_function(path, function, functions))
    parameters = functions[function].args
    positional = [*parameters.posonlyargs, *parameters.args]
    if len(positional) < 2 and parameters.vararg is None:
        raise ConfigError(
            f"{function}() in {path} must take the input shape and the number of outputs "
            f"as its first two parameters; it takes ({ast.unparse(parameters)})"
        )
    return _Signature(
        model=name,
        path=path,
        function=function,
        options={option.name: option for option in _read_options(parameters)},
        takes_any=parameters.kwarg is not None,
        is_users=name not in _library(),
    )


def _locate(name: str) -> tuple[Path, str]:
    library = _library()
    if name in library:
        return library[name], _BUILDER
    if name.endswith(".py"):
        return Path(name), ""
    file, _, function = name.rpartition(":")
    if file.endswith(".py"):
        return Path(file), function
    raise ConfigError(
        f"there is no model {name!r}{_did_you_mean(name, library)}; "
        f"known are {_listed(library)}, and your own as path/to/file.py:function"
    )


def _functions(path: Path) -> dict[str, ast.FunctionDef]:
    """Return the functions at the top level of a file, by name."""
    try:
        tree = _parse(path)
    except FileNotFoundError:
        raise ConfigError(f"there is no file {path}") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except SyntaxError as error:
        raise ConfigError(f"{path} is not valid Python: line {error.lineno}: {error.msg}") from None
    except ValueError as error:
        raise ConfigError(f"{path} is not valid Python: {error}") from None
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def _no_function(path: Path, wanted: str, functions: Iterable[str]) -> str:
    public = [name for name in functions if not name.startswith("_")]
    fault = f"has no function {wanted!r}{_did_you_mean(wanted, public)}"
    if not wanted:
        fault = f"needs the name of a function, as in {path}:function"
    there = f"it has {_listed(public)}" if public else "it has no function at its top level"
    return f"{path} {fault}; {there}"


def _read_options(parameters: ast.arguments) -> Iterator[Option]:
    """Yield every parameter after the first two that can be passed by name."""
    positional = [*parameters.posonlyargs, *parameters.args]
    undefaulted = len(positional) - len(parameters.defaults)
    defaults: list[ast.expr | None] = [None] * undefaulted + list(parameters.defaults)
    by_place = list(zip(positional, defaults, strict=True))
    first = max(2, len(parameters.posonlyargs))
    by_name = zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True)
    for parameter, default in [*by_place[first:], *by_name]:
        yield _read_option(parameter, default)


def _read_option(parameter: ast.arg, default: ast.expr | None) -> Option:
    annotation = ast.unparse(parameter.annotation).strip("'\"") if parameter.annotation else None
    if default is None:
        return Option(parameter.arg, annotation, required=True)
    try:
        return Option(parameter.arg, annotation, ast.literal_eval(default))
    except (TypeError, ValueError):
        return Option(parameter.arg, annotation, ast.unparse(default))


# Checking what a config gives


def _option_problem(signature: _Signature, name: str, value: object) -> str | None:
    option = signature.options.get(name)
    if option is not None:
        return _type_problem(signature, option, value)
    if signature.takes_any:
        return None
    known = signature.options
    return f"model {signature.model!r} has no option {name!r}{_did_you_mean(name, known)}; " + (
        f"it has {_listed(known)}" if known else "it has no options"
    )


def _type_problem(signature: _Signature, option: Option, value: object) -> str | None:
    wanted = _accepted_types(option)
    if wanted is None or _is_one_of(value, wanted):
        return None
    return (
        f"option {option.name!r} of model {signature.model!r} must be of type {option.annotation}; "
        f"got {value!r} ({type(value).__name__})"
    )


def _accepted_types(option: Option) -> tuple[type, ...] | None:
    """Return what an annotation such as `int | None` allows, or None where it cannot be told."""
    if option.annotation is None:
        return None
    names = [part.strip() for part in option.annotation.split("|")]
    if not set(names) <= set(_SIMPLE_TYPES):
        return None
    types = [_SIMPLE_TYPES[name] for name in names]
    if option.default is None and not option.required:
        types.append(type(None))
    return tuple(types)


def _is_one_of(value: object, types: tuple[type, ...]) -> bool:
    """Compare types as YAML means them: an int may stand for a float, a bool for nothing else."""
    if isinstance(value, bool):
        return bool in types
    return isinstance(value, types) or (isinstance(value, int) and float in types)


def _did_you_mean(given: str, known: Iterable[str]) -> str:
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(given.casefold(), folded, n=1)
    return f" (did you mean {folded[near[0]]!r}?)" if near else ""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)


# Building


def _adapt(
    signature: _Signature,
    neighbours: Neighbours,
    function: Callable[..., object],
    model: keras.Model,
    examples: Callable[[], Any],
) -> None:
    """Call the `adapt` of the file that the model's function is in, if it has one."""
    if _ADAPTER not in _functions(signature.path):
        return
    adapter: Callable[..., object] = getattr(sys.modules[function.__module__], _ADAPTER)
    inputs = examples()
    with _failing_as_model_error(signature, "adapt"), _theirs(signature, neighbours):
        adapter(model, inputs)


@contextlib.contextmanager
def _failing_as_model_error(signature: _Signature, doing: str) -> Iterator[None]:
    """Turn whatever a user's code raises into a ModelError."""
    try:
        with contained():
            yield
    except (KeyboardInterrupt, ModelError):
        raise
    except BaseException as error:  # GeneratorExit and a user's own ones too
        raise ModelError(
            f"model {signature.model!r} failed to {doing}: {cause_of(error)}"
            f"{_place(error, signature)}"
        ) from error


def _import_function(signature: _Signature, neighbours: Neighbours) -> Callable[..., object]:
    if signature.is_users:
        module = neighbours.load(signature.path.resolve())
    else:
        module = importlib.import_module(f"{_LIBRARY}.{signature.path.stem}")
    function: Callable[..., object] = getattr(module, signature.function)
    return function


def _theirs(
    signature: _Signature, neighbours: Neighbours
) -> contextlib.AbstractContextManager[None]:
    """Let a user's code import its neighbours by whatever means; ours needs none."""
    return neighbours.importable() if signature.is_users else contextlib.nullcontext()


def _place(error: BaseException, signature: _Signature) -> str:
    """Say which line of the user's own file led to an error; nothing for a model of ours."""
    if not signature.is_users:
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    path = signature.path.resolve()
    lines = [frame.lineno for frame in frames if Path(frame.filename) == path]
    return f" ({signature.path}, line {lines[-1]})" if lines else f" ({signature.path})"


def _a_model(result: Any, name: str) -> keras.Model:
    import keras

    if not isinstance(result, keras.Model):
        raise ModelError(
            f"model {name!r} must be a keras.Model; its function returned {_described(result)}"
        )
    return result


def _check_shapes(
    name: str,
    taken: Any,
    answered: Any,
    input_shape: tuple[int | None, ...],
    num_outputs: int,
) -> None:
    """Make sure that a model takes the data and answers with the right shape."""
    if not _takes(taken, input_shape):
        raise ModelError(
            f"model {name!r} must take inputs of shape {(None, *input_shape)}; it takes {taken}"
        )
    if answered != (None, num_outputs):
        raise ModelError(
            f"model {name!r} must have outputs of shape {(None, num_outputs)}; it has {answered}"
        )


def _described(result: object) -> str:
    return "nothing" if result is None else f"an object of type {type(result).__name__}"


def _shapes(
    model: keras.Model, input_shape: tuple[int | None, ...], examples: Callable[[], Any] | None
) -> tuple[Any, Any]:
    """Return the shapes of what a model takes and answers; one that has none yet is called."""
    import keras

    if isinstance(model, keras.Sequential) and not model.built:
        model.build((None, *input_shape))
    taken, answered = _shape(model, "input_shape"), _shape(model, "output_shape")
    if taken is not None and answered is not None:
        return taken, answered
    outputs = model(_a_few(input_shape, examples))
    return (None, *input_shape), keras.tree.map_structure(_for_any_batch, outputs)


def _a_few(input_shape: tuple[int | None, ...], examples: Callable[[], Any] | None) -> Any:
    import numpy as np

    if examples is not None:
        return examples()[:_FEW]
    return np.zeros((_FEW, *(size or _ANY_SIZE for size in input_shape)), np.float32)


def _for_any_batch(output: Any) -> tuple[int | None, ...]:
    shape = tuple(output.shape)
    return (None, *shape[1:]) if shape[:1] == (_FEW,) else shape


def _shape(model: keras.Model, name: str) -> Any:
    """Return a model's input or output shape, or None while it has none."""
    try:
        return getattr(model, name) if model.built else None
    except (AttributeError, ValueError):
        return None


def _takes(shape: Any, input_shape: tuple[int | None, ...]) -> bool:
    """Tell whether batches of any size of such examples fit a model's input shape."""
    if not isinstance(shape, tuple) or len(shape) != len(input_shape) + 1:
        return False
    pairs = zip(shape, (None, *input_shape), strict=True)
    return all(own is None or own == size for own, size in pairs)
