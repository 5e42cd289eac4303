"""What one answer of the Transaction API means for the order: created, refused, unknown, busy; pure.

HTTP 200 says nothing: failed writes come with it too (facts 5.5). `created` needs all of its four signs, `refused` and
`busy` need words or a status that show nothing was written. Everything else is `unknown`: the order may stand in P21.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from p21d.errors import Forbidden, NotSent, Unavailable
from p21d.http import HttpAnswer
from p21d.prophet21.classify import SYSTEM, Case, lacks_permission
from p21d.prophet21.orders.fields import HEADER
from p21d.prophet21.orders.port import Outcome, Verdict
from p21d.redactor import KNOWN

MOST_WORDS = 500
RESOURCE = "the Transaction API, service Order"

_PREFIX = re.compile(r"^\s*Transaction \d+::\s*", re.IGNORECASE)
_LOOK_UP = "p21d looks it up in P21 before anything is sent again"
_DIALOGUE = r"unexpected response window|object reference not set"
_DIALOGUE_HINT = f"a dialogue of Order Entry came up, perhaps after the save; {_LOOK_UP}"
_POOL = (
    r"(no|waiting for an?|all) (ui |free |available )*(sessions?|windows?)\b|session pool|"
    r"pool (is |was )?(busy|exhausted|full)|obtain an? (ui )?session|sessionpool"
)
_POOL_HINT = "all sessions of P21's UI server are taken; p21d waits"
_NO_PERMISSION = r"not authori[sz]ed to|permission.{0,60}(order entry|window|transaction|service|\bapi\b)"


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern of P21's words without case, and what they mean; `statuses` of the answers it is for."""

    words: str
    verdict: Verdict
    hint: str
    statuses: Container[int] = frozenset({200})


FAILED = (
    Rule(_DIALOGUE, Verdict.UNKNOWN, _DIALOGUE_HINT),
    Rule(_POOL, Verdict.BUSY, _POOL_HINT),
    Rule(
        r"\blocked\b|record lock|(being|is) (edited|used|modified|updated|maintained) by|in use by (another|user)|"
        r"open in another|"
        r"completed (is |= ?)'?t\b",
        Verdict.BUSY,
        "somebody has the customer, the contact or the order open; p21d waits until it is closed",
    ),
    Rule(
        r"time-?out expired|timed out|deadlock|transport-level|connection (was|is|has been)",
        Verdict.UNKNOWN,
        f"P21 lost its database on the way; {_LOOK_UP}",
    ),
    Rule(
        r"column is disabled|invalid column name",
        Verdict.REFUSED,
        "Order Entry of this site does not take that field: look at orders.defaults and orders.reference_field, and at "
        "the window in P21",
    ),
    Rule(
        r"sequence contains no matching element",
        Verdict.REFUSED,
        "a key field is missing from the order: the order mapping gives a line without user_line_no",
    ),
    Rule(
        r"tab page is disabled",
        Verdict.REFUSED,
        "P21 hides a tab of Order Entry from this account: look at its role and at the window in P21",
    ),
    Rule(r"cannot retrieve an rma", Verdict.REFUSED, "it is an RMA, which Order Entry does not write"),
    Rule(r"general exception", Verdict.UNKNOWN, f"P21 failed inside; {_LOOK_UP}"),
    Rule(
        r"",
        Verdict.REFUSED,
        "P21's own rules refuse it: correct the customer or item in P21, or the order in the hub, then "
        "`p21d orders retry`",
    ),
)
"""What the words mean of a transaction that P21 counts as failed; the first line that fits decides."""

OTHER = (
    Rule(
        "",
        Verdict.BUSY,
        "no Transaction API answers there: check prophet21.ui_server_url, or what P21's router says",
        {*range(300, 400), 404, 405, 410, 421},
    ),
    Rule("", Verdict.BUSY, "P21 takes no order now; p21d waits", {401, 429}),
    Rule(_DIALOGUE, Verdict.UNKNOWN, _DIALOGUE_HINT, range(1000)),
    Rule(_POOL, Verdict.BUSY, _POOL_HINT, range(500, 600)),
    Rule("", Verdict.REFUSED, "P21 does not take the order as it is written", set(range(400, 500)) - {408}),
    Rule("", Verdict.UNKNOWN, _LOOK_UP, range(1000)),
)
"""The same of answers other than 200."""


class _Edit(msgspec.Struct):
    name: str = msgspec.field(name="Name", default="")
    value: Any = msgspec.field(name="Value", default=None)


class _Row(msgspec.Struct):
    edits: list[_Edit] | None = msgspec.field(name="Edits", default=None)


class _Element(msgspec.Struct):
    name: str = msgspec.field(name="Name", default="")
    rows: list[_Row] | None = msgspec.field(name="Rows", default=None)


class _Transaction(msgspec.Struct):
    status: str | None = msgspec.field(name="Status", default=None)
    elements: list[_Element] | None = msgspec.field(name="DataElements", default=None)


