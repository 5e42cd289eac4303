"""`p21d config`: the configuration as the daemon would see it."""

from __future__ import annotations

import click
import yaml

from p21d.cli.output import json_option, print_json, words
from p21d.cli.place import Place
from p21d.config_file import load_config
from p21d.config_show import redacted


@click.group()
def config() -> None:
    """Show the configuration."""


@config.command()
@json_option
@click.pass_obj
def show(place: Place, as_json: bool) -> None:
    """Print every key with its value or default; secrets show where they come from, or `***`."""
    loaded = load_config(place.config_path)
    if as_json:
        print_json(redacted(loaded))
    else:
        click.echo(yaml.safe_dump(redacted(loaded), sort_keys=False, allow_unicode=True).rstrip())
    for warning in loaded.warnings:
        words(f"warning: {warning}")
