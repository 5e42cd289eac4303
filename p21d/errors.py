"""One type per thing the daemon does about a failure.

    refuse to start or reload   ConfigError, StoreError, AlreadyRunning
    wait and try again          Unavailable (RequestTimeout, NotSent, PageError)
    renew, then pause           Unauthorized (the whole system), Forbidden, ReadRefused (one entity)
    pause one entity            SystematicRefusal, PluginFailed
    dead-letter, retry or park
    this one record             RecordRefused, RecordFailed, ParentMissing
    hold this one order         OrderUnfit

A class exists only where somebody catches it. Context stands in attributes, `hint` says what the operator can do.
No message ever holds a secret: who builds one passes status, reason and a shortened body, never a header or a
credential, and what a system quotes back at us of either is cut out here, where every message is born.
"""

from __future__ import annotations

import os
from typing import ClassVar

from p21d.redactor import KNOWN


class P21dError(Exception):
    """Any failure p21d names itself; `hint` tells the operator what to do, `exit_code` follows sysexits."""

    exit_code: ClassVar[int] = os.EX_SOFTWARE

    def __init__(self, message: str, *, hint: str = "") -> None:
        self.message = KNOWN.text(message)
        self.hint = KNOWN.text(hint)
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class ConfigError(P21dError):
    """A setting is missing, unknown or impossible; raised before anything starts, `path` names the key."""

    exit_code = os.EX_CONFIG

    def __init__(self, message: str, *, path: str = "", hint: str = "") -> None:
        super().__init__(f"{path}: {message}" if path else message, hint=hint)
        self.path = path


class PermissionRefused(P21dError):
    """The operating system refuses a file, folder or socket that p21d needs."""

    exit_code = os.EX_NOPERM


class StoreError(P21dError):
    """The store cannot be opened or written: not SQLite, from a newer p21d, full."""

    exit_code = os.EX_CONFIG


class StoreFull(StoreError):
    """The disk of the store has no room; reading stops, remembering does not."""

    exit_code = os.EX_TEMPFAIL


class StoreDamaged(StoreError):
    """The store's file is broken; nothing is written to it any more, and only a backup or a new one helps."""


class AlreadyRunning(P21dError):
    """Another daemon holds the store or the socket."""

    exit_code = os.EX_TEMPFAIL


class Unavailable(P21dError):
    """A system does not answer or says it cannot now; an outage, never an error of the record.

    `retry_after_seconds` is what the system asked for, None where it did not.
    """

    exit_code = os.EX_UNAVAILABLE

    def __init__(self, message: str, *, system: str, retry_after_seconds: float | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.system = system
        self.retry_after_seconds = retry_after_seconds


class RequestTimeout(Unavailable):
    """One call got no answer in time; whether it was carried out is not known."""


class NotSent(Unavailable):
    """No connection was had, so that nothing of the call reached the system."""


class PageError(Unavailable):
    """A page was cut off, is not JSON, or repeats its keys; raised instead of ending the data early."""


class Unauthorized(P21dError):
    """The credentials of a system are refused; everything on that system pauses with growing intervals."""

    exit_code = os.EX_NOPERM

    def __init__(self, message: str, *, system: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.system = system


class Forbidden(P21dError):
    """The account may not use one table or resource; the entities that need it pause, the others go on."""

    exit_code = os.EX_NOPERM

    def __init__(self, message: str, *, system: str, resource: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.system = system
        self.resource = resource


class ReadRefused(P21dError):
    """P21 refuses a query for what it says (unknown column, wrong surface, bad literal); `table` is named."""

    def __init__(self, message: str, *, table: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.table = table


class SystematicRefusal(P21dError):
    """The sink refuses record after record of one entity with one code; the entity pauses before it fills the store."""

    exit_code = os.EX_UNAVAILABLE

    def __init__(self, message: str, *, code: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class PluginFailed(P21dError):
    """A plug-in fails for row after row, or does not come back; its entity pauses, the others go on."""


class RecordError(P21dError):
    """Something is wrong with one record; its siblings in the batch go on."""

    def __init__(self, message: str, *, code: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class RecordRefused(RecordError):
    """The sink refuses this record by name; it is dead-lettered and not sent again unchanged."""


class RecordFailed(RecordError):
    """This record failed in a way that may pass (500, time-out); it is tried again, then parked."""


class ParentMissing(RecordError):
    """The sink says that a record this one points to is not there; the record waits for its parent."""


class OrderUnfit(RecordError):
    """An order cannot be written into P21 as it is: a value is missing or too long; `field` is P21's name of it."""

    def __init__(self, message: str, *, field: str, hint: str = "") -> None:
        super().__init__(message, code="order_unfit", hint=hint)
        self.field = field
