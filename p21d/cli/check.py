"""`p21d check`: what a start or a reload would refuse, found before it."""

from __future__ import annotations

import click
import msgspec

from p21d.cli.ending import end, say_error
from p21d.cli.output import json_option, print_json, words
from p21d.cli.place import Place
from p21d.errors import ConfigError, P21dError
from p21d.plugin_safety import writable_plugins
from p21d.settings import read_settings


class CheckAnswer(msgspec.Struct, kw_only=True):
    """What the check found."""

    schema_version: int = 1
    good: bool
    error: str = ""
    path: str = ""
    hint: str = ""
    warnings: list[str] = []
    entities: list[str] = []


@click.command()
@json_option
@click.pass_obj
def check(place: Place, as_json: bool) -> None:
    """Check the configuration and the plug-ins without touching P21, the sink or the daemon.

    Exit code 78 when a start would be refused.
    """
    try:
        answer = _checked(place)
    except P21dError as error:
        if not as_json:
            raise
        path = error.path if isinstance(error, ConfigError) else ""
        print_json(CheckAnswer(good=False, error=error.message, path=path, hint=error.hint))
        say_error(error.message, error.hint)
        end(error.exit_code)
    if as_json:
        print_json(answer)
        return
    for warning in answer.warnings:
        words(f"warning: {warning}")
    click.echo(f"{place.config_path} is good: {len(answer.entities)} entities on ({', '.join(answer.entities)})")


def _checked(place: Place) -> CheckAnswer:
    config, registry = read_settings(place.config_path)
    enabled = [name for name in sorted(registry.entities) if config.entity(name).enabled]
    # as root sees it: who runs the daemon is not known here
    writable = [f"p21d run refuses this: {found}" for found in writable_plugins(config.plugin_dirs, uid=0)]
    return CheckAnswer(good=True, warnings=[*config.warnings, *writable], entities=enabled)
