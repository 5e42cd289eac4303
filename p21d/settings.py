"""Reads what an operator has set: the configuration file and the plug-ins it names, checked against each other."""

from __future__ import annotations

from pathlib import Path

from p21d.config import Config
from p21d.config_check import check_entity_names
from p21d.config_file import load_config
from p21d.external_ids import check_external_id
from p21d.mapping import fields_of, with_columns
from p21d.registry import Registry, load_entities


def read_settings(config_path: Path) -> tuple[Config, Registry]:
    """Read the configuration and the plug-ins it names; raises ConfigError or PermissionRefused."""
    config = load_config(config_path)
    registry = load_entities(config.plugin_dirs)
    check_entity_names(config, registry.entities)
    for name, entity in registry.entities.items():
        settings = config.entity(name)
        fields_of(with_columns(entity, settings), settings)
        check_external_id(entity, settings, config.prophet21.companies)
    return config, registry
