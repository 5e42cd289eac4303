"""The errors an answer of the hub can become, each with its words and its hint."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from p21d.errors import Forbidden, P21dError, RecordRefused, Unauthorized, Unavailable
from p21d.http import HttpAnswer
from p21d.sinks.ipaas.answers import is_page, words_of
from p21d.sinks.ipaas.options import IpaasOptions
from p21d.sinks.ipaas.table import Resource

SYSTEM = "hub"
RESET_SECONDS = 60.0
"""How long to wait after a 429 without Retry-After; the vendor's example of a reset time (facts 5)."""

_TABLE_UNKNOWN = re.compile(
    r"\btable\b.{0,80}\b(does not exist|belongs to|unknown|invalid|not supported)", re.IGNORECASE
)

Verb = Literal["View", "Create", "Edit"]


class RecordNotFound(RecordRefused):
    """The hub says by its own code that a record, or one it points to, does not exist."""


class BareNotFound(Unavailable):
    """A 404 without a code of the hub: by itself an outage."""


class CallUnknown(Unavailable):
    """A 405: the hub has the path and not this call on it, or a proxy answers in its place."""


class Duplicate(RecordRefused):
    """A unique value or an external id is taken; `holder_id` is the holder, where the hub named it."""

    def __init__(self, message: str, *, code: str, holder_id: str = "", hint: str = "") -> None:
        super().__init__(message, code=code, hint=hint)
        self.holder_id = holder_id


class InactiveTwin(Duplicate):
    """An inactive record holds the unique value; it is brought back, never doubled."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a call was about, for messages and hints."""

    resource: Resource
    verb: Verb
    doing: str


@dataclass(frozen=True, slots=True)
class Told:
    """An answer with all that was read from it."""

    answer: HttpAnswer
    subject: Subject
    hub_code: str
    holder_id: str
    now: datetime
    options: IpaasOptions

    @property
    def code(self) -> str:
        """Return the hub's code, else the status as a code."""
        return self.hub_code or f"HTTP-{self.answer.status}"

    @property
    def message(self) -> str:
        """Return one line with what was done, the status, the code and the hub's words."""
        words = "a page in place of an answer" if is_page(self.answer) else words_of(self.answer)
        code = f" {self.hub_code}" if self.hub_code and self.hub_code not in words else ""
        return f"hub: {self.subject.doing}: {self.answer.status}{code}: {words or 'no words'}"

    @property
    def permission(self) -> str:
        """Return the permission the call needs, as the portal names it."""
        return f"{self.subject.resource.permission}: {self.subject.verb}"


def credential_hint(options: IpaasOptions) -> str:
    """Return what an administrator does about refused credentials."""
    if options.api_key is not None:
        return "an administrator must make a new API key in the hub's portal and put it into sink.api_key"
    return "check sink.email_address, sink.password and sink.company_id"


def unauthorized(told: Told) -> P21dError:
    """Say that the bearer is refused."""
    return Unauthorized(told.message, system=SYSTEM, hint=credential_hint(told.options))


def account_refused(told: Told) -> P21dError:
    """Say that the company or the system id is refused, which concerns every record."""
    hint = "check sink.company_id, and sink.client_id if the hub wants the header X-Client-Id"
    if told.hub_code.startswith("VALD"):
        hint = "check sink.system_id: the subscription must belong to the company"
    return Unauthorized(told.message, system=SYSTEM, hint=hint)


def forbidden(told: Told) -> P21dError:
    """Name the permission that is missing."""
    hint = f"the account needs the permission {told.permission}, and the company a plan that allows it"
    return Forbidden(told.message, system=SYSTEM, resource=told.subject.resource.name, hint=hint)


def not_found(told: Told) -> P21dError:
    """Say what is not there; an unknown link table is a setting to correct, not a missing record."""
    resource = told.subject.resource
    if _TABLE_UNKNOWN.search(words_of(told.answer)):
        hint = f"set sink.tables.{resource.name} to the name the hub knows, now {resource.link_table!r}"
        return RecordRefused(told.message, code=told.code, hint=hint)
    return RecordNotFound(told.message, code=told.code)


def duplicate(told: Told) -> P21dError:
    """Name the holder of the value that is taken."""
    return Duplicate(told.message, code=told.code, holder_id=told.holder_id)


def inactive_twin(told: Told) -> P21dError:
    """Name the inactive holder of the value that is taken."""
    return InactiveTwin(told.message, code=told.code, holder_id=told.holder_id)


def bare_not_found(told: Told) -> P21dError:
    """Say that a 404 proves nothing."""
    hint = f"if this stays, check sink.paths.{told.subject.resource.name} and sink.base_url"
    return BareNotFound(told.message, system=SYSTEM, hint=hint)


def later(told: Told) -> P21dError:
    """Say when the hub wants to be asked again."""
    seconds = told.answer.retry_after_seconds(told.now)
    return Unavailable(told.message, system=SYSTEM, retry_after_seconds=RESET_SECONDS if seconds is None else seconds)


def outage(told: Told) -> P21dError:
    """Say that no answer of the hub itself has come."""
    refused = told.answer.status == 405
    odd = told.answer.status < 400 or refused or is_page(told.answer)
    hint = "check sink.base_url; a proxy or another server answers there" if odd else ""
    kind = CallUnknown if refused and not is_page(told.answer) else Unavailable
    return kind(told.message, system=SYSTEM, retry_after_seconds=told.answer.retry_after_seconds(told.now), hint=hint)
