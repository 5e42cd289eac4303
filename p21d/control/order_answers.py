"""The types of what goes over the control socket about orders; forms and rules as in answers.py."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from p21d.control.schema import SCHEMA_VERSION

Said = Annotated[str, msgspec.Meta(min_length=1)]


class OrderAnswer(msgspec.Struct, kw_only=True):
    """One hub order on its way into P21.

    `state`: `prepared` (to be sent), `sending`, `unknown` (P21 is asked whether it has it), `created` (in P21, not
    linked yet), `linked`, and for a person: `held` (nothing was sent), `refused` (by P21), `dismissed`. `reason` and
    `hint` say why and what to do; `due_at` is when p21d goes on by itself. `differences` are how the order in P21 is
    not as it was sent.
    """

    id: str
    number: str = ""
    state: str
    order_no: str = ""
    customer: str = ""
    total: str = ""
    reference: str = ""
    reason: str = ""
    hint: str = ""
    differences: list[str] = []
    acknowledged: bool = False
    forced: bool = False
    attempts: int = 0
    look_ups: int = 0
    created_at: datetime
    changed_at: datetime
    attempt_began_at: datetime | None = None
    attempt_ended_at: datetime | None = None
    due_at: datetime | None = None


class OrderEventAnswer(msgspec.Struct, kw_only=True):
    """One step of an order, and who made it."""

    at: datetime
    before: str
    after: str
    by: str
    note: str = ""


class OrdersStatus(msgspec.Struct, kw_only=True):
    """How the orders stand: by state, and by the reason for which hub orders were left alone.

    `state`: `on`, `asks` (a person must say yes first) or `held`; then `held_reason` and `held_hint` say why none is
    written now and what to do. `running`: the inbox is read now. `differing` are those that P21 has otherwise than they
    were sent, until somebody acknowledges it.
    """

    state: str
    running: bool = False
    held_reason: str = ""
    held_hint: str = ""
    next_poll_at: datetime | None = None
    counts: dict[str, int] = {}
    differing: int = 0
    left_alone: dict[str, int] = {}


class OrdersAnswer(msgspec.Struct, kw_only=True):
    """How the orders stand, and the orders themselves: those that need a person first, then the newest first."""

    schema_version: int = SCHEMA_VERSION
    status: OrdersStatus
    orders: list[OrderAnswer] = []


class OrderDetailAnswer(msgspec.Struct, kw_only=True):
    """All there is about one order: its steps, and `body`, the JSON as it was sent to P21 last."""

    schema_version: int = SCHEMA_VERSION
    order: OrderAnswer
    history: list[OrderEventAnswer] = []
    body: str = ""


class OrdersSyncRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which hub orders to write now, past the rules of the inbox; none: read the inbox now."""

    ids: list[str] = []


class OrdersSyncAnswer(msgspec.Struct, kw_only=True):
    """What a sync found: the ids it took up, and why it left others alone."""

    schema_version: int = SCHEMA_VERSION
    prepared: list[str] = []
    left_alone: dict[str, str] = {}
    note: str = ""


class OrderRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which order: the hub's id or number."""

    id: Said


class AdoptRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which order of P21 a hub order is."""

    id: Said
    order_no: Said


class DismissRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which order is not to be written, and why."""

    id: Said
    because: Said
