"""The forms in which P21's middleware answers: JSON, DataContract XML when JSON was not asked for, texts, IIS pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

import msgspec
from aiohttp import web

from p21d.sandbox.prophet21.settings import Settings

_IIS_NOT_FOUND = (
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN"><html><head><title>404 - File or directory not found.'
    "</title></head><body><h1>Server Error</h1><h2>404 - File or directory not found.</h2></body></html>"
)
_NO_BEARER = {
    "Description": "Authorization header was not present or 'Bearer' was missing.",
    "Error": "invalid_request",
    "Uri": "",
}
_DEAD_TOKEN = {"Description": "The access token is not valid or has expired.", "Error": "invalid_token", "Uri": ""}
_NAMESPACE = "http://schemas.datacontract.org/2004/07/P21.Soa.Service.Rest.Common"
_FORBIDDEN = "You are not authorized to access API. Please contact administrator to get access."


def json_answer(body: Any, *, status: int = 200) -> web.Response:
    """Return a JSON answer."""
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json")


def asks_json(request: web.Request) -> bool:
    """Say whether the Accept header names JSON; `*/*` does not, and then P21 answers XML."""
    return "application/json" in request.headers.get("Accept", "").lower()


def json_or_xml(request: web.Request, root: str, body: Mapping[str, Any], settings: Settings) -> web.Response:
    """Return JSON where it was asked for, else the XML of DataContract: elements in order, null as nil."""
    if asks_json(request) and not settings.always_xml:
        return json_answer(body)
    inner = "".join(_element(name, value) for name, value in body.items())
    namespace = f' xmlns="{_NAMESPACE}"' if settings.namespaced_xml else ""
    text = f'<{root} xmlns:i="http://www.w3.org/2001/XMLSchema-instance"{namespace}>{inner}</{root}>'
    return web.Response(text=text, content_type="application/xml")


def no_bearer() -> web.Response:
    """Return the 401 of a missing or malformed Authorization header."""
    return json_answer(_NO_BEARER, status=401)


def dead_token() -> web.Response:
    """Return the 401 of an unknown, expired or killed token; its wording is inferred."""
    return json_answer(_DEAD_TOKEN, status=401)


def forbidden() -> web.Response:
    """Return the 401 of a good token without permission."""
    return web.Response(status=401, text=_FORBIDDEN)


def not_found(text: str = "") -> web.Response:
    """Return a 404 with a text, or with no body at all."""
    return web.Response(status=404, text=text) if text else web.Response(status=404)


def iis_not_found() -> web.Response:
    """Return the HTML page IIS answers for a path that reaches no service."""
    return web.Response(status=404, text=_IIS_NOT_FOUND, content_type="text/html")


def _element(name: str, value: Any) -> str:
    if value is None:
        return f'<{name} i:nil="true"/>'
    if isinstance(value, Mapping):
        return f"<{name}>{''.join(_element(inner, each) for inner, each in value.items())}</{name}>"
    if isinstance(value, list):
        return f"<{name}>{''.join(_element(_item_name(name, each), each) for each in value)}</{name}>"
    return f"<{name}>{escape(str(value))}</{name}>"


def _item_name(name: str, value: Any) -> str:
    """Return the name of a list's item: that of its simple type, or the list's name without its plural."""
    return name.removesuffix("s") if isinstance(value, Mapping) else "string"
