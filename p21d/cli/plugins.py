"""`p21d plugins`: what the plug-ins on this machine declare, without asking the daemon."""

from __future__ import annotations

from typing import Any

import click

from p21d.cli.output import json_option, print_json, print_table, words
from p21d.cli.place import Place
from p21d.config_file import load_config
from p21d.registry import load_entities


@click.group()
def plugins() -> None:
    """Show the plug-ins."""


@plugins.command("list")
@json_option
@click.pass_obj
def list_(place: Place, as_json: bool) -> None:
    """List the entities of the built-in plug-ins and of plugin_dirs, and who maps orders, as a start loads them."""
    config = load_config(place.config_path)
    registry = load_entities(config.plugin_dirs)
    found: list[dict[str, Any]] = [
        {
            "entity": name,
            "enabled": config.entity(name).enabled,
            "table": entity.table,
            "key": list(entity.key),
            "plugin": registry.origin[name],
        }
        for name, entity in sorted(registry.entities.items())
    ]
    if as_json:
        mapping = registry.orders.name if registry.orders else ""
        orders = {"enabled": config.orders.enabled, "mapping": mapping, "plugin": registry.orders_origin}
        print_json({"schema_version": 1, "entities": found, "orders": orders})
        return
    rows = [
        (entry["entity"], "on" if entry["enabled"] else "off", entry["table"], "|".join(entry["key"]), entry["plugin"])
        for entry in found
    ]
    print_table(("ENTITY", "", "TABLE", "KEY", "PLUG-IN"), rows)
    if registry.orders:
        words(f"orders ({'on' if config.orders.enabled else 'off'}) are mapped by {registry.orders_origin}")
