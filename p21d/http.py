"""One way to make an HTTP call: bounded, never redirected, with the outage told apart from the answer.

HTTP/1.1 only (aiohttp speaks nothing else): P21's middleware resets HTTP/2, and the hub hides errors in the reason
phrase.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import msgspec
from yarl import URL

from p21d.calls import witnessed
from p21d.errors import ConfigError, NotSent, RequestTimeout, Unavailable
from p21d.redactor import KNOWN
from p21d.unreachable import NO_CONNECTION, reason_and_hint

MAX_BODY_BYTES = 100 * 1024 * 1024
"""P21's own limit for an answer (facts 3.7)."""
CONNECT_SECONDS = 30.0
_LONGEST_SECRET_BYTES = 4096
LONGEST_NUMBER = 9
"""Digits of a Retry-After; more of them is no time at all."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A complete answer: status, reason phrase, headers (names without case), body."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes

    def text(self, limit: int = 500) -> str:
        """Return the start of the body as text without secrets, for messages."""
        # before it is cut: half a token is not found any more
        start = KNOWN.text(self.body[: limit * 4 + _LONGEST_SECRET_BYTES].decode("utf-8", "replace"))
        return " ".join(start.split())[:limit]

    def json(self) -> Any:
        """Return the decoded body; raises msgspec.DecodeError."""
        return msgspec.json.decode(self.body)

    def date(self) -> datetime | None:
        """Return the instant of the `Date` header, None where it is absent or odd."""
        return parse_http_date(self.headers.get("Date", ""))

    def retry_after_seconds(self, now: datetime) -> float | None:
        """Return what `Retry-After` asks for, given in seconds or as a date; None where it is absent or odd.

        A date is the other side's, so it counts from that side's own `Date`, and from `now` only where there is none.
        """
        value = self.headers.get("Retry-After", "").strip()
        if value.isascii() and value.isdigit() and len(value) <= LONGEST_NUMBER:
            return float(value)
        at = parse_http_date(value)
        return max(0.0, (at - (self.date() or now)).total_seconds()) if at else None


class HttpClient:
    """A pool of connections to one system."""

    def __init__(
        self, system: str, *, timeout_seconds: float, ca_file: str | None, ca_key: str, connections: int
    ) -> None:
        """Open no connection yet; `ca_key` is the config key named in the hint of a TLS failure."""
        self.system = system
        self._ca_key = ca_key
        self._timeout_seconds = timeout_seconds
        # without an authority of one's own aiohttp makes its verifying context at the first https request (40 ms)
        self._tls = tls_context(ca_file, ca_key) if ca_file else True
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
        self._proxies: dict[tuple[str, str], str | None] = {}

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout_seconds: float | None = None,
    ) -> HttpAnswer:
        """Make one call and read its whole answer.

        `url` is sent as it is: its query must be encoded already. Raises Unavailable when there is no complete answer,
        and its NotSent when there was not even a connection. Only GET and the like are tried again by aiohttp itself,
        where a kept connection turns out to be dead; a POST never is.
        """
        timeout = aiohttp.ClientTimeout(total=timeout_seconds or self._timeout_seconds, connect=CONNECT_SECONDS)
        try:
            address = URL(url, encoded=True)
            with witnessed(self.system, method, url) as call:
                async with self._opened().request(
                    method,
                    address,
                    headers=headers,
                    data=body,
                    timeout=timeout,
                    allow_redirects=False,
                    proxy=self._proxy(address),
                ) as response:
                    reason, call.answer = KNOWN.text(response.reason or ""), str(response.status)
                    return HttpAnswer(response.status, reason, response.headers, await self._body(response))
        except aiohttp.ConnectionTimeoutError as error:
            message = f"{self.system} did not take a connection within {CONNECT_SECONDS:g} s"
            raise NotSent(message, system=self.system) from error
        except TimeoutError as error:
            seconds = timeout_seconds or self._timeout_seconds
            raise RequestTimeout(f"{self.system} did not answer within {seconds:g} s", system=self.system) from error
        except (aiohttp.ClientError, ssl.SSLError, OSError, UnicodeError) as error:
            raise self._unavailable(error) from error

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.content.iter_any():
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_BODY_BYTES:
                raise Unavailable(f"{self.system} sent more than {MAX_BODY_BYTES} bytes at once", system=self.system)
        return b"".join(chunks)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=self._connections, ssl=self._tls)
            # auto_decompress stays on; no cookies
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    def _proxy(self, url: URL) -> str | None:
        """Return the proxy that the environment names for an address, asked once for each host.

        aiohttp's own `trust_env` asks for every call, in two threads, and sends what ~/.netrc has for the host.
        """
        origin = (url.scheme, url.host or "")
        if origin not in self._proxies:
            bypassed = proxy_bypass(url.host or "")
            self._proxies[origin] = None if bypassed else getproxies().get(url.scheme)
        return self._proxies[origin]

    def _unavailable(self, error: Exception) -> Unavailable:
        reason, hint = reason_and_hint(error, self._ca_key)
        kind = NotSent if isinstance(error, NO_CONNECTION) else Unavailable
        return kind(f"{self.system} cannot be reached: {reason or describe(error)}", system=self.system, hint=hint)

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def plain_address(url: str) -> str:
    """Return an address in one form: scheme and host in lower case, no usual port, no query, no slash at the end."""
    parts = urlsplit(url)
    usual = {"http": 80, "https": 443}.get(parts.scheme.lower())
    port = f":{parts.port}" if parts.port not in {None, usual} else ""
    return f"{parts.scheme.lower()}://{parts.hostname or ''}{port}{parts.path.rstrip('/')}"


def describe(error: BaseException) -> str:
    """Return an error's class and words in one line, without secrets; aiohttp's are often empty."""
    words = " ".join(KNOWN.text(str(error)).split())
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def tls_context(ca_file: str, ca_key: str) -> ssl.SSLContext:
    """Return a verifying TLS context; raises ConfigError naming `ca_key` when its file does not load."""
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"no certificates can be read from {ca_file}: {describe(error)}", path=ca_key) from error
    return context


def parse_http_date(text: str) -> datetime | None:
    """Return the aware instant of an HTTP date, None where it is not one."""
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    return at if at.tzinfo else None
