"""Reads what an operator has set: the configuration file and the plug-ins it names, checked against each other."""

from __future__ import annotations

import os
from pathlib import Path

from p21d.config import Config
from p21d.config_check import check_entity_names
from p21d.config_file import load_config
from p21d.configured import configured
from p21d.external_ids import check_external_id
from p21d.mapping import fields_of
from p21d.order_defaults import check_orders
from p21d.plugin_safety import refuse_writable_plugins
from p21d.redactor import KNOWN
from p21d.registry import Registry, load_entities


def read_settings(config_path: Path, *, to_serve: bool = False) -> tuple[Config, Registry]:
    """Read the configuration and the plug-ins it names; raises ConfigError or PermissionRefused.

    With `to_serve`, for the daemon itself, plug-ins that it could write are refused before one of them runs.
    """
    config = load_config(config_path)
    KNOWN.add(config.secrets)
    if to_serve:
        refuse_writable_plugins(config.plugin_dirs, os.geteuid())
    registry = load_entities(config.plugin_dirs)
    check_entity_names(config, registry.entities)
    for name, entity in registry.entities.items():
        settings = config.entity(name)
        as_set = configured(entity, settings)
        fields_of(as_set, settings)
        check_external_id(as_set, settings, config.prophet21.companies)
    check_orders(registry.orders, config.orders)
    return config, registry
