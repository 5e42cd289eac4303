"""The rooms of the house: who imports whom, what the core may not name, and how long a function or module may be."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from p21d.registry import load_entities

ROOT = Path(__file__).parent.parent
LONGEST_MODULE = 250
LONGEST_FUNCTION = 40

LAYERS = (
    {"cli", "__main__"},
    {"torture"},
    {"daemon", "assembly", "binding"},
    {"control"},
    {"engine"},
    {"prophet21", "sinks", "store"},
)
"""From the top down; a room imports only from lower layers and from itself. All other modules lie below these."""

EXCEPTIONS = {"cli": {"sandbox"}, "torture": {"sandbox"}, "testing": {"sandbox", "prophet21"}}
"""The command line serves the sandbox, torture disturbs it; what authors test with reads pages as the daemon does."""

NAMES_ENTITIES = {"sandbox", "testing", "torture"}
"""Rooms in which a word may mean an entity. The hub's own resources, tables and members are no entities."""
HUB_WORDS = {"sinks/ipaas", "address.py", "sale.py", "cli/demo_hub.py", "cli/demo_orders.py"}
P21_WORDS = {"prophet21/companies.py", "prophet21/proofs.py", "prophet21/orders/rows.py"}
"""`company`, `customer` and `location` are tables of P21 here."""


def sources(folder: str) -> list[Path]:
    return sorted(path for path in (ROOT / folder).rglob("*.py") if "builtin_plugins" not in path.parts)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def room(path: Path) -> str:
    """Return the room of a file of the package: its folder, or the module's own name."""
    parts = path.relative_to(ROOT / "p21d").parts
    return parts[0] if len(parts) > 1 else path.stem


def imports(path: Path) -> Iterator[str]:
    """Yield every module a file imports, those inside functions and under TYPE_CHECKING too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_rooms(path: Path) -> set[str]:
    """Return the rooms of the package that a file imports."""
    names = (name.split(".") for name in imports(path))
    return {parts[1] for parts in names if parts[0] == "p21d" and len(parts) > 1}


def layer_of(name: str) -> int:
    return next((number for number, rooms in enumerate(LAYERS) if name in rooms), len(LAYERS))


def all_ids(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


PACKAGE = sources("p21d")
PLUGINS = sources("plugins")
CORE = [path for path in PACKAGE if room(path) != "sandbox"]


@pytest.mark.parametrize("path", CORE, ids=all_ids(CORE))
def test_imports_run_one_way(path):
    own = room(path)
    upward = {
        other
        for other in imported_rooms(path) - {own, "__version__"} - EXCEPTIONS.get(own, set())
        if other == "sandbox" or layer_of(other) < layer_of(own)
    }
    assert not upward


@pytest.mark.parametrize("own", ["prophet21", "sinks", "store"])
def test_the_lowest_rooms_do_not_know_each_other(own):
    others = {"prophet21", "sinks", "store"} - {own}
    assert {
        str(path.relative_to(ROOT)): found
        for path in PACKAGE
        if room(path) == own and (found := imported_rooms(path) & others)
    } == {}


def test_the_sandbox_knows_nothing_of_what_it_tests():
    tested = {name for rooms in LAYERS for name in rooms} | {"registry", "plugin", "http"}
    assert {
        str(path.relative_to(ROOT)): found
        for path in PACKAGE
        if room(path) == "sandbox" and (found := imported_rooms(path) & tested)
    } == {}


def test_torture_knows_nothing_of_what_it_judges():
    judged = {"engine", "prophet21", "sinks", "store"}
    found = {path.name: imported_rooms(path) & judged for path in PACKAGE if room(path) == "torture"}
    assert {name: rooms for name, rooms in found.items() if rooms} == {}


@pytest.mark.parametrize("path", PLUGINS, ids=all_ids(PLUGINS))
def test_a_plug_in_imports_only_p21d_plugin_and_the_standard_library(path):
    strange = {
        name
        for name in imports(path)
        if not name.startswith("p21d.plugin.") and name.split(".")[0] not in sys.stdlib_module_names
    }
    assert strange == set()


def may_name_entities(path: Path) -> bool:
    """Tell whether such a word stands here for something else: a simulator's data, or a resource of the hub."""
    where = path.relative_to(ROOT / "p21d").as_posix()
    return room(path) in NAMES_ENTITIES or any(where.startswith(prefix) for prefix in HUB_WORDS | P21_WORDS)


def test_the_core_names_no_entity():
    names = set(load_entities().entities)
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.value}"
        for path in PACKAGE
        if not may_name_entities(path)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and node.value in names
    ]
    assert found == []


@pytest.mark.parametrize("path", PACKAGE + PLUGINS, ids=all_ids(PACKAGE + PLUGINS))
def test_nothing_imports_asyncio(path):
    assert {name for name in imports(path) if name.split(".")[0] == "asyncio"} == set()


def test_no_module_is_too_long():
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in PACKAGE + PLUGINS}
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_no_function_is_too_long():
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}, {length} lines"
        for path in PACKAGE + PLUGINS
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    ]
    assert long == []


def test_every_module_opens_with_its_purpose():
    assert [str(path) for path in PACKAGE + PLUGINS if not ast.get_docstring(tree(path))] == []
