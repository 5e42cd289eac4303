"""The one bearer token of a connection: fetched at first use, renewed early, never by two callers at once.

A sign-in may end all earlier tokens of the user (facts 2.2), so ten tasks that meet a dead token make one call. A
refused sign-in is not repeated before a growing pause: P21 locks accounts, and p21d must not be the one to lock it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import msgspec

from p21d.clock import Clock
from p21d.errors import Unauthorized, Unavailable
from p21d.http import HttpAnswer, HttpClient
from p21d.prophet21.classify import SYSTEM, TRANSIENT, Case
from p21d.prophet21.server_clock import ServerClock
from p21d.prophet21.token_answer import Token, read_token
from p21d.redactor import KNOWN

if TYPE_CHECKING:
    from p21d.config import Prophet21Config

TIMEOUT_SECONDS = 30.0
RENEW_AGAIN_SECONDS = 30.0
FIRST_PAUSE_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 3600.0


class TokenSource:
    """Gives out the current token; the only place that reveals the credentials."""

    def __init__(self, config: Prophet21Config, http: HttpClient, server_clock: ServerClock, clock: Clock) -> None:
        self._config = config
        self._url = config.api_url.rstrip("/") + "/api/security/token"
        self._http = http
        self._server_clock = server_clock
        self._clock = clock
        self._lock = anyio.Lock()
        self._accepted: Token | None = None
        self._refusal: Unauthorized | None = None
        self._refused_until = 0.0
        self._renew_again_at = 0.0
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self.token: Token | None = None

    async def current(self) -> Token:
        """Return a token that should be good; raises Unauthorized, Unavailable."""
        self._raise_in_pause()
        token = self.token
        if token and self._clock.monotonic() < max(token.renew_at(), self._renew_again_at):
            return token
        try:
            return await self.renew(token)
        except Unavailable:
            if token is None or self._clock.monotonic() >= token.expires_at:
                raise
            # an early renewal may fail: the old token still works, and the next try waits a little
            self._renew_again_at = min(self._clock.monotonic() + RENEW_AGAIN_SECONDS, token.expires_at)
            return token

    async def renew(self, dead: Token | None) -> Token:
        """Replace a token that P21 rejected, unless somebody has done so meanwhile; raises as `current`."""
        async with self._lock:
            if self.token is not None and self.token is not dead:
                return self.token
            self._raise_in_pause()
            self.token = await self._mint()
            return self.token

    def accept(self, token: Token) -> None:
        """Take note that P21 answered a request with this token."""
        if self._accepted is not token:
            self._accepted = token
            self._pause_seconds = FIRST_PAUSE_SECONDS

    def was_accepted(self, token: Token) -> bool:
        """Return whether P21 has answered any request with this token."""
        return self._accepted is token

    def refuse(self, error: Unauthorized) -> Unauthorized:
        """Start the pause in which nobody signs in, and return the error to raise."""
        if self._clock.monotonic() >= self._refused_until:
            self._refused_until = self._clock.monotonic() + self._pause_seconds
            self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)
        self._refusal = error
        return error

    def _raise_in_pause(self) -> None:
        if self._refusal and self._clock.monotonic() < self._refused_until:
            raise Unauthorized(self._refusal.message, system=SYSTEM, hint=self._refusal.hint)

    async def _mint(self) -> Token:
        minted_at = self._clock.monotonic()
        answer = await self._post("/v2", _json_headers(), self._v2_body())
        if answer.status in {404, 405} and self._config.password and not self._config.consumer_key:
            answer = await self._post("", self._v1_headers(), b"{}")
        if answer.status != 200:
            raise self._failure(answer)
        token = read_token(answer, minted_at=minted_at)
        KNOWN.add_token(token.text)
        self._refusal = None
        return token

    async def _post(self, path: str, headers: dict[str, str], body: bytes) -> HttpAnswer:
        asked_at = self._clock.now()
        url = self._url + path
        answer = await self._http.request("POST", url, headers=headers, body=body, timeout_seconds=TIMEOUT_SECONDS)
        self._server_clock.observe(answer.date(), asked_at=asked_at)
        return answer

    def _v2_body(self) -> bytes:
        if self._config.consumer_key:
            values = {"ClientSecret": self._config.consumer_key.reveal(), "GrantType": "client_credentials"}
            if self._config.username:
                values["username"] = self._config.username
        else:
            password = self._config.password.reveal() if self._config.password else ""
            values = {"username": self._config.username or "", "password": password}
        return msgspec.json.encode(values)

    def _v1_headers(self) -> dict[str, str]:
        password = self._config.password.reveal() if self._config.password else ""
        return {**_json_headers(), "username": self._config.username or "", "password": password}

    def _failure(self, answer: HttpAnswer) -> Unauthorized | Unavailable:
        unknown_key = answer.status == 500 and self._config.consumer_key and b"TokenException" in answer.body
        if unknown_key or (400 <= answer.status < 500 and answer.status not in {404, 405} | TRANSIENT):
            return self.refuse(self._refused(answer))
        hint = "" if answer.status >= 500 else "check prophet21.api_url: no Prophet 21 gives out tokens there"
        return Unavailable(
            f"Prophet 21 gives no token now ({self._words(answer)})",
            system=SYSTEM,
            retry_after_seconds=answer.retry_after_seconds(self._clock.now()),
            hint=hint if answer.status not in TRANSIENT else "",
        )

    def _refused(self, answer: HttpAnswer) -> Unauthorized:
        keys = "prophet21.consumer_key" if self._config.consumer_key else "prophet21.username and prophet21.password"
        message = f"Prophet 21 refuses the sign-in ({self._words(answer)})"
        hint = f"check {keys}; p21d tries again by itself, ever more rarely, so that the account is not locked"
        return Unauthorized(message, system=SYSTEM, hint=hint)

    def _words(self, answer: HttpAnswer) -> str:
        words = Case(answer, "").status()
        for secret in (self._config.password, self._config.consumer_key):
            if secret and secret.reveal():
                words = words.replace(secret.reveal(), "***")
        return words


def _json_headers() -> dict[str, str]:
    return {"Accept": "application/json", "Content-Type": "application/json"}
