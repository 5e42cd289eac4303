"""How the hub says no: a stable code, a sentence, and the generations of answers that carry them.

Two generations are in use side by side: the text only in the HTTP reason phrase, and a body with code, message and
link. Which member names the newer one uses is not published.
"""

from __future__ import annotations

import msgspec
from aiohttp import web

from p21d.sandbox.hub.settings import HubSettings

STATUS_OF_CATEGORY = {"AUTH": 401, "AUTZ": 403, "VALD": 400, "BIZL": 400, "NFND": 404, "INTL": 500, "RATE": 429}
_PROXY_PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1><hr>nginx</body></html>"
_REASON_ENDINGS = {
    "plain": "",
    "long": " and so on" * 600,
    "non_ascii": " - S\u00e3o Paulo, \u6771\u4eac, \u00bd\u2033",
    "quotes": ' "it\'s" <b>`{0}`</b> \\ %s',
}


class RefusedError(Exception):
    """The hub refuses a call; carries the code and, where it is not the category's own, the status."""

    def __init__(self, code: str, message: str, *, status: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status or STATUS_OF_CATEGORY[code[:4]]


def render_refusal(refusal: RefusedError, settings: HubSettings) -> web.Response:
    """Return the answer for a refusal in the style that is set."""
    style, status = settings.error_style, refusal.status
    with_code = f"{refusal.message} [{refusal.code}]"
    if style == "text":
        return web.Response(status=status, text=with_code)
    if style == "html":
        return web.Response(status=status, text=_PROXY_PAGE.format(f"{status} Error"), content_type="text/html")
    if style == "problem":
        return _problem(refusal, with_code)
    reason = _reason(with_code if style == "reason_code" else refusal.message, settings)
    if style in {"reason", "reason_code"}:
        return web.Response(status=status, reason=reason)
    body = msgspec.json.encode({"code": refusal.code, "message": refusal.message, "help_url": _help_url(refusal)})
    return web.Response(
        status=status, reason=reason if style == "both" else None, body=body, content_type="application/json"
    )


def _problem(refusal: RefusedError, with_code: str) -> web.Response:
    title = "One or more validation errors occurred."
    body = {"type": _help_url(refusal), "title": title, "status": refusal.status, "detail": with_code}
    content_type = "application/problem+json"
    return web.Response(status=refusal.status, body=msgspec.json.encode(body), content_type=content_type)


def _help_url(refusal: RefusedError) -> str:
    return f"https://support.example/{refusal.code}"


def _reason(text: str, settings: HubSettings) -> str:
    # A line break would end the status line, and aiohttp refuses it.
    return " ".join(f"{text}{_REASON_ENDINGS[settings.reason_text]}".split())
