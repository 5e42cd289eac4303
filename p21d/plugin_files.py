"""Loads plug-ins: packages by entry point, files by their path, each with the name of where it comes from.

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
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from importlib.metadata import entry_points
from pathlib import Path

from p21d.errors import ConfigError

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A loaded plug-in; `origin` is its file, or its package and version."""

    origin: str
    content: object
    builtin: bool = False


def load_plugins(builtin_dir: Path, plugin_dirs: Iterable[Path], modules: list[str]) -> Iterator[Plugin]:
    """Yield entry points, the built-in files and those of each folder, in that order; raises ConfigError.

    The names under which files stand in memory are added to `modules`.
    """
    for point in sorted(entry_points(group="p21d"), key=lambda point: point.name):
        origin = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
        with blaming(origin, "cannot be imported"):
            plugin = point.load()
        yield Plugin(origin=origin, content=plugin)
    for path in _plugin_files(builtin_dir):
        yield Plugin(origin=str(path), content=_load_file(path, modules), builtin=True)
    for folder in plugin_dirs:
        # The built-in folder is as safe as the package beside it; a folder of the configuration may be anyone's.
        _refuse_writable_by_others(folder)
        for path in _plugin_files(folder):
            _refuse_writable_by_others(path)
            yield Plugin(origin=str(path), content=_load_file(path, modules))


def _plugin_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.py") if not path.name.startswith(("_", ".", "test_")))


def _refuse_writable_by_others(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise refusal(str(path), "", f"cannot be read: {error.strerror}", "correct plugin_dirs") from error
    if mode & stat.S_IWOTH:
        raise refusal(str(path), "", "anyone may write it, and p21d would run what they write", f"chmod o-w {path}")


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
    with blaming(str(path), "cannot be imported", str(path)):
        loader.exec_module(module)
    return module


def forget(modules: Iterable[str]) -> None:
    """Drop these plug-in files from memory."""
    for name in modules:
        sys.modules.pop(name, None)


@contextmanager
def blaming(origin: str, what: str, file: str = "") -> Iterator[None]:
    """Turn whatever a plug-in raises inside into a ConfigError that names it, and the failing line of its file."""
    try:
        yield
    except (Exception, SystemExit) as error:  # a plug-in may raise anything, and must not end the daemon by exit()
        message = f"{what}: {type(error).__name__}: {error}{_failing_line(error, file)}"
        raise refusal(origin, "", message, "correct the plug-in or remove it") from error


def _failing_line(error: BaseException, file: str) -> str:
    if isinstance(error, SyntaxError) and error.filename == file:
        return f", line {error.lineno}: {(error.text or '').strip()}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f", line {frames[-1].lineno}: {frames[-1].line}" if frames else ""


def refusal(origin: str, declared: str, message: str, hint: str) -> ConfigError:
    """Return the error that refuses a plug-in; `declared` is what of it, `entity customer`, or empty for all."""
    path = f"plug-in {origin}, {declared}" if declared else f"plug-in {origin}"
    return ConfigError(message, path=path, hint=hint)
