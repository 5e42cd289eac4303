"""Loads plug-ins and keeps what they declare: the entities by name, each with the plug-in it comes from.

A Registry that exists is whole: every plug-in was loaded, every declaration checked, every parent found. What is wrong
is refused here, by the names of plug-in and entity and with what to change, so that a reload can keep the old set.

Why files are not imported the usual way: a reload must see the new content, and Python's bytecode cache takes a file
saved twice within a second at one size for unchanged. Packages found by entry point change with a restart only.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import itertools
import stat
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from importlib.machinery import ModuleSpec
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pluggy

import p21d.plugin
from p21d.declaration import find_faults
from p21d.errors import ConfigError
from p21d.plugin import Entity

_HOOK_HINT = "define `@hookimpl def p21d_entities():` that returns a list of entities"
_numbers = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Registry:
    """The entities of all plug-ins; `origin` maps a name to the plug-in's file, or its package and version."""

    entities: Mapping[str, Entity[Any]]
    origin: Mapping[str, str]
    modules: tuple[str, ...] = ()

    def forget(self) -> None:
        """Drop the plug-in files from memory; call it when no batch runs on this set any more."""
        _forget(self.modules)


def builtin_dir() -> Path:
    """Return the folder of the built-in entities: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).parent
    inside = package / "builtin_plugins"
    return inside if inside.is_dir() else package.parent / "plugins"


def load_entities(plugin_dirs: Iterable[Path] = ()) -> Registry:
    """Load entry points, the built-in entities and the files of each folder, in that order, and check them all.

    Files whose name starts with `_`, `.` or `test_` are no plug-ins. Raises ConfigError.
    """
    plugins = pluggy.PluginManager("p21d")
    plugins.add_hookspecs(p21d.plugin)
    modules: list[str] = []
    with ExitStack() as undo:
        undo.callback(_forget, modules)
        declared = [
            (origin, entity)
            for origin, plugin in _load_plugins(plugin_dirs, modules)
            for entity in _collect(plugins, origin, plugin)
        ]
        registry = _build_registry(declared, modules)
        undo.pop_all()
    return registry


def _load_plugins(plugin_dirs: Iterable[Path], modules: list[str]) -> Iterator[tuple[str, object]]:
    for point in sorted(entry_points(group="p21d"), key=lambda point: point.name):
        origin = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
        with _blaming(origin, "cannot be imported"):
            plugin = point.load()
        yield origin, plugin
    for path in _plugin_files(builtin_dir()):
        yield str(path), _load_file(path, modules)
    for folder in plugin_dirs:
        # The built-in folder is as safe as the package beside it; a folder of the configuration may be anyone's.
        _refuse_writable_by_others(folder)
        for path in _plugin_files(folder):
            _refuse_writable_by_others(path)
            yield str(path), _load_file(path, modules)


def _plugin_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.py") if not path.name.startswith(("_", ".", "test_")))


def _refuse_writable_by_others(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise _refusal(str(path), "", f"cannot be read: {error.strerror}", "correct plugin_dirs") from error
    if mode & stat.S_IWOTH:
        raise _refusal(str(path), "", "anyone may write it, and p21d would run what they write", f"chmod o-w {path}")


class _UncachedFile(importlib.abc.ExecutionLoader):
    """Compiles a file from its present text, never from bytecode."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get_filename(self, _fullname: str) -> str:
        return str(self._path)

    def get_source(self, _fullname: str) -> str:
        return importlib.util.decode_source(self._path.read_bytes())


def _load_file(path: Path, modules: list[str]) -> object:
    name = f"p21d_plugin_{next(_numbers)}_{path.stem}"
    loader = _UncachedFile(path)
    module = importlib.util.module_from_spec(ModuleSpec(name, loader, origin=str(path)))
    module.__file__ = str(path)
    sys.modules[name] = module  # before it runs: msgspec resolves postponed annotations through sys.modules
    modules.append(name)
    with _blaming(str(path), "cannot be imported", str(path)):
        loader.exec_module(module)
    return module


