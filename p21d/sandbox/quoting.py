"""Lets a scripted answer quote the request it answers, as a careless server's error page does: credentials and all."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from aiohttp import web

    from p21d.sandbox.fault import Fault

QUOTE = "{request}"
"""In a fault's body, reason or headers: what was asked, head and body, in one line."""
_LONGEST_LINE = 2000


async def quoting(fault: Fault, request: web.Request) -> Fault:
    """Return the fault with `{request}` filled in, as the kind of text needs it."""
    if not any(QUOTE in text for text in (fault.body or "", fault.reason or "", *fault.headers.values())):
        return fault
    head = " ".join(f"{name}: {value}" for name, value in request.headers.items())
    said = f"{head} {(await request.read()).decode('utf-8', 'replace')} {request.method} {request.rel_url}"
    line = "".join(sign if sign.isascii() and sign.isprintable() else "?" for sign in said)[:_LONGEST_LINE]
    body = fault.body or ""
    escape = html.escape if body.lstrip().startswith("<") else lambda text: json.dumps(text)[1:-1]
    return msgspec.structs.replace(
        fault,
        body=body.replace(QUOTE, escape(said)) if fault.body is not None else None,
        reason=fault.reason.replace(QUOTE, line) if fault.reason is not None else None,
        headers={name: value.replace(QUOTE, line) for name, value in fault.headers.items()},
    )
