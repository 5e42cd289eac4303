"""One table that turns an answer of P21 to a read into the error it means.

P21 answers a query it does not like with 404, never with "no rows" (facts 3.4), and a missing permission with 401
(facts 2.3): the words of the body tell such answers apart. The first line of `RULES` that fits decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from dataclasses import dataclass

from p21d.errors import Forbidden, P21dError, PageError, ReadRefused, Unauthorized, Unavailable
from p21d.http import HttpAnswer

SYSTEM = "Prophet 21"
TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
WORDS_IN_MESSAGE = 200

_NO_PERMISSION = r"not authorized to access api"
_HTML = r"^\s*<(!doctype|html|head|body)"


@dataclass(frozen=True, slots=True)
class Case:
    """One answer to a request for one table."""

    answer: HttpAnswer
    table: str

    def words(self) -> str:
        """Return the start of the body for a message; no markup of a whole page."""
        return "a web page" if _looks_like_html(self.answer) else self.answer.text(WORDS_IN_MESSAGE)

    def status(self) -> str:
        """Return status, reason and words in one line."""
        line = f"{self.answer.status} {self.answer.reason}".strip()
        words = self.words()
        return f"{line}: {words}" if words else line


@dataclass(frozen=True, slots=True)
class Rule:
    """Statuses and a pattern of the body, and the error they mean."""

    statuses: Container[int]
    body: str
    error: Callable[[Case], P21dError]


def read_error(answer: HttpAnswer, table: str) -> P21dError | None:
    """Return what an answer to a read of `table` means, None where it is a page."""
    case = Case(answer, table)
    text = answer.body[:4096].decode("utf-8", "replace").lower()
    for rule in RULES:
        if answer.status in rule.statuses and re.search(rule.body, text):
            return rule.error(case)
    return None if answer.status == 200 else _refused("")(case)


def lacks_permission(answer: HttpAnswer) -> bool:
    """Return whether this 401 is a missing permission, which no new token would cure."""
    return _NO_PERMISSION in answer.text().lower()


def forbidden(case: Case) -> Forbidden:
    """Say that the account may not read a table, and where in P21 that is set."""
    return Forbidden(
        f"Prophet 21 does not let this account read {case.table} ({case.status()})",
        system=SYSTEM,
        resource=case.table,
        hint='in P21 the user needs "Allow OData API Service" = Yes and its role the Dataservice Permission for '
        f"{case.table}; with a consumer key, its scope must name the table",
    )


def unauthorized(case: Case) -> Unauthorized:
    """Say that P21 rejects even a fresh token."""
    return Unauthorized(
        f"Prophet 21 rejects the token it has just given ({case.status()})",
        system=SYSTEM,
        hint="check prophet21.username and prophet21.password (or prophet21.consumer_key), and that no other program "
        "signs in as this user: each sign-in may end the token of the one before",
    )


def _refused(means: str, hint: str = "") -> Callable[[Case], ReadRefused]:
    def build(case: Case) -> ReadRefused:
        meaning = f"{means.format(table=case.table)} " if means else ""
        message = f"Prophet 21 refuses to read {case.table}: {meaning}({case.status()})"
        return ReadRefused(message, table=case.table, hint=hint.format(table=case.table))

    return build


def _unavailable(case: Case) -> Unavailable:
    return Unavailable(f"Prophet 21 cannot answer now ({case.status()})", system=SYSTEM)


def _redirected(case: Case) -> Unavailable:
    target = case.answer.headers.get("Location", "nowhere").partition("?")[0]
    return Unavailable(
        f"Prophet 21 sends the request for {case.table} elsewhere ({case.answer.status} to {target}); p21d does not "
        "follow, as the token would be lost on the way",
        system=SYSTEM,
        hint="prophet21.api_url must be the address P21 answers at itself: check https, host and port",
    )


def _no_page(what: str) -> Callable[[Case], PageError]:
    def build(case: Case) -> PageError:
        return PageError(
            f"Prophet 21 answered for {case.table} with {what} instead of JSON",
            system=SYSTEM,
            hint="a proxy or a maintenance page may stand between p21d and P21; check prophet21.api_url",
        )

    return build


def _nothing_there(case: Case) -> Unavailable:
    return Unavailable(
        f"the web server has no Prophet 21 OData at this address ({case.status()})",
        system=SYSTEM,
        hint=f"check prophet21.api_url; is the middleware running? ({case.table} may also be a table it never serves)",
    )


def _looks_like_html(answer: HttpAnswer) -> bool:
    return bool(re.match(_HTML, answer.body[:200].decode("utf-8", "replace"), re.IGNORECASE))


_PLUGIN_HINT = "check the entity's `filter` and `columns` in the configuration, and its plug-in"

RULES = (
    Rule(range(300, 400), "", _redirected),
    Rule({401, 403}, _NO_PERMISSION, forbidden),
    Rule({403}, "", forbidden),
    Rule({401}, "", unauthorized),
    Rule(TRANSIENT | frozenset(range(500, 600)), "", _unavailable),
    Rule({404}, _HTML, _nothing_there),
    Rule(
        {404},
        r"could not find a property",
        _refused("it has no such column", "this build of P21 may be older; check the entity's `columns` and `filter`"),
    ),
    Rule(
        {404},
        r"incompatible types",
        _refused("a value is written in the wrong type (numbers bare, texts quoted)", _PLUGIN_HINT),
    ),
    Rule(
        {404},
        r"failed to convert parameter value",
        _refused("it cannot compare one column with another", _PLUGIN_HINT),
    ),
    Rule(
        {404},
        r"syntax error",
        _refused("it cannot parse the query", _PLUGIN_HINT + "; for a date also prophet21.date_literal"),
    ),
    Rule(
        {404},
        r"^\s*$",
        _refused(
            "table or column unknown",
            "is {table} a table and not a view (`surface`)? was it created after the last "
            '"Refresh OData API service" on /api/admin? does it have every column that is selected or filtered on? '
            "is the feature it belongs to installed?",
        ),
    ),
    Rule({404, 400, 414}, "", _refused("the query is not accepted", _PLUGIN_HINT)),
    Rule({200}, _HTML, _no_page("a web page")),
    Rule({200}, r"^\s*<", _no_page("XML")),
)
"""Status, a pattern of the lower-case body, meaning; in this order."""
