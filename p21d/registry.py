"""Keeps what plug-ins declare: the entities by name and the mapping of orders, each with the plug-in it comes from.

A Registry that exists is whole: every plug-in was loaded, every declaration checked, every parent found. What is wrong
is refused here, by the names of plug-in and entity and with what to change, so that a reload can keep the old set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import pluggy

import p21d.hooks
from p21d.declaration import find_faults, find_mapping_faults
from p21d.order import OrderMapping
from p21d.plugin import Entity
from p21d.plugin_files import Plugin, blaming, forget, load_plugins, refusal

_HOOK_HINT = "define `@hookimpl def p21d_entities():` that returns a list of entities"
_MAPPING_HINT = "define `@hookimpl def p21d_orders():` that returns an OrderMapping"


@dataclass(frozen=True, kw_only=True)
class Registry:
    """The entities of all plug-ins, and how orders are mapped.

    `origin` maps an entity's name to the plug-in's file, or its package and version; `orders_origin` is that of the
    mapping, which is None only where no plug-in has one.
    """

    entities: Mapping[str, Entity[Any]]
    origin: Mapping[str, str]
    orders: OrderMapping[Any] | None = None
    orders_origin: str = ""
    modules: tuple[str, ...] = ()

    def forget(self) -> None:
        """Drop the plug-in files from memory; call it when no batch runs on this set any more."""
        forget(self.modules)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Declared:
    """What one plug-in declares."""

    plugin: Plugin
    entities: Sequence[Entity[Any]]
    mapping: OrderMapping[Any] | None


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
    plugins.add_hookspecs(p21d.hooks)
    modules: list[str] = []
    with ExitStack() as undo:
        undo.callback(forget, modules)
        declared = [_collect(plugins, plugin) for plugin in load_plugins(builtin_dir(), plugin_dirs, modules)]
        registry = _build_registry(declared, modules)
        undo.pop_all()
    return registry


def _collect(plugins: pluggy.PluginManager, plugin: Plugin) -> _Declared:
    """Call one plug-in's hooks; called together, one that raises would lose the answers of all, and its own name."""
    try:
        plugins.register(plugin.content, name=plugin.origin)
    except (pluggy.PluginValidationError, ValueError) as error:
        raise refusal(plugin.origin, "", f"cannot be registered: {error}", _HOOK_HINT) from error
    entities_hook = _own_hook(plugins.hook.p21d_entities, plugin)
    orders_hook = _own_hook(plugins.hook.p21d_orders, plugin)
    if entities_hook is None and orders_hook is None:
        raise refusal(plugin.origin, "", "has no p21d_entities hook and no p21d_orders hook", _HOOK_HINT)
    return _Declared(
        plugin=plugin,
        entities=_entities(plugin, entities_hook) if entities_hook else (),
        mapping=_mapping(plugin, orders_hook) if orders_hook else None,
    )


def _own_hook(hook: Any, plugin: Plugin) -> Callable[[], Any] | None:
    return next((found.function for found in hook.get_hookimpls() if found.plugin is plugin.content), None)


def _entities(plugin: Plugin, hook: Callable[[], Any]) -> list[Entity[Any]]:
    with blaming(plugin.origin, "its p21d_entities hook fails", getattr(plugin.content, "__file__", "")):
        entities: list[Any] = list(hook())
    strangers = [type(entity).__name__ for entity in entities if not isinstance(entity, Entity)]
    if strangers or not entities:
        message = f"its p21d_entities hook returns {strangers[0] if strangers else 'nothing'} where an Entity belongs"
        raise refusal(plugin.origin, "", message, _HOOK_HINT)
    for entity in entities:
        with blaming(plugin.origin, f"entity {entity.name}: its declaration cannot be read"):
            fault = next(find_faults(entity), None)
        if fault:
            raise refusal(plugin.origin, f"entity {entity.name}", *fault)
    return entities


def _mapping(plugin: Plugin, hook: Callable[[], Any]) -> OrderMapping[Any]:
    with blaming(plugin.origin, "its p21d_orders hook fails", getattr(plugin.content, "__file__", "")):
        mapping = hook()
    if not isinstance(mapping, OrderMapping):
        message = f"its p21d_orders hook returns {type(mapping).__name__} where an OrderMapping belongs"
        raise refusal(plugin.origin, "", message, _MAPPING_HINT)
    with blaming(plugin.origin, f"orders {mapping.name}: its declaration cannot be read"):
        fault = next(find_mapping_faults(mapping), None)
    if fault:
        raise refusal(plugin.origin, f"orders {mapping.name}", *fault)
    return mapping


def _build_registry(declared: Sequence[_Declared], modules: Iterable[str]) -> Registry:
    entities: dict[str, Entity[Any]] = {}
    origins: dict[str, str] = {}
    for origin, entity in [(one.plugin.origin, entity) for one in declared for entity in one.entities]:
        if entity.name in entities:
            message = f"{origins[entity.name]} has an entity of this name already"
            raise refusal(origin, f"entity {entity.name}", message, "rename one of the two, or remove a plug-in")
        entities[entity.name], origins[entity.name] = entity, origin
    for name, entity in entities.items():
        unknown = [parent for parent in entity.parent_entities if parent not in entities]
        if unknown:
            hint = f"parent_entities may name {', '.join(sorted(entities))}"
            raise refusal(origins[name], f"entity {name}", f"its parent entity {unknown[0]} does not exist", hint)
    _refuse_cycle(entities, origins)
    mapping, origin = _chosen_mapping(declared)
    _refuse_strange_mapping(mapping, origin, entities)
    return Registry(entities=entities, origin=origins, orders=mapping, orders_origin=origin, modules=tuple(modules))


def _refuse_cycle(entities: Mapping[str, Entity[Any]], origins: Mapping[str, str]) -> None:
    required = {name: set(entity.parent_entities) - set(entity.optional_parents) for name, entity in entities.items()}
    try:
        TopologicalSorter(required).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        message = f"required parents form a cycle: {' -> '.join(cycle)}; none of them could ever be first"
        hint = "drop one from parent_entities, or name it in optional_parents too"
        raise refusal(origins[cycle[0]], f"entity {cycle[0]}", message, hint) from error


def _chosen_mapping(declared: Sequence[_Declared]) -> tuple[OrderMapping[Any] | None, str]:
    """Return the mapping in force: that of a package or of plugin_dirs, else the built-in one."""
    found = sorted(
        ((one.plugin, one.mapping) for one in declared if one.mapping is not None), key=lambda pair: pair[0].builtin
    )
    own = [pair for pair in found if not pair[0].builtin]
    if len(own) > 1:
        (first, _), (second, mapping) = own[:2]
        message = f"{first.origin} maps orders already, and an order is mapped once"
        raise refusal(second.origin, f"orders {mapping.name}", message, "remove one of the two hooks p21d_orders")
    return (found[0][1], found[0][0].origin) if found else (None, "")


def _refuse_strange_mapping(
    mapping: OrderMapping[Any] | None, origin: str, entities: Mapping[str, Entity[Any]]
) -> None:
    if mapping is None:
        return
    for field in ("entity", "company_entity", "contact_entity"):
        name = getattr(mapping, field)
        if name not in entities:
            hint = f"{field} may name {', '.join(sorted(entities))}"
            raise refusal(origin, f"orders {mapping.name}", f"its {field} {name!r} does not exist", hint)
    if "lines" not in entities[mapping.entity].route.children:
        message = f"the route of its entity {mapping.entity} has no children lines, by which lines of orders are linked"
        raise refusal(origin, f"orders {mapping.name}", message, "name an entity whose route has them")
