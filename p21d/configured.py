"""An entity as the configuration has it: rebuilt by its plug-in for `entities.NAME.options`, with further columns.

Invariant: options never change an entity's name, key or parents, for by these the registry has checked it, and the
store knows its rows.
"""

from __future__ import annotations

from typing import Any

from p21d.blocks import convert_block
from p21d.config import EntityConfig
from p21d.declaration import find_faults
from p21d.errors import ConfigError
from p21d.mapping import with_columns
from p21d.plugin import Entity

FIXED = ("name", "key", "parent_entities", "optional_parents")


def configured(entity: Entity[Any], settings: EntityConfig) -> Entity[Any]:
    """Return the entity with the configured options and columns; raises ConfigError naming the wrong one."""
    return with_columns(with_options(entity, settings), settings)


def with_options(entity: Entity[Any], settings: EntityConfig) -> Entity[Any]:
    """Return the entity as its plug-in builds it for the configured options; raises ConfigError naming the wrong key.

    A plug-in refuses a value that its type allows by a ValueError.
    """
    if not settings.options:
        return entity
    path = f"entities.{entity.name}.options"
    if entity.options is None or entity.with_options is None:
        raise ConfigError(f"{entity.name} has no options", path=path, hint="remove the block")
    options = convert_block(settings.options, entity.options, path)
    try:
        built = entity.with_options(options)
    except Exception as error:  # a plug-in may raise anything, and a reload must keep the old set
        message = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        raise ConfigError(message, path=path) from error
    _refuse_another(entity, built, path)
    return built


def _refuse_another(entity: Entity[Any], built: Entity[Any], path: str) -> None:
    changed = next((name for name in FIXED if getattr(built, name, None) != getattr(entity, name)), None)
    if changed is not None:
        raise ConfigError(f"the plug-in changes {changed} by its options", path=path, hint="an error of the plug-in")
    for message, hint in find_faults(built):
        raise ConfigError(f"built with these options: {message}", path=path, hint=hint)
