"""Every read of P21 goes through here: token, limit of simultaneous requests, retries, the errors of `classify`."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import anyio

from p21d.clock import Clock
from p21d.errors import Forbidden, Unauthorized, Unavailable
from p21d.http import HttpAnswer, HttpClient
from p21d.prophet21.classify import Case, forbidden, lacks_permission, read_error, unauthorized
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
    """Makes GET requests with one account at one P21."""

    def __init__(
        self, config: Prophet21Config, http: HttpClient, tokens: TokenSource, server_clock: ServerClock, clock: Clock
    ) -> None:
        self._url = config.api_url.rstrip("/")
        self._http = http
        self._tokens = tokens
        self._server_clock = server_clock
        self._clock = clock
        self._limiter = anyio.CapacityLimiter(config.concurrent_requests)
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

    async def _attempt(self, path: str) -> HttpAnswer:
        answer = await self._authorized(path)
        error = read_error(answer, table_of(path))
        if isinstance(error, Unavailable):
            error.retry_after_seconds = answer.retry_after_seconds(self._clock.now())
        if error:
            raise error
        return answer

    async def _authorized(self, path: str) -> HttpAnswer:
        token = await self._tokens.current()
        answer = await self._once(path, token)
        if answer.status == 401 and not lacks_permission(answer):
            token = await self._tokens.renew(token)
            answer = await self._once(path, token)
            if answer.status == 401 and not lacks_permission(answer):
                raise self._rejected(Case(answer, table_of(path)), token)
        if answer.status < 300:
            self._tokens.accept(token)
        return answer

    def _rejected(self, case: Case, token: Token) -> Forbidden | Unauthorized:
        # A token that other tables accept is good: then this 401 is about this table, whatever its words.
        if self._tokens.was_accepted(token):
            return forbidden(case)
        return self._tokens.refuse(unauthorized(case))

    async def _once(self, path: str, token: Token) -> HttpAnswer:
        headers = {"Authorization": f"Bearer {token.text}", "Accept": "application/json"}
        async with self._limiter:
            asked_at = self._asked()
            answer = await self._http.request("GET", self._url + path, headers=headers)
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
