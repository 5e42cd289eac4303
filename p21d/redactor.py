"""Cuts known secrets out of text and values before anybody sees them.

Known are the configuration's secrets and the tokens had for them, in every spelling they take on the way (plain, inside
JSON, a URL, a web page or base64), what follows `Bearer` or `Basic`, and any value under a name that says it is one. A
long secret is known by its beginning too: whoever quotes it may have cut it. A secret of fewer than four characters is
not looked for in text: it would blacken half of every line, and no credential is that short.

Why one for the whole process, `KNOWN`: text of another system becomes a message in many places, and a message is kept,
logged, shown and printed in many more. Every message passes P21dError, so it is cleaned once, where it is born. That a
connection's secret is cut out of the words about another one hurts nobody.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from p21d.secret import Secret

MASK = "***"
SHORTEST = 4
LATEST_TOKENS = 12
"""Tokens remembered: those in force, and enough earlier ones for what is still under way with them."""
_CUT_FROM = 24
_BEGINNING = 16
"""Of a secret of `_CUT_FROM` characters and more, so many at its beginning give it away."""
_SHORTEST_BASE64 = 8
_SCHEME = re.compile(r"\b(Bearer|Basic)\s+(?=\S*[\d=])[\w.~+/=-]{6,}", re.IGNORECASE)
_NAME = re.compile(r"password|passwd|secret|token|authorization|cookie|api_?key|consumer_key|credential", re.IGNORECASE)


class Redactor:
    """Replaces secrets by `***`; secrets are added as they become known, at start, by reload and by sign-in."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._spellings: set[str] = set()
        self._tokens: deque[str] = deque(maxlen=LATEST_TOKENS)
        self._pattern: re.Pattern[str] | None = None
        self._stale = False
        self.add(secrets)

    def add(self, secrets: Iterable[Secret]) -> None:
        """Learn more secrets; those known stay known, since old lines may still be under way."""
        for secret in secrets:
            self._spellings.update(form for form in _spellings(secret.reveal()) if len(form) >= SHORTEST)
        self._stale = True

    def add_token(self, token: str) -> None:
        """Learn a token that was signed in for; the latest few are known."""
        if len(token) >= SHORTEST and token not in self._tokens:
            self._tokens.append(token)
            self._stale = True

    def text(self, text: str) -> str:
        """Return `text` without any known secret."""
        if self._stale:  # only now: compiling takes some 20 ms, and no call that signs in waits for it
            self._pattern, self._stale = self._compiled(), False
        if self._pattern is not None:
            text = self._pattern.sub(MASK, text)
        return _SCHEME.sub(rf"\1 {MASK}", text)

    def value(self, value: Any, name: str = "") -> Any:
        """Return a JSON-safe copy of `value` without any known secret; `name` is the key it stands under."""
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if _NAME.search(name):
            return MASK
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(item, str(key)) for key, item in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.value(item) for item in value]
        return self.text(str(value))

    def _compiled(self) -> re.Pattern[str] | None:
        forms = self._spellings | {form for token in self._tokens for form in _spellings(token)}
        longest_first = [re.escape(form) for form in sorted(forms, key=len, reverse=True)]
        beginnings = {re.escape(form[:_BEGINNING]) + r"[^\s\"'<>&,;]*" for form in forms if len(form) >= _CUT_FROM}
        return re.compile("|".join([*longest_first, *sorted(beginnings)])) if forms else None


KNOWN = Redactor()
"""What this process knows; see the module's Why."""


def _spellings(secret: str) -> set[str]:
    return {form for written in _encodings(secret) for form in _escapes(written)} | set(
        _in_base64(secret.encode("utf-8", "replace"))
    )


def _encodings(secret: str) -> set[str]:
    """Return what becomes of a secret with signs beyond ASCII where somebody takes its encoding for another."""
    utf_8, latin_1 = secret.encode("utf-8", "replace"), secret.encode("latin-1", "replace")
    guessed = {latin_1.decode("utf-8", errors) for errors in ("replace", "surrogateescape")}
    return {secret, secret.encode("ascii", "replace").decode(), utf_8.decode("latin-1"), *guessed}


def _escapes(secret: str) -> set[str]:
    in_json = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    # .NET escapes more signs in JSON than others, writes %2f small, and &#39; where Python writes &#x27;
    in_json.add(re.sub(r"[<>&'\"+`]", lambda sign: f"\\u{ord(sign[0]):04X}", secret))
    raw = secret.encode("utf-8", "surrogatepass")
    in_url = {quote(raw, safe=""), quote(raw), quote_plus(raw)}
    in_url |= {re.sub(r"%..", lambda sign: sign[0].lower(), form) for form in in_url}
    in_page = {html.escape(secret), html.escape(secret).replace("&#x27;", "&#39;"), html.escape(secret, quote=False)}
    return {secret, *in_json, *in_url, *in_page}


def _in_base64(secret: bytes) -> Iterator[str]:
    """Yield base64 of the secret, and what it always comes to inside a longer text, wherever it begins there."""
    yield base64.b64encode(secret).decode()
    for before in range(3):
        length = before + len(secret)
        whole = base64.b64encode(bytes(before) + secret).decode()[-(-before * 8 // 6) : length * 8 // 6]
        if len(whole) >= _SHORTEST_BASE64:
            yield whole
            yield whole.replace("+", "-").replace("/", "_")
