"""Who may call the sandbox hub: user-level and company-level tokens, API keys, the webhook key.

Only company-level tokens and API keys open the data APIs; a user-level token from the login must first be changed for a
company's.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from p21d.clock import Clock
from p21d.sandbox.hub.refusal import RefusedError
from p21d.sandbox.hub.settings import HubSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the sandbox hub knows: one user of one company, its keys, and the subscription that is ours."""

    email: str
    password: str = field(repr=False)
    company_id: str
    api_keys: tuple[str, ...] = field(repr=False)
    webhook_api_key: str = field(repr=False)
    system_id: int


@dataclass(slots=True)
class Token:
    """An access token with its refresh token and end."""

    access: str
    refresh: str
    for_company: bool
    expires_at: datetime


class Tokens:
    """Issue tokens and check the bearer of each call."""

    def __init__(self, settings: HubSettings, clock: Clock, identity: Identity) -> None:
        self._settings = settings
        self._clock = clock
        self._company_id = identity.company_id
        self.api_keys = set(identity.api_keys)
        self._hook_key = identity.webhook_api_key
        self._tokens: dict[str, Token] = {}
        self._data_calls = 0

    def issue(self, *, for_company: bool) -> Token:
        """Return a new token of the life that is set."""
        expires_at = self._clock.now() + timedelta(seconds=self._settings.token_lifetime_seconds)
        name = "company" if for_company else "user"
        mark = self._settings.token_mark
        access, refresh = f"{name}.{mark}{secrets.token_hex(12)}", mark + secrets.token_hex(12)
        token = Token(access, refresh, for_company, expires_at)
        self._tokens[token.access] = token
        return token

    def told_expiration(self, token: Token) -> str:
        """Return the expiration as an answer tells it, skewed if that is set."""
        return (token.expires_at + timedelta(seconds=self._settings.expiry_skew_seconds)).isoformat()

    def kill_all(self) -> None:
        """End every token at once; API keys live on."""
        self._tokens.clear()

    def renew(self, access: str, refresh: str) -> Token:
        """Return a new token of the same level, even for an expired one; raises AUTH-1002."""
        old = self._tokens.get(access)
        if self._settings.refresh_refused or old is None or not secrets.compare_digest(old.refresh, refresh):
            raise RefusedError("AUTH-1002", "The refresh token is invalid")
        token = self.issue(for_company=old.for_company)
        # Vendor clients keep their first refresh token for good, so it stays valid.
        token.refresh = old.refresh
        return token

    def admit_user(self, headers: Mapping[str, str]) -> None:
        """Let any living token in; raises AUTH-1001 or AUTH-1002."""
        self._alive(_bearer(headers))

    def admit_data(self, headers: Mapping[str, str]) -> None:
        """Let a company-level token or an API key in; raises AUTH-1001 to AUTH-1004."""
        bearer = _bearer(headers)
        self._data_calls += 1
        every = self._settings.token_dies_every
        if every and self._data_calls % every == 0:
            self._tokens.pop(bearer, None)
        if bearer == self._hook_key:
            raise RefusedError("AUTH-1003", "The webhook key does not open this API")
        if bearer not in self.api_keys and not self._alive(bearer).for_company:
            raise RefusedError("AUTH-1004", "The token belongs to no company, change company first")
        self._check_client(headers)

    def admit_hook(self, headers: Mapping[str, str]) -> None:
        """Let only the webhook key in; raises AUTH-1001 or AUTH-1003."""
        if _bearer(headers) != self._hook_key:
            raise RefusedError("AUTH-1003", "This API takes the webhook API key only")

    def _alive(self, bearer: str) -> Token:
        token = self._tokens.get(bearer)
        if token is None or token.expires_at <= self._clock.now():
            raise RefusedError("AUTH-1002", "The token is invalid or expired")
        return token

    def _check_client(self, headers: Mapping[str, str]) -> None:
        name = self._settings.require_client_id
        if name != "off" and headers.get(name) != (self._settings.client_id or self._company_id):
            raise RefusedError("AUTH-1004", "The company could not be determined")


def _bearer(headers: Mapping[str, str]) -> str:
    scheme, _, bearer = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not bearer.strip():
        raise RefusedError("AUTH-1001", "No bearer token")
    return bearer.strip()
