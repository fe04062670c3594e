"""The modules beside a user's file, which it can import at any time, and nobody else sees.

Files of different folders may have neighbours of the same name. So their modules are in
`sys.modules` only while one of them is imported, and each import statement in the folder's files,
wherever and whenever it runs, looks there first.
"""

from __future__ import annotations

import builtins
import contextlib
import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from onecycle_cli.registry.code.local_imports import is_own

__all__ = ["Neighbours"]

_PRIVATE = "_onecycle_user_"  # how the names of users' modules begin


class Neighbours:
    """What the files of a folder have imported from it.

    Args:
        folder: the folder, absolute.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._modules: dict[str, ModuleType] = {}
        self._namesakes: set[str] = set()
        self._depth = 0
        self._finder = _Finder(folder, vars(builtins) | {"__import__": self._import})

    def load(self, file: Path) -> ModuleType:
        """Run a file of the folder afresh, as a module whose private name nobody else uses."""
        digest = hashlib.sha256(str(file).encode()).hexdigest()[:8]
        name = f"{_PRIVATE}{file.stem}_{digest}"
        importlib.invalidate_caches()  # files may have been written a moment ago
        self._namesakes = {m for m in list(sys.modules) if "." not in m and self._is_namesake(m)}
        loader = self._finder.loader(name, file)
        spec = importlib.util.spec_from_file_location(name, file, loader=loader)
        if spec is None or spec.loader is None:
            raise ImportError(f"{file} cannot be imported")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            with self.importable():
                spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        return module

    @contextlib.contextmanager
    def importable(self) -> Iterator[None]:
        """Let anybody import the folder's modules, until the end of the block."""
        if self._depth:
            yield
            return
        aside = self._modules.keys() | {
            name for name in sys.modules if name.partition(".")[0] in self._namesakes
        }
        hidden = {name: sys.modules.pop(name) for name in aside if name in sys.modules}
        before = set(sys.modules)
        sys.modules.update(self._modules)
        sys.meta_path.insert(0, self._finder)
        sys.path.insert(0, str(self._folder))
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            sys.meta_path.remove(self._finder)
            if str(self._folder) in sys.path:
                sys.path.remove(str(self._folder))
            self._take_out(before)
            sys.modules.update(hidden)

    def _take_out(self, before: set[str]) -> None:
        """Keep what was imported from the folder, save for what was there before, to oneself."""
        new = set(sys.modules) - before
        tops = {name for name in new if "." not in name and self._holds(sys.modules[name])}
        for name in new:
            if name.partition(".")[0] in tops:
                self._modules[name] = sys.modules.pop(name)

    def _holds(self, module: ModuleType) -> bool:
        """Tell whether a module is a file or a package directly in the folder."""
        if module.__name__.startswith(_PRIVATE):
            return False
        spec = getattr(module, "__spec__", None)
        if spec is not None and spec.submodule_search_locations is not None:
            places = map(Path, spec.submodule_search_locations)
            return any(place.parent == self._folder for place in places)
        file = getattr(module, "__file__", None)
        return file is not None and Path(file).parent == self._folder

    def _is_namesake(self, name: str) -> bool:
        """Tell whether a module that the program has is one of its own, of another folder."""
        file = getattr(sys.modules[name], "__file__", None)
        if file is None or not _has(self._folder, name):
            return False
        path = Path(file).resolve()
        return is_own(path) and self._folder not in path.parents

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,  # noqa: A002
        locals: Mapping[str, Any] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """Do what an import statement in one of the folder's files asks for."""
        if not level and not _has(self._folder, name.partition(".")[0]):
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        with self.importable():
            return builtins.__import__(name, globals, locals, fromlist or (), level)


class _Finder(MetaPathFinder):
    """Finds a folder's modules, and gives them builtins of their own."""

    def __init__(self, folder: Path, own_builtins: dict[str, Any]) -> None:
        self._folder, self._builtins = folder, own_builtins

    def loader(self, name: str, file: Path) -> SourceFileLoader:
        return _Loader(name, str(file), self._builtins)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module of the folder, or of a package in it."""
        places = [str(self._folder)] if path is None else list(path)
        if path is not None and not any(self._folder in Path(place).parents for place in places):
            return None
        spec = PathFinder.find_spec(name, places, target)
        if spec is None or spec.origin is None:  # a folder alone goes behind installed packages
            return None
        if isinstance(spec.loader, SourceFileLoader):
            spec.loader = self.loader(name, Path(spec.origin))
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, name: str, file: str, own_builtins: dict[str, Any]) -> None:
        super().__init__(name, file)
        self._builtins = own_builtins

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__builtins__"] = self._builtins
        super().exec_module(module)


def _has(folder: Path, name: str) -> bool:
    return PathFinder.find_spec(name, [str(folder)]) is not None
