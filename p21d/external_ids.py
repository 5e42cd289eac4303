"""External-id templates, checked before anything runs: fillable, and one row of P21 each.

Why refused and not noticed later: two rows under one external id become one record of the sink, and which of the two it
shows would change with every poll.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from p21d.blocks import nearest
from p21d.config import EntityConfig
from p21d.declaration import external_id_fields
from p21d.errors import ConfigError
from p21d.plugin import Entity


def check_external_id(entity: Entity[Any], settings: EntityConfig, companies: Sequence[str]) -> None:
    """Raise ConfigError where the template asks for what no record gives, or cannot tell the companies apart."""
    path = f"entities.{entity.name}.external_id"
    template = settings.external_id or entity.external_id
    fields = external_id_fields(template)
    given = {*external_id_fields(entity.external_id), *entity.external_id_values}
    for field in fields:
        if field not in given:
            raise ConfigError(f"records of {entity.name} have no {{{field}}}", path=path, hint=nearest(field, given))
    if settings.enabled and not _tells_companies_apart(entity, fields, companies):
        said = f"prophet21.companies names {', '.join(companies)}" if companies else "prophet21.companies names none"
        raise ConfigError(
            f"{template!r} is not unique over several companies, and {said}",
            path=path,
            hint=_remedy(entity, template, given, companies),
        )


def _tells_companies_apart(entity: Entity[Any], fields: Sequence[str], companies: Sequence[str]) -> bool:
    return not entity.company or entity.unique_without_company or entity.company in fields or len(companies) == 1


def _remedy(entity: Entity[Any], template: str, given: set[str], companies: Sequence[str]) -> str:
    ways = []
    if entity.company in given:
        ways.append(f'set entities.{entity.name}.external_id to "{{{entity.company}}}-{template}"')
    if not companies:
        ways.append("let prophet21.companies name the one company to read")
    return ", or ".join(ways) or f"set entities.{entity.name}.enabled to false, or read one company only"
