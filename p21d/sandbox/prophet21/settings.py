"""The switches of the simulated P21: its clock and zone, its tokens, what is missing, how odd its pages are."""

from __future__ import annotations

from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec


class Settings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Hold every switch; tests set attributes, other processes PUT them to `/_sandbox/settings`.

    Where facts leave a behaviour open, the default is the one that hurts a careless client more.
    """

    zone: str = "America/New_York"
    clock_skew_seconds: float = 0.0  # P21's clock less the true one; the Date header shows it
    literal_zone: Literal["converted", "dropped"] = "converted"
    zoneless_literal: Literal["refused", "accepted"] = "refused"
    # precise: a shown .507 is .5066667 in the column and loses against `ge ....507`; rounded: the literal is
    # brought to the same 1/300 s tick first.
    literal_fraction: Literal["precise", "rounded"] = "precise"

    version: str = "26.1.5950.1"  # what serverinfo says of the build; empty: serverinfo is not there

    token_lifetime_seconds: int = 86_400
    lifetime_key: Literal["ExpiresInSeconds", "ExpiresIn", "none"] = "ExpiresInSeconds"
    always_xml: bool = False  # XML from the token and router calls although JSON was asked for
    namespaced_xml: bool = False
    empty_500_without_accept: bool = False
    mint_kills_older: bool = False
    token_mark: str = ""  # stands in each token, to be looked for where no token may be

    # By base table; what holds for a table holds for its view.
    forbidden_tables: set[str] = set()
    missing_tables: set[str] = set()
    missing_columns: dict[str, set[str]] = {}
    name_unknown_columns: bool = True  # False: the 404 of an unknown column has an empty body

    longest_query: int = 2_048  # characters as sent; beyond, IIS answers 404 with a page of its own
    page_cap: int | None = None  # answer at most N rows whatever $top says
    repeat_last_row: bool = False  # every page ends with its last row twice
    answer_floor_seconds: float = 0.0  # latency of every OData answer

    # The Transaction API.
    may_write_orders: bool = True
    no_permission: Literal["api", "window"] = "api"  # who may not write meets 401, or the window's own words with 200
    sessions: int = 5  # windows that work at once; further callers wait
    session_wait_seconds: float = 60.0
    no_session_status: Literal[500, 503] = 503
    save_seconds: float = 0.0  # how long a window works before it saves
    async_at_once: int = 2
    async_status: Literal[200, 202] = 200
    wrong_status_answer: Literal[400, 500] = 400  # to a transaction whose Status is not New
    required_order_columns: set[str] = set()  # columns of oe_hdr this site wants beside P21's own
    # By customer id, `*` for all.
    customer_rules: dict[str, set[Literal["duplicate_po_refused", "credit_refused", "po_required"]]] = {}
    po_no_append_on_repeat: bool = False

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, OSError) as error:
            raise ValueError(f"unknown time zone {self.zone}") from error

    def update(self, changes: dict[str, Any]) -> None:
        """Take over the named settings; raise `msgspec.ValidationError` for an unknown name or a wrong type."""
        checked = msgspec.convert({**msgspec.to_builtins(self), **changes}, Settings)
        for name in changes:
            setattr(self, name, getattr(checked, name))
