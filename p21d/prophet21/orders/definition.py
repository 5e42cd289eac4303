"""Whether the Order Entry of this site has the fields an order is written with, by its service's definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from p21d.errors import ConfigError, P21dError, Unavailable
from p21d.http import HttpAnswer
from p21d.prophet21.classify import SYSTEM, Case, lacks_permission
from p21d.prophet21.orders.answer import RESOURCE, no_permission
from p21d.prophet21.orders.fields import HEADER, NEEDED
from p21d.prophet21.orders.references import PATH


class _Field(msgspec.Struct):
    name: str = msgspec.field(name="Name", default="")


class _Element(msgspec.Struct):
    name: str = msgspec.field(name="Name", default="")
    fields: list[_Field] | None = msgspec.field(name="FieldDefinitions", default=None)


class _Elements(msgspec.Struct):
    elements: list[_Element] = msgspec.field(name="DataElementDefinitions")


class _Definition(msgspec.Struct):
    transaction: _Elements = msgspec.field(name="TransactionDefinition")


def check_definition(answer: HttpAnswer, reference_field: str) -> None:
    """Raise Forbidden, Unavailable or ConfigError where the answer shows that orders cannot be written."""
    if answer.status != 200:
        raise _failure(answer)
    fields = _fields(answer)
    if reference_field not in fields.get(HEADER, frozenset()):
        raise ConfigError(
            f"Order Entry of this P21 has no field {reference_field}",
            path=PATH,
            hint="take po_no or job_name, or put the UDF on the window Order Entry; the names are those of "
            f"{HEADER} in the definition of the service Order",
        )
    missing = _missing(fields)
    if missing:
        raise ConfigError(
            f"Order Entry of this P21 lacks what every order is written with: {', '.join(missing)}",
            path="orders",
            hint="the window may be changed by DynaChange for this account: give it a plain one",
        )


def _fields(answer: HttpAnswer) -> Mapping[str, frozenset[str]]:
    try:
        definition = msgspec.convert(answer.json(), _Definition, strict=False)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        words = Case(answer, RESOURCE).words()
        message = f"Prophet 21's definition of the service Order cannot be read ({words})"
        raise Unavailable(message, system=SYSTEM, hint=_ADDRESS) from error
    elements = definition.transaction.elements
    return {one.name: frozenset(field.name for field in one.fields or []) for one in elements}


def _missing(fields: Mapping[str, frozenset[str]]) -> Sequence[str]:
    return [
        f"{element}.{name}"
        for element, names in NEEDED.items()
        for name in names
        if name not in fields.get(element, ())
    ]


_ADDRESS = "check prophet21.ui_server_url, or what P21's router says"


def _failure(answer: HttpAnswer) -> P21dError:
    status = Case(answer, RESOURCE).status()
    if answer.status == 403 or (answer.status == 401 and lacks_permission(answer)):
        return no_permission(status)
    unknown = answer.status == 500 and not answer.body.strip()
    hint = "P21 answers so where it does not know the service Order" if unknown else _ADDRESS
    return Unavailable(
        f"Prophet 21's Transaction API does not answer as it should ({status})", system=SYSTEM, hint=hint
    )
