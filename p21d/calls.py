"""Who is told of a call to another system: the work in whose task it is made, so that an answer counts as its progress.

Why a context variable: a call is made many layers below the work that it moves, in tasks of its own, by rooms that do
not know the engine. Where nobody watches, nobody is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit


@dataclass(slots=True)
class Call:
    """One call: `address` is its URL without user and values of the query, `answer` is empty until there is one."""

    system: str
    method: str
    address: str
    answer: str = ""


class Witness(Protocol):
    """What is told of the calls of its tasks."""

    def asked(self, call: Call) -> None:
        """Note that a call begins."""
        ...

    def answered(self, call: Call) -> None:
        """Note that a call got its whole answer."""
        ...


witness: ContextVar[Witness | None] = ContextVar("witness", default=None)


@contextmanager
def witnessed(system: str, method: str, url: str) -> Iterator[Call]:
    """Tell the work of this task of a call; a block that ends without an error has had its answer."""
    call, told = Call(system, method, bare(url)), witness.get()
    if told is not None:
        told.asked(call)
    try:
        yield call
    except BaseException as error:
        call.answer = type(error).__name__
        raise
    if told is not None:
        told.answered(call)


def bare(url: str) -> str:
    """Return a URL with the names of its query only: a value may be a secret or a customer."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    names = "&".join(pair.partition("=")[0] for pair in parts.query.split("&")) if parts.query else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}{'?' if names else ''}{names}"
