"""Holds the bearer: an API key, or a company token that is renewed in time and by one task at a time.

A refused login is not hammered: after it every caller gets the same Unauthorized without a call, for 60 s, then twice
as long, up to an hour. The pause ends with the first answer that takes the token, or with a reload.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

import anyio
import msgspec

from p21d.clock import Clock
from p21d.errors import RequestTimeout, Unauthorized, Unavailable
from p21d.http import HttpAnswer
from p21d.redactor import KNOWN
from p21d.sinks.ipaas.classify import Classifier, Kind
from p21d.sinks.ipaas.directory import Directory
from p21d.sinks.ipaas.options import IpaasOptions
from p21d.sinks.ipaas.verdicts import RESET_SECONDS, SYSTEM, credential_hint
from p21d.sinks.ipaas.wire import Wire

FIRST_PAUSE_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 3600.0
ROLES_KEPT_SECONDS = 300.0
USED_SHARE = 0.9
"""Share of a token's life after which it is renewed."""

_PASSING = frozenset({Kind.OUTAGE, Kind.BARE, Kind.FAILED, Kind.LATER})


class TokenAnswer(msgspec.Struct):
    """What login, change company and refresh answer; members not needed here are left aside."""

    access_token: str
    refresh_token: str | None = None
    access_token_expiration: str | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer, when its login was and when to renew it, on the monotonic clock."""

    access: str
    refresh: str
    since: float
    renew_at: float

    def __repr__(self) -> str:
        return "Token(***)"


class Session:
    """Gives out the bearer and renews it."""

    def __init__(
        self, options: IpaasOptions, directory: Directory, wire: Wire, classifier: Classifier, clock: Clock
    ) -> None:
        self._options = options
        self._directory = directory
        self._wire = wire
        self._classifier = classifier
        self._clock = clock
        self._turn = anyio.Lock()
        self._token: Token | None = None
        self._pause_seconds = 0.0
        self._closed_until = 0.0
        self._refusal = ""
        self._accepted = ""

    async def headers(self) -> dict[str, str]:
        """Return the headers of a data call; raises Unauthorized while paused, Unavailable without an answer."""
        self._check_pause()
        return self._headers(await self._bearer())

    async def renew(self, used: Mapping[str, str], *, by_login: bool) -> None:
        """Replace the bearer a call was refused with, unless another task has done so.

        A refresh is tried first, a new login where it is refused or where `by_login` is set. Raises Unauthorized.
        """
        async with self._turn:
            self._check_pause()
            key = self._options.api_key
            if key is not None:
                self.refuse("the hub refuses the API key")
            if self._token is not None and used.get("Authorization") == f"Bearer {self._token.access}":
                self._token = await self._obtained(by_login=by_login)

    def refuse(self, message: str, *, hint: str = "") -> NoReturn:
        """Begin or lengthen the pause and raise Unauthorized."""
        now = self._clock.monotonic()
        if now >= self._closed_until:
            self._pause_seconds = min(max(FIRST_PAUSE_SECONDS, self._pause_seconds * 2), LONGEST_PAUSE_SECONDS)
            self._closed_until = now + self._pause_seconds
        self._refusal = message
        self._token = None
        raise Unauthorized(message, system=SYSTEM, hint=hint or credential_hint(self._options))

    def accept(self, used: Mapping[str, str]) -> None:
        """End the pause's growth: the hub took the bearer of these headers."""
        self._accepted = used.get("Authorization", "")
        self._pause_seconds = self._closed_until = 0.0

    def was_accepted(self, used: Mapping[str, str]) -> bool:
        """Tell whether the bearer of a refused call is no proof of wrong credentials: it worked, or is replaced."""
        bearer = used.get("Authorization", "")
        if self._options.api_key is not None:
            return False
        return bearer == self._accepted or self._token is None or bearer != f"Bearer {self._token.access}"

    def forget_roles(self) -> None:
        """Log in anew for the next call, after a missing permission: a token holds the roles of its login (facts 2)."""
        if self._token is not None and self._clock.monotonic() - self._token.since >= ROLES_KEPT_SECONDS:
            self._token = None

    def paused_seconds(self) -> float:
        """Return how long no call will be made."""
        return max(0.0, self._closed_until - self._clock.monotonic())

    def _check_pause(self) -> None:
        if self.paused_seconds():
            # the same words each time: a reason that changes is logged again
            raise Unauthorized(self._refusal, system=SYSTEM, hint=credential_hint(self._options))

    def _headers(self, bearer: str | None) -> dict[str, str]:
        values = {"client_id": self._options.client_id, "company_id": self._options.company_id}
        named = {
            self._directory.headers[key]: value
            for key, value in values.items()
            if value and self._directory.headers[key]
        }
        authorization = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return {"Content-Type": "application/json", "Accept": "application/json", **named, **authorization}

    async def _bearer(self) -> str:
        if self._options.api_key is not None:
            return self._options.api_key.reveal()
        if self._token is None or self._clock.monotonic() >= self._token.renew_at:
            async with self._turn:
                self._check_pause()
                if self._token is None or self._clock.monotonic() >= self._token.renew_at:
                    self._token = await self._obtained(by_login=False)
        return self._token.access

    async def _obtained(self, *, by_login: bool) -> Token:
        if self._token is not None and self._token.refresh and not by_login:
            refreshed = await self._refreshed(self._token)
            if refreshed is not None:
                return refreshed
        return await self._logged_in()

    async def _refreshed(self, token: Token) -> Token | None:
        body = {"access_token": token.access, "refresh_token": token.refresh}
        answer = await self._ask("POST", "refresh", body)
        if self._classifier.kind(answer) is not None:
            return None
        return self._read(answer, keep_refresh=token.refresh, since=token.since)

    async def _logged_in(self) -> Token:
        password = self._options.password
        body = {"email_address": self._options.email_address, "password": password.reveal() if password else ""}
        answer = await self._ask("POST", "login", body)
        if self._classifier.kind(answer) is not None:
            self.refuse(_refusal(answer, self._classifier, "login"))
        user = self._read(answer)
        company_id = self._options.company_id or ""
        answer = await self._ask("GET", "change_company", None, bearer=user.access, company_id=company_id)
        if self._classifier.kind(answer) is not None:
            hint = "check sink.company_id, and that the user has a part in that company"
            self.refuse(_refusal(answer, self._classifier, "change of company"), hint=hint)
        return self._read(answer, keep_refresh=user.refresh)

    async def _ask(self, method: str, step: str, body: Any, *, bearer: str | None = None, **parts: str) -> HttpAnswer:
        """Make one call of the login; raises Unavailable for whatever is not the hub's own yes or no."""
        url = self._directory.auth_url(step, **parts)
        sent = msgspec.json.encode(body) if body is not None else None
        try:
            answer = await self._wire.request(method, url, self._headers(bearer), sent)
        except RequestTimeout as error:  # concerns every record, not the one whose call waited for the token
            raise Unavailable(error.message, system=SYSTEM) from error
        kind = self._classifier.kind(answer)
        if kind is not None:
            self._wire.count_failure()
        if kind in _PASSING:
            seconds = answer.retry_after_seconds(self._clock.now())
            if seconds is None and kind is Kind.LATER:
                seconds = RESET_SECONDS
            hint = f"check sink.base_url and sink.auth.{step}" if kind in {Kind.BARE, Kind.OUTAGE} else ""
            message = f"hub: {step} is answered {answer.status}"
            raise Unavailable(message, system=SYSTEM, retry_after_seconds=seconds, hint=hint)
        return answer

    def _read(self, answer: HttpAnswer, *, keep_refresh: str = "", since: float | None = None) -> Token:
        try:
            told = msgspec.json.decode(answer.body, type=TokenAnswer)
        except (msgspec.DecodeError, UnicodeDecodeError):
            # not chained: msgspec's own words may quote what was received
            raise Unavailable("hub: the login's answer holds no token", system=SYSTEM) from None
        life = _seconds_of_life(told.access_token_expiration, answer.date() or self._clock.now())
        now = self._clock.monotonic()
        refresh = told.refresh_token or keep_refresh
        for token in (told.access_token, refresh):
            KNOWN.add_token(token)
        return Token(told.access_token, refresh, now if since is None else since, now + life * USED_SHARE)


def _refusal(answer: HttpAnswer, classifier: Classifier, what: str) -> str:
    """Return the message of a refused login, without the answer's words: they may echo what was sent."""
    code = classifier.coded(answer)
    return f"hub: the {what} is refused: {answer.status}{' ' + code if code else ''}"


def _seconds_of_life(expiration: str | None, answered_at: datetime) -> float:
    """Return a token's life by the hub's own clock; an hour, the documented life, where it does not tell."""
    try:
        at = datetime.fromisoformat(expiration or "")
    except ValueError:
        return 3600.0
    life = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - answered_at).total_seconds()
    return life if life > 0 else 3600.0
