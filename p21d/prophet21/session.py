"""Every request to P21 goes through here: token, limit of simultaneous reads, retries, the errors of `classify`.

A write is never tried again here. The one exception is a 401 that a new token may cure: P21 looks at the token before
it looks at the body, so nothing was written (facts 5.5).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import anyio

from p21d.clock import Clock
from p21d.errors import Forbidden, NotSent, Unauthorized, Unavailable
from p21d.http import HttpAnswer, HttpClient
from p21d.prophet21.classify import SYSTEM, Case, forbidden, lacks_permission, read_error, unauthorized
from p21d.prophet21.server_clock import ServerClock
from p21d.prophet21.token import TokenSource
from p21d.prophet21.token_answer import Token

if TYPE_CHECKING:
    from p21d.config import Prophet21Config

ATTEMPTS = 3
BACKOFF_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 10.0
LONGEST_RETRY_AFTER_SECONDS = 30.0
"""A longer `Retry-After` is passed on to the caller, who can do other work meanwhile."""


@dataclass(slots=True)
class Counts:
    """What the session has done so far."""

    requests: int = 0
    failures: int = 0


class Session:
    """Makes requests with one account at one P21."""

    def __init__(
        self, config: Prophet21Config, http: HttpClient, tokens: TokenSource, server_clock: ServerClock, clock: Clock
    ) -> None:
        self._url = config.api_url.rstrip("/")
        self._http = http
        self._tokens = tokens
        self._server_clock = server_clock
        self._clock = clock
        self._limiter = anyio.CapacityLimiter(config.concurrent_requests)
        self._last_good = ""
        self.counts = Counts()

    async def get(self, path_and_query: str) -> HttpAnswer:
        """Return the answer of a good read; what fails in passing is tried again here, with growing pauses.

        `path_and_query` is percent-encoded already. Raises Unavailable, PageError, Unauthorized, Forbidden and
        ReadRefused.
        """
        attempt = 1
        while True:
            try:
                return await self._attempt(path_and_query)
            except Unavailable as error:
                self.counts.failures += 1
                if attempt == ATTEMPTS or (error.retry_after_seconds or 0) > LONGEST_RETRY_AFTER_SECONDS:
                    raise
                pause = pause_seconds(attempt, error.retry_after_seconds)
            await self._clock.sleep(pause)
            attempt += 1

    async def peek(self, path_and_query: str) -> HttpAnswer:
        """Return one answer whatever it says, without another attempt or a new token; raises Unavailable without one.

        For what p21d can do without: a refusal there must cost no token.
        """
        return await self._once(path_and_query, await self._tokens.current())

    async def ask(self, url: str) -> HttpAnswer:
        """Return one answer to a GET whatever it says; a dead token is renewed once.

        `url` is a path here, or a whole URL. Raises Unavailable, Unauthorized and Forbidden.
        """
        return await self._authorized(url)

    async def post(self, url: str, body: bytes) -> HttpAnswer:
        """Send a body once and return the answer, whatever it says; repeated only after a 401 that a new token cures.

        `url` is a whole URL. Raises NotSent where nothing reached P21, Unauthorized and Forbidden where it refused the
        token, and any other Unavailable where it may have carried it out. No read is kept waiting, and none keeps it.
        """
        return await self._authorized(url, body)

    async def _attempt(self, path: str) -> HttpAnswer:
        answer = await self._authorized(path)
        error = read_error(answer, table_of(path))
        if isinstance(error, Unavailable):
            error.retry_after_seconds = answer.retry_after_seconds(self._clock.now())
        if error:
            raise error
        return answer

    async def _authorized(self, path: str, body: bytes | None = None) -> HttpAnswer:
        token = await self._token(None, writes=body is not None)
        answer = await self._once(path, token, body)
        if answer.status == 401 and not lacks_permission(answer):
            # a token that reads went through with: what a write is refused for then is the write
            reads = body is not None and self._tokens.was_accepted(token)
            token = await self._token(token, writes=body is not None)
            answer = await self._once(path, token, body)
            if answer.status == 401 and not lacks_permission(answer):
                reads = reads or await self._good_elsewhere(path, token)
                raise self._rejected(Case(answer, table_of(path)), token, reads=reads)
        if answer.status < 300:
            self._tokens.accept(token)
            self._last_good = path if body is None else self._last_good
        return answer

    async def _good_elsewhere(self, path: str, token: Token) -> bool:
        """Ask with a fresh token, rejected here, for what was last read: one table must not stop the whole system."""
        if not self._last_good or table_of(self._last_good) == table_of(path):
            return False
        return (await self._once(self._last_good, token)).status < 300

    async def _token(self, dead: Token | None, *, writes: bool) -> Token:
        try:
            return await (self._tokens.renew(dead) if dead else self._tokens.current())
        except Unavailable as error:
            if not writes:
                raise
            # whatever happened to the sign-in, the body stayed here
            seconds = error.retry_after_seconds
            raise NotSent(error.message, system=SYSTEM, retry_after_seconds=seconds, hint=error.hint) from error

    def _rejected(self, case: Case, token: Token, *, reads: bool) -> Forbidden | Unauthorized:
        # A token that other tables accept is good: then this 401 is about this table, whatever its words.
        if reads or self._tokens.was_accepted(token):
            return forbidden(case)
        return self._tokens.refuse(unauthorized(case))

    async def _once(self, path: str, token: Token, body: bytes | None = None) -> HttpAnswer:
        url = path if "://" in path.partition("?")[0] else self._url + path
        headers = {"Authorization": f"Bearer {token.text}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
            return await self._exchange("POST", url, headers, body)
        async with self._limiter:
            return await self._exchange("GET", url, headers)

    async def _exchange(self, method: str, url: str, headers: dict[str, str], body: bytes | None = None) -> HttpAnswer:
        asked_at = self._asked()
        answer = await self._http.request(method, url, headers=headers, body=body)
        self._server_clock.observe(answer.date(), asked_at=asked_at)
        return answer

    def _asked(self) -> datetime:
        self.counts.requests += 1
        return self._clock.now()


def table_of(path: str) -> str:
    """Return the table or view a path reads."""
    return path.partition("?")[0].rsplit("/", 1)[-1]


def pause_seconds(attempt: int, retry_after_seconds: float | None) -> float:
    """Return how long to wait after a failed attempt: full jitter, and no less than P21 asks for."""
    ceiling = min(LONGEST_BACKOFF_SECONDS, BACKOFF_SECONDS * 2 ** (attempt - 1))
    return max(random.uniform(0, ceiling), retry_after_seconds or 0)
