"""What a fault is: its kind, the requests it meets, how often; and the file they can be read from."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
from aiohttp import web

Kind = Literal[
    "status",  # answer `status` with `reason`, `headers` and `body`; the handler does not run
    "status_after",  # run the handler to its end, then answer as `status` does
    "reset",  # run the handler, send `cut` of its body (0: not even headers), then reset the connection (TCP RST)
    "drop_before",  # close the connection; the handler does not run
    "drop_after",  # run the handler to its end, then close the connection without an answer
    "hang",  # say nothing for `seconds`, then close; the handler does not run
    "hang_after",  # run the handler to its end, say nothing for `seconds`, then close
    "slow",  # wait `seconds`, then go on with the rules below and the handler
    "truncate",  # run the handler, send `cut` of its body; Content-Length lies unless `honest`
    "drip",  # run the handler, send its body byte by byte with `seconds` before each
    "html",  # 200 with an HTML error page
    "bad_json",  # run the handler, answer its status with `body` that is not JSON
    "empty",  # run the handler, answer its status with no body
    "repeat_page",  # run the handler, but answer what this path answered when the fault first fired
    # The rest meet only P21's `POST transaction` and `POST transaction/async`, then go on with the rules below;
    # `body`, where given, takes the place of the words P21 answers.
    "window_before",  # refuse with "Unexpected response window"; nothing is saved
    "window_after",  # save, then answer the same: Failed 1 with 200, an AggregateException where `status` is 500
    "dirty_session",  # refuse with "Object reference not set to an instance of an object."; nothing is saved
    "refuse_order",  # refuse by a business rule
    "drop_line",  # save without the last line and report success
    "lock_order",  # save; the order is open in somebody's editor (`completed` T) from then on
    "async_never",  # an asynchronous write never starts
    "async_lost",  # an asynchronous write is done, but its request id is forgotten
]
WRITE_KINDS = frozenset(
    [
        "window_before",
        "window_after",
        "dirty_session",
        "refuse_order",
        "drop_line",
        "lock_order",
        "async_never",
        "async_lost",
    ]
)
"""Kinds that the endpoint plays, not the middleware."""
ASKED = web.RequestKey("asked", list["Fault"])
"""Under this key a request carries the faults of `WRITE_KINDS` that met it."""


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, frozen=True):
    """Describe one fault: which requests it meets, what it does, and how often.

    `{request}` in body, reason or a header is filled in with what was asked: see `quoting`.
    """

    kind: Kind
    path: str = "*"  # glob on the path, or `re:PATTERN` searched in it; case does not matter
    query: str | None = None  # glob on the decoded query string
    method: str | None = None
    status: int = 503
    reason: str | None = None
    headers: dict[str, str] = {}
    body: str | None = None
    content_type: str | None = None
    seconds: float = 0.0
    cut: float = 0.5  # share of the body that still goes out
    honest: bool = False
    times: int | None = None  # None: always
    after: int = 0  # let the first N matching requests pass
    probability: float = 1.0
    seed: int = 0


class FaultState(msgspec.Struct, kw_only=True):
    """Say what one rule has met (`seen`: matching requests) and done (`fired`) so far."""

    id: int
    fault: Fault
    seen: int = 0
    fired: int = 0


class FaultFile(msgspec.Struct, forbid_unknown_fields=True):
    """The file of `--faults`: one list of rules per simulated system."""

    prophet21: list[Fault] = []
    hub: list[Fault] = []


def load_faults(path: Path | str) -> FaultFile:
    """Read a fault file (YAML, so JSON too); raise `msgspec.ValidationError` naming the wrong key."""
    return msgspec.yaml.decode(Path(path).read_bytes(), type=FaultFile)