def _forget(modules: Iterable[str]) -> None:
    for name in modules:
        sys.modules.pop(name, None)


def _collect(plugins: pluggy.PluginManager, origin: str, plugin: object) -> list[Entity[Any]]:
    """Call one plug-in's hook; called together, one that raises would lose the answers of all, and its own name."""
    try:
        plugins.register(plugin, name=origin)
    except (pluggy.PluginValidationError, ValueError) as error:
        raise _refusal(origin, "", f"cannot be registered: {error}", _HOOK_HINT) from error
    hooks = [hook for hook in plugins.hook.p21d_entities.get_hookimpls() if hook.plugin is plugin]
    if not hooks:
        raise _refusal(origin, "", "has no p21d_entities hook", _HOOK_HINT)
    with _blaming(origin, "its p21d_entities hook fails", getattr(plugin, "__file__", "")):
        answer: Any = hooks[0].function()
        entities: list[Any] = list(answer)
    strangers = [type(entity).__name__ for entity in entities if not isinstance(entity, Entity)]
    if strangers or not entities:
        message = f"its p21d_entities hook returns {strangers[0] if strangers else 'nothing'} where an Entity belongs"
        raise _refusal(origin, "", message, _HOOK_HINT)
    for entity in entities:
        with _blaming(origin, f"entity {entity.name}: its declaration cannot be read"):
            fault = next(find_faults(entity), None)
        if fault:
            raise _refusal(origin, entity.name, *fault)
    return entities


def _build_registry(declared: list[tuple[str, Entity[Any]]], modules: Iterable[str]) -> Registry:
    entities: dict[str, Entity[Any]] = {}
    origins: dict[str, str] = {}
    for origin, entity in declared:
        if entity.name in entities:
            message = f"{origins[entity.name]} has an entity of this name already"
            raise _refusal(origin, entity.name, message, "rename one of the two, or remove a plug-in")
        entities[entity.name], origins[entity.name] = entity, origin
    for name, entity in entities.items():
        unknown = [parent for parent in entity.parent_entities if parent not in entities]
        if unknown:
            hint = f"parent_entities may name {', '.join(sorted(entities))}"
            raise _refusal(origins[name], name, f"its parent entity {unknown[0]} does not exist", hint)
    _refuse_cycle(entities, origins)
    return Registry(entities=entities, origin=origins, modules=tuple(modules))


def _refuse_cycle(entities: Mapping[str, Entity[Any]], origins: Mapping[str, str]) -> None:
    required = {name: set(entity.parent_entities) - set(entity.optional_parents) for name, entity in entities.items()}
    try:
        TopologicalSorter(required).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        message = f"required parents form a cycle: {' -> '.join(cycle)}; none of them could ever be first"
        hint = "drop one from parent_entities, or name it in optional_parents too"
        raise _refusal(origins[cycle[0]], cycle[0], message, hint) from error


@contextmanager
def _blaming(origin: str, what: str, file: str = "") -> Iterator[None]:
    try:
        yield
    except (Exception, SystemExit) as error:  # a plug-in may raise anything, and must not end the daemon by exit()
        message = f"{what}: {type(error).__name__}: {error}{_failing_line(error, file)}"
        raise _refusal(origin, "", message, "correct the plug-in or remove it") from error


def _failing_line(error: BaseException, file: str) -> str:
    if isinstance(error, SyntaxError) and error.filename == file:
        return f", line {error.lineno}: {(error.text or '').strip()}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f", line {frames[-1].lineno}: {frames[-1].line}" if frames else ""


def _refusal(origin: str, entity: str, message: str, hint: str) -> ConfigError:
    path = f"plug-in {origin}, entity {entity}" if entity else f"plug-in {origin}"
    return ConfigError(message, path=path, hint=hint)
