"""Where the Transaction API is: as configured, as P21's router says, or where it usually is.

The router is asked once. What it says is forgotten when nothing answers there any more; the usual place, taken because
the router failed, is never kept.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from p21d.errors import ConfigError, Forbidden
from p21d.http import HttpAnswer
from p21d.prophet21.session import Session

if TYPE_CHECKING:
    from p21d.config import Prophet21Config

ROUTER = "/api/ui/router/v1/?urlType=external"
"""Without the slash before the question mark P21 answers 307 (facts 1)."""
USUAL = "/uiserver0"
TRANSACTION = "/api/v2/transaction"
DEFINITION = "/api/v2/definition/Order"

_XML_URL = re.compile(r"<(?:\w+:)?Url>\s*([^<]+?)\s*</", re.IGNORECASE)


class UiServer:
    """Finds the UI server and keeps its address, without a slash at the end."""

    def __init__(self, config: Prophet21Config, session: Session) -> None:
        self._base = config.api_url.rstrip("/")
        self._configured = config.ui_server_url.rstrip("/")
        self._session = session
        self._routed = ""

    async def url(self) -> str:
        """Return the address; raises ConfigError where the router names one that must not get the token.

        Raises Unavailable and Unauthorized where P21 does not answer or gives no token.
        """
        if self._configured:
            return self._configured
        if not self._routed:
            self._routed = await self._ask_router()
        return self._routed or self._base + USUAL

    def forget(self) -> None:
        """Ask the router again next time: nothing answers at the address it named."""
        self._routed = ""

    async def _ask_router(self) -> str:
        try:
            answer = await self._session.ask(ROUTER)
        except Forbidden:  # a consumer key may have the scope /uiserver0 alone
            return ""
        url = routed_url(answer)
        if urlsplit(self._base).scheme == "https" and url and urlsplit(url).scheme != "https":
            raise ConfigError(
                f"Prophet 21's router names {url} for the Transaction API, where the token would go unencrypted",
                path="prophet21.ui_server_url",
                hint=f"set it to the address that P21's users reach, usually {self._base}{USUAL}",
            )
        return url


def routed_url(answer: HttpAnswer) -> str:
    """Return the URL in the router's answer, JSON or XML; empty where there is none."""
    if answer.status != 200:
        return ""
    text = answer.body.decode("utf-8", "replace").removeprefix("\ufeff")
    found = _XML_URL.search(text)
    url = found[1] if found else _json_url(text)
    return url.strip().rstrip("/") if urlsplit(url.strip()).scheme in {"http", "https"} else ""


def _json_url(text: str) -> str:
    try:
        values = msgspec.convert(msgspec.json.decode(text), dict[str, object])
    except (msgspec.DecodeError, msgspec.ValidationError):
        return ""
    return next((str(value) for name, value in values.items() if name.lower() == "url"), "")
