"""Mint and check P21's bearer tokens: password v2 and v1, consumer key, lifetimes, a mint that kills older ones."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from p21d.sandbox.prophet21.answers import json_answer, json_or_xml

if TYPE_CHECKING:
    from p21d.clock import Clock
    from p21d.sandbox.prophet21.settings import Settings

_BAD_LOGIN = {"error": "invalid_grant", "error_description": "The user name or password is incorrect."}
_BAD_KEY = {
    "ErrorMessage": "Unable to generate client token.",
    "ErrorType": "P21.Business.Common.TokenException",
    "InnerException": "Consumer not found.",
}
_CONSUMER_LIFETIME_SECONDS = 630_720_000


@dataclass(frozen=True)
class Credentials:
    """The one user and the one consumer key this P21 knows."""

    username: str
    password: str = field(repr=False)
    consumer_key: str = field(repr=False)


class Tokens:
    """Hold the living tokens; `minted` counts all ever made."""

    def __init__(self, credentials: Credentials, settings: Settings, clock: Clock) -> None:
        self.minted = 0
        self._credentials = credentials
        self._settings = settings
        self._clock = clock
        self._living: dict[str, datetime] = {}

    def alive(self, token: str) -> bool:
        """Say whether this token opens the doors now."""
        ends_at = self._living.get(token)
        return ends_at is not None and self._clock.now() < ends_at

    def kill_all(self) -> None:
        """Make every token given out so far worthless."""
        self._living.clear()

    async def mint_v2(self, request: web.Request) -> web.Response:
        """Answer `POST /api/security/token/v2`: user and password, or a consumer key."""
        try:
            body = msgspec.json.decode(await request.read(), type=dict[str, Any])
        except msgspec.DecodeError:
            return json_answer(_BAD_LOGIN, status=401)
        if body.get("GrantType") == "client_credentials":
            return self._consumer_answer(request, body)
        return self._password_answer(request, body.get("username"), body.get("password"))

    async def mint_v1(self, request: web.Request) -> web.Response:
        """Answer `POST /api/security/token[/]`: user and password in HTTP headers."""
        return self._password_answer(request, request.headers.get("username"), request.headers.get("password"))

    def _password_answer(self, request: web.Request, username: Any, password: Any) -> web.Response:
        known = self._credentials
        if (username, password) != (known.username, known.password):
            return json_answer(_BAD_LOGIN, status=401)
        seconds = self._settings.token_lifetime_seconds
        body: dict[str, Any] = {"AccessToken": self._mint(seconds), "RefreshToken": secrets.token_hex(16)}
        if self._settings.lifetime_key != "none":
            body[self._settings.lifetime_key] = seconds
        body["TokenType"] = "Bearer"
        return json_or_xml(request, "TokenResponse", body, self._settings)

    def _consumer_answer(self, request: web.Request, asked: dict[str, Any]) -> web.Response:
        if asked.get("ClientSecret") != self._credentials.consumer_key:
            return json_answer(_BAD_KEY, status=500)
        body = {
            "AccessToken": self._mint(_CONSUMER_LIFETIME_SECONDS),
            "TokenType": "Bearer",
            "UserName": asked.get("username", ""),
            "ExpiresIn": _CONSUMER_LIFETIME_SECONDS,
            "RefreshToken": "",
            "Scope": "/api",
            "SessionId": secrets.token_hex(16),
            "ConsumerUid": "12",
            "AppKey": None,
        }
        return json_or_xml(request, "TokenResponse", body, self._settings)

    def _mint(self, seconds: int) -> str:
        if self._settings.mint_kills_older:
            self._living.clear()
        token = (
            f"eyJhbGciOiJIUzI1NiJ9.{self._settings.token_mark}{secrets.token_urlsafe(48)}.{secrets.token_urlsafe(32)}"
        )
        self._living[token] = self._clock.now() + timedelta(seconds=seconds)
        self.minted += 1
        return token


def bearer_of(request: web.Request) -> str | None:
    """Return the token of a well-formed `Authorization: Bearer TOKEN` (capital B, one blank), else None."""
    kind, blank, token = request.headers.get("Authorization", "").partition(" ")
    return token if kind == "Bearer" and blank and token and " " not in token else None
