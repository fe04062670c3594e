"""The files of one's own that a Python file imports, read from the sources; nothing is executed.

Own are those beside the file, and those in a folder of the search path that holds neither Python's
library nor installed packages.
"""

from __future__ import annotations

import ast
import functools
import sys
import sysconfig
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["is_own", "local_imports"]

_INSTALLED = ("site-packages", "dist-packages")
_OURS = ("onecycle_cli", "onecycle_models")
_IMPORTERS = ("import_module", "__import__")


def local_imports(path: Path) -> list[Path]:
    """Return the files that a file imports, directly or through one another, without itself.

    Imports within functions count too, and `import_module` of a name that is written out.
    """
    start = path.resolve()
    roots = [start.parent, *_own_folders()]
    found, waiting = {start}, [start]
    while waiting:
        new = set(_imported_by(waiting.pop(), roots)) - found
        found |= new
        waiting += sorted(new)
    return sorted(found - {start})


def is_own(path: Path) -> bool:
    """Tell whether a resolved path is neither in Python's library nor in an installed package."""
    return not set(_INSTALLED) & set(path.parts) and not _library() & {path, *path.parents}


@functools.cache
def _library() -> frozenset[Path]:
    """Return the folders of Python's own library."""
    return frozenset(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib"))


def _own_folders() -> list[Path]:
    """Return the folders of the search path that Python and installed packages are not in."""
    folders = [Path(entry).resolve() for entry in sys.path]
    return [folder for folder in folders if folder.is_dir() and is_own(folder)]


def _imported_by(path: Path, roots: Sequence[Path]) -> Iterator[Path]:
    for level, name in _names_in(path):
        parts = [part for part in name.split(".") if part]
        if level:
            yield from _files_of(path.parents[level - 1], parts)
        elif parts and parts[0] not in _OURS:
            root = next((r for r in roots if _has(r, parts[0])), None)
            if root is not None:
                yield from _files_of(root, parts)


def _names_in(path: Path) -> Iterator[tuple[int, str]]:
    """Yield what a file imports: how many folders up, and the dotted name."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield from ((node.level, f"{module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node) in _IMPORTERS and node.args:
            match node.args[0]:
                case ast.Constant(value=str(name)):
                    yield 0, name


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def _has(folder: Path, name: str) -> bool:
    return (folder / f"{name}.py").is_file() or (folder / name).is_dir()


def _files_of(folder: Path, parts: Sequence[str]) -> Iterator[Path]:
    """Yield the files that are run when a dotted name is imported from a folder."""
    if (folder / "__init__.py").is_file() and not parts:
        yield folder / "__init__.py"
    for part in parts:
        package, module = folder / part, folder / f"{part}.py"
        if (package / "__init__.py").is_file():
            yield package / "__init__.py"
        elif module.is_file():
            yield module
            return
        folder = package
