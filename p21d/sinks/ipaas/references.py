"""Reads from a refusal which record is missing that this one refers to by name: a shipping method, or a parent.

A shipping method is made by people in the hub's portal, so the record is refused and the words say which to make; its
name is case-sensitive (facts 3.4). Products, companies and customers come from P21: the record waits for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from p21d.errors import ParentMissing, RecordError, RecordRefused
from p21d.http import HttpAnswer
from p21d.sinks.ipaas.calls import Call, Calls
from p21d.sinks.ipaas.verdicts import Duplicate

_METHOD = re.compile(r"shipping[ _]?method", re.IGNORECASE)
_ABSENT = re.compile(
    r"does ?n.t exist|does not exist|not found|created first|unknown|not valid|invalid|not one of", re.IGNORECASE
)
_PARENT = re.compile(
    r"\b(sku|product|company|customer|location)\b.{0,80}\b(does not exist|doesn.t exist|not found|unknown)",
    re.IGNORECASE,
)


async def make_explained(calls: Calls, call: Call) -> HttpAnswer:
    """Make a call that writes a record; a refusal says what is missing where it can be told."""
    try:
        return await calls.make(call)
    except RecordError as error:
        explanation = explained(error, call.body)
        if explanation is error:
            raise
        raise explanation from error


def explained(error: RecordError, body: Any) -> RecordError:
    """Return the error that says what to do about a refusal of `body`: the same one where it names nothing missing."""
    if not isinstance(error, ParentMissing | RecordRefused) or isinstance(error, Duplicate):
        return error
    if _METHOD.search(error.message) and _ABSENT.search(error.message):
        return _method_missing(error, body)
    if type(error) is RecordRefused and not error.hint and _PARENT.search(error.message):
        return ParentMissing(error.message, code=error.code)
    return error


def _method_missing(error: ParentMissing | RecordRefused, body: Any) -> RecordRefused:
    sent = list(dict.fromkeys(_methods(body)))
    named = [name for name in sent if name in error.message] or sent
    which = " or ".join(repr(name) for name in named) or "of that name"
    hint = (
        f"create the shipping method {which} in the hub, under Data Management > Shipping Method (permission Shipping "
        "Method: Create), spelt exactly so, for its case counts; then replay"
    )
    return RecordRefused(error.message, code="unknown-shipping-method", hint=hint)


def _methods(body: Any) -> Iterator[str]:
    """Yield the shipping methods named anywhere in a body: of a tracking number, an address, a line's address."""
    if isinstance(body, dict):
        for name, value in body.items():
            if name == "shipping_method" and isinstance(value, str) and value:
                yield value
            else:
                yield from _methods(value)
    elif isinstance(body, list):
        for item in body:
            yield from _methods(item)
