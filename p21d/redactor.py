"""Cuts known secrets out of text and values before anybody sees them.

Known are the configuration's secrets, in every spelling they take on the way (plain, inside JSON, inside a URL,
base64), what follows `Bearer` or `Basic`, and any value under a name that says it is one. A secret of fewer than four
characters is not looked for in text: it would blacken half of every line, and no credential is that short.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from p21d.secret import Secret

MASK = "***"
SHORTEST = 4
_SCHEME = re.compile(r"\b(Bearer|Basic)\s+(?=\S*[\d=])[\w.~+/=-]{6,}", re.IGNORECASE)
_NAME = re.compile(r"password|passwd|secret|token|authorization|cookie|api_?key|consumer_key|credential", re.IGNORECASE)


class Redactor:
    """Replaces secrets by `***`; secrets are added as they become known, at start and by reload."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._spellings: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.add(secrets)

    def add(self, secrets: Iterable[Secret]) -> None:
        """Learn more secrets; those known stay known, since old lines may still be under way."""
        for secret in secrets:
            self._spellings.update(form for form in _spellings(secret.reveal()) if len(form) >= SHORTEST)
        if self._spellings:
            longest_first = sorted(self._spellings, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def text(self, text: str) -> str:
        """Return `text` without any known secret."""
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


def _spellings(secret: str) -> set[str]:
    in_json = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    return {secret, *in_json, quote(secret, safe=""), quote_plus(secret), base64.b64encode(secret.encode()).decode()}
