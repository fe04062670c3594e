"""A function that a config names, found and read with `ast`: nothing of its file is executed."""

from __future__ import annotations

import ast
import hashlib
import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from onecycle_cli.errors import ConfigError, did_you_mean
from onecycle_cli.plugin_names import OWN, file_and_function, names_a_file
from onecycle_cli.registry.code.local_imports import local_imports

__all__ = ["Function", "Wanted", "described", "digests", "find", "listed", "parse"]


@dataclass(frozen=True)
class Wanted:
    """What a function is wanted for.

    Attributes:
        what: what it is, in words: a model, a shape.
        takes: what its first parameters are given, in words.
        takes_options: whether it may need more than these.
    """

    what: str
    takes: tuple[str, ...]
    takes_options: bool = False


@dataclass(frozen=True)
class Function:
    """A function as its source states it.

    Attributes:
        what: what it is, in words.
        name: how a config names it.
        path: its file.
        function: its name in there.
        parameters: what it takes.
        neighbours: the functions at the top level of its file.
        is_users: whether it is one's own, and not the package's.
    """

    what: str
    name: str
    path: Path
    function: str
    parameters: ast.arguments
    neighbours: frozenset[str]
    is_users: bool


def find(
    wanted: Wanted, name: str, library: Mapping[str, Path] | None = None, function: str = ""
) -> Function:
    """Find a function by `path/to/file.py:function`, or by a name of the package.

    Args:
        wanted: what it is for.
        name: as a config has it.
        library: the files of the package by name.
        function: the function that is meant in those.

    Raises:
        ConfigError: there is no such name, file or function, or it takes something else.
    """
    path, function = _locate(wanted, name, library or {}, function)
    functions = _functions(path)
    if function not in functions:
        raise ConfigError(_no_function(path, function, functions))
    parameters = functions[function].args
    _check_parameters(wanted, path, function, parameters)
    return Function(
        what=wanted.what,
        name=name,
        path=path,
        function=function,
        parameters=parameters,
        neighbours=frozenset(functions),
        is_users=name not in (library or {}),
    )


def digests(path: Path) -> tuple[str, dict[str, str]]:
    """Return a digest of a file, and one of each file of one's own that it imports.

    Those are by their path from the folder of the file.

    Raises:
        ConfigError: it can't be read.
    """
    folder = path.resolve().parent
    imported = {
        Path(os.path.relpath(file, folder)).as_posix(): _digest(file)
        for file in local_imports(path)
    }
    return _digest(path), imported


def parse(path: Path) -> ast.Module:
    """Parse a file; what Python would warn of is left to when the file runs.

    Raises:
        ConfigError: it can't be read, or is not valid Python.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(_read(path), filename=str(path))
    except SyntaxError as error:
        raise ConfigError(f"{path} is not valid Python: line {error.lineno}: {error.msg}") from None
    except ValueError as error:
        raise ConfigError(f"{path} is not valid Python: {error}") from None


def described(result: object) -> str:
    """Return what a function has returned, for an error."""
    return "nothing" if result is None else f"an object of type {type(result).__name__}"


def listed(names: Iterable[str]) -> str:
    """Return names in quotes, with commas."""
    return ", ".join(repr(name) for name in names)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"there is no file {path}") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None


def _digest(path: Path) -> str:
    return hashlib.sha256(_read(path)).hexdigest()[:16]


def _locate(
    wanted: Wanted, name: str, library: Mapping[str, Path], function: str
) -> tuple[Path, str]:
    if name in library:
        return library[name], function
    if names_a_file(name):
        file, function = file_and_function(name)
        if file.endswith(".py"):
            return Path(file), function
    known = did_you_mean(name, [*library, OWN])
    raise ConfigError(f"there is no {wanted.what} {name!r}{known}")


def _functions(path: Path) -> dict[str, ast.FunctionDef]:
    """Return the functions at the top level of a file, by name."""
    return {node.name: node for node in parse(path).body if isinstance(node, ast.FunctionDef)}


def _no_function(path: Path, wanted: str, functions: Iterable[str]) -> str:
    public = [name for name in functions if not name.startswith("_")]
    if not wanted:
        there = f"it has {listed(public)}" if public else "it has no function at its top level"
        return f"{path} needs the name of a function, as in {path}:function; {there}"
    if not public:
        return f"{path} has no function {wanted!r}; it has no function at its top level"
    return f"{path} has no function {wanted!r}{did_you_mean(wanted, public)}"


def _check_parameters(wanted: Wanted, path: Path, function: str, parameters: ast.arguments) -> None:
    """Refuse a function that can't be called with what it will be given."""
    positional = [*parameters.posonlyargs, *parameters.args]
    needed = len(positional) - len(parameters.defaults)
    count = len(wanted.takes)
    takes_too_few = len(positional) < count and parameters.vararg is None
    needs_more = needed > count or None in parameters.kw_defaults
    if takes_too_few or (needs_more and not wanted.takes_options):
        taken = f"it takes ({ast.unparse(parameters)})"
        raise ConfigError(f"{function}() in {path} must take {_in_words(wanted)}; {taken}")


def _in_words(wanted: Wanted) -> str:
    if not wanted.takes:
        return "no arguments"
    alone = "" if wanted.takes_options else ", and need no more"
    first = {1: "first parameter", 2: "first two parameters"}[len(wanted.takes)]
    return f"{' and '.join(wanted.takes)} as its {first}{alone}"