class _Results(msgspec.Struct):
    transactions: list[_Transaction] | None = msgspec.field(name="Transactions", default=None)


class _Summary(msgspec.Struct):
    succeeded: int = msgspec.field(name="Succeeded")
    failed: int = msgspec.field(name="Failed")
    other: int = msgspec.field(name="Other", default=0)


class _Answer(msgspec.Struct):
    summary: _Summary | None = msgspec.field(name="Summary", default=None)
    messages: Any = msgspec.field(name="Messages", default=None)
    results: _Results | None = msgspec.field(name="Results", default=None)
    transactions: list[_Transaction] | None = msgspec.field(name="Transactions", default=None)


def outcome_of(answer: HttpAnswer) -> Outcome:
    """Return what an answer to a write means; raises Forbidden where the account may not write orders."""
    if answer.status == 403 or (answer.status == 401 and lacks_permission(answer)):
        raise no_permission(Case(answer, RESOURCE).status())
    if answer.status == 200:
        return _of_body(answer)
    return _of_status(answer)


def outcome_without_answer(error: Unavailable) -> Outcome:
    """Return what a call means that brought no complete answer."""
    if isinstance(error, NotSent):
        return Outcome(verdict=Verdict.BUSY, words=error.message, hint=error.hint)
    return Outcome(verdict=Verdict.UNKNOWN, words=error.message, hint=_LOOK_UP)


def no_permission(words: str) -> Forbidden:
    """Say that the account may not write orders, and where in P21 that is set."""
    return Forbidden(
        f"Prophet 21 does not let this account write orders ({words})",
        system=SYSTEM,
        resource=RESOURCE,
        hint="in P21 the user needs a role that may use the Transaction API and open and save in the window Order "
        "Entry; with a consumer key, its scope must name /uiserver0",
    )


def _of_status(answer: HttpAnswer) -> Outcome:
    words = Case(answer, RESOURCE).status()
    text = answer.text(MOST_WORDS).lower()
    rule = next(rule for rule in OTHER if answer.status in rule.statuses and re.search(rule.words, text))
    return Outcome(verdict=rule.verdict, words=words, hint=rule.hint)


def _of_body(answer: HttpAnswer) -> Outcome:
    try:
        decoded = msgspec.json.decode(answer.body.removeprefix(b"\xef\xbb\xbf"))
        body = msgspec.convert(decoded, _Answer, strict=False)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
        words = Case(answer, RESOURCE).words() or "an empty answer"
        return Outcome(verdict=Verdict.UNKNOWN, words=f"cannot be read: {words}", hint=_LOOK_UP)
    outcome = replace(_of_summary(body), words=words_of(body.messages))
    if outcome.verdict is Verdict.REFUSED and re.search(_NO_PERMISSION, outcome.words.lower()):
        raise no_permission(outcome.words)
    return outcome


def words_of(messages: object) -> str:
    """Return P21's messages, one or several, in one line, without secrets or the number of the transaction."""
    several = messages if isinstance(messages, list) else [messages]
    texts = [KNOWN.text(str(message)) for message in several if message is not None]
    cleaned = [" ".join(_PREFIX.sub("", text).split()) for text in texts]
    return "; ".join(dict.fromkeys(word for word in cleaned if word))[:MOST_WORDS]


def _of_summary(body: _Answer) -> Outcome:
    transactions = (body.results.transactions if body.results else None) or body.transactions or []
    passed = [one for one in transactions if (one.status or "").strip().lower() == "passed"]
    numbers = {number for one in passed for number in order_nos(one)}
    match body.summary:
        case _Summary(succeeded=1, failed=0, other=0) if len(numbers) == 1:
            return Outcome(verdict=Verdict.CREATED, order_no=numbers.pop())
        case _Summary(succeeded=0, failed=failed, other=0) if failed > 0 and not passed:
            return _of_words(words_of(body.messages))
    return Outcome(verdict=Verdict.UNKNOWN, hint="P21 does not say clearly what became of it; " + _LOOK_UP)


def _of_words(words: str) -> Outcome:
    rule = next(rule for rule in FAILED if re.search(rule.words, words.lower()))
    return Outcome(verdict=rule.verdict, hint=rule.hint)


def order_nos(transaction: _Transaction) -> set[str]:
    """Return the order numbers in a transaction: those of the header, else those of any element."""
    elements = transaction.elements or []
    header = [element for element in elements if element.name.lower() == HEADER.lower()]
    return set(_numbers(header)) or set(_numbers(elements))


def _numbers(elements: Sequence[_Element]) -> Iterator[str]:
    edits = (edit for element in elements for row in element.rows or [] for edit in row.edits or [])
    for edit in edits:
        if edit.name.lower() == "order_no" and edit.value is not None and str(edit.value).strip():
            yield str(edit.value).strip()
