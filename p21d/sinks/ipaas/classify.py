"""Turns an answer of the hub (status, code, reason phrase, body) into the error that says what to do about it.

One table, read from the top: a proxy's page, then the hub's own code, then the status, then the words. A bare 404
proves nothing, for a proxy or a half-started hub says it as well: it is an outage, told apart by `BareNotFound`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from enum import Enum, auto

from p21d.errors import P21dError, ParentMissing, RecordFailed, RecordRefused
from p21d.http import HttpAnswer
from p21d.sinks.ipaas.answers import code_of, id_in, is_page, is_standard, words_of
from p21d.sinks.ipaas.options import IpaasOptions
from p21d.sinks.ipaas.table import CODE_PATTERN, ID_IN_TEXT
from p21d.sinks.ipaas.verdicts import (
    Subject,
    Told,
    account_refused,
    bare_not_found,
    duplicate,
    forbidden,
    inactive_twin,
    later,
    not_found,
    outage,
    unauthorized,
)


class Kind(Enum):
    """What an answer means to the daemon."""

    TOKEN = auto()
    ACCOUNT = auto()
    FORBIDDEN = auto()
    PARENT = auto()
    DUPLICATE = auto()
    INACTIVE = auto()
    REFUSED = auto()
    MISSING = auto()
    BARE = auto()
    FAILED = auto()
    LATER = auto()
    OUTAGE = auto()


_BY_CODE = (
    ("AUTH-1001", Kind.TOKEN),
    ("AUTH-1002", Kind.TOKEN),
    ("AUTH", Kind.ACCOUNT),
    ("AUTZ", Kind.FORBIDDEN),
    ("VALD-1017", Kind.ACCOUNT),  # a system id the company does not own concerns every record
    ("VALD-1023", Kind.ACCOUNT),
    ("VALD-1038", Kind.PARENT),
    ("VALD", Kind.REFUSED),
    ("BIZL-1003", Kind.DUPLICATE),
    ("BIZL-1004", Kind.DUPLICATE),
    ("BIZL-1006", Kind.DUPLICATE),
    ("BIZL-1007", Kind.DUPLICATE),
    ("BIZL-1009", Kind.INACTIVE),
    ("BIZL", Kind.REFUSED),
    ("NFND", Kind.MISSING),
    ("INTL", Kind.FAILED),
)
_BY_STATUS = {
    401: Kind.TOKEN,
    402: Kind.FORBIDDEN,
    403: Kind.FORBIDDEN,
    404: Kind.BARE,
    405: Kind.OUTAGE,
    407: Kind.OUTAGE,
    408: Kind.FAILED,
    410: Kind.BARE,
    429: Kind.LATER,
    500: Kind.FAILED,
}
_BY_WORDS = (
    (re.compile(r"inactive (record|\w+ has|\w+ holds)|reactivate", re.IGNORECASE), Kind.INACTIVE),
    (re.compile(r"already (exists|used|in use|linked)|must be unique|duplicate", re.IGNORECASE), Kind.DUPLICATE),
    (re.compile(r"must be created first", re.IGNORECASE), Kind.PARENT),
)


class Classifier:
    """Holds the table with this configuration's patterns."""

    def __init__(self, options: IpaasOptions) -> None:
        self._options = options
        self._code = re.compile(options.errors.code_pattern or CODE_PATTERN)
        self._id = re.compile(options.errors.id_in_text or ID_IN_TEXT)

    def kind(self, answer: HttpAnswer) -> Kind | None:
        """Return what an answer means, None for success."""
        page = is_page(answer)
        if page and answer.status not in {401, 500}:
            return Kind.OUTAGE
        if answer.status < 300:
            return None
        code = "" if page else code_of(answer, self._code)
        by_code = next((kind for prefix, kind in _BY_CODE if code and code.startswith(prefix)), None)
        return by_code or _BY_STATUS.get(answer.status) or self._by_words(answer)

    def error(self, answer: HttpAnswer, subject: Subject, now: datetime) -> P21dError | None:
        """Return the error to raise for an answer, None for success."""
        kind = self.kind(answer)
        if kind is None:
            return None
        told = Told(answer, subject, code_of(answer, self._code), id_in(answer, self._id), now, self._options)
        return _BUILDERS[kind](told)

    def coded(self, answer: HttpAnswer) -> str:
        """Return the hub's code in an answer, '' where there is none."""
        return code_of(answer, self._code)

    def _by_words(self, answer: HttpAnswer) -> Kind:
        if not 400 <= answer.status < 500:
            return Kind.OUTAGE
        words = words_of(answer)
        if is_standard(words):
            return Kind.FAILED  # names nothing: perhaps a cut answer, and no reason to give a record up at once
        return next((kind for pattern, kind in _BY_WORDS if pattern.search(words)), Kind.REFUSED)


_BUILDERS: dict[Kind, Callable[[Told], P21dError]] = {
    Kind.TOKEN: unauthorized,
    Kind.ACCOUNT: account_refused,
    Kind.FORBIDDEN: forbidden,
    Kind.PARENT: lambda told: ParentMissing(told.message, code=told.code),
    Kind.DUPLICATE: duplicate,
    Kind.INACTIVE: inactive_twin,
    Kind.REFUSED: lambda told: RecordRefused(told.message, code=told.code),
    Kind.MISSING: not_found,
    Kind.BARE: bare_not_found,
    Kind.FAILED: lambda told: RecordFailed(told.message, code=told.code),
    Kind.LATER: later,
    Kind.OUTAGE: outage,
}
