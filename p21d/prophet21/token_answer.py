"""What P21's token endpoint says: JSON or XML, the lifetime under two names or none, refusals in several dresses."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import msgspec

from p21d.errors import PageError
from p21d.http import HttpAnswer

DEFAULT_LIFETIME_SECONDS = 86_400.0
EARLY_SECONDS = 300.0
MAX_LIFETIME_SECONDS = 10 * 365 * 86_400.0


@dataclass(frozen=True, slots=True, eq=False)
class Token:
    """A bearer token; its text is in no repr. Instants are monotonic seconds."""

    text: str = field(repr=False)
    minted_at: float
    expires_at: float

    def renew_at(self) -> float:
        """Return when to replace it: five minutes early, or halfway through a short life."""
        return max(self.expires_at - EARLY_SECONDS, (self.minted_at + self.expires_at) / 2)


def read_token(answer: HttpAnswer, *, minted_at: float) -> Token:
    """Return the token of a good answer; raises PageError where there is none."""
    values = _json_values(answer.body) or _xml_values(answer.body)
    text = values.get("AccessToken", "")
    if not text or not text.isascii() or not text.isprintable():
        # The body is not shown: an answer in an unknown form may hold a token.
        kind = answer.headers.get("Content-Type", "no content type")
        raise PageError(
            f"Prophet 21's token answer holds no token ({answer.status}, {kind}, {len(answer.body)} bytes)",
            system="Prophet 21",
            hint="check prophet21.api_url; a proxy may have answered in P21's place",
        )
    return Token(text, minted_at, minted_at + _lifetime_seconds(values))


def _json_values(body: bytes) -> dict[str, str]:
    try:
        values = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return {str(key): str(value) for key, value in values.items()} if isinstance(values, dict) else {}


def _xml_values(body: bytes) -> dict[str, str]:
    # Three known members and no nesting: a pattern reads them with any namespace, and no entity is ever expanded.
    pattern = r"<(?:\w+:)?(AccessToken|ExpiresInSeconds|ExpiresIn)(?:\s[^>]*)?>\s*([^<]*?)\s*<"
    return dict(re.findall(pattern, body[:100_000].decode("utf-8", "replace")))


def _lifetime_seconds(values: dict[str, str]) -> float:
    for name in ("ExpiresInSeconds", "ExpiresIn"):
        try:
            seconds = float(values.get(name, ""))
        except ValueError:
            continue
        if seconds > 0:
            return min(seconds, MAX_LIFETIME_SECONDS)
    return DEFAULT_LIFETIME_SECONDS
