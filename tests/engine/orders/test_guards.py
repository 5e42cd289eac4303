"""The guards of the inbox: what may become an order of P21 by itself, and which of two reasons is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from p21d.config import OrdersConfig, Prophet21Config
from p21d.engine.orders.guards import (
    CARRIES_ID,
    KNOWN_LINK,
    OUR_NUMBER,
    OWNED,
    Known,
    beginning,
    is_ours,
    judge,
    rules_of,
)
from p21d.errors import ConfigError
from p21d.order import HubOrder

OURS, THEIRS = 5120, 5121
EASTERN = Prophet21Config(api_url="https://p21.example.com", time_zone="America/New_York")
NEW_YEAR = datetime(2026, 1, 1, 5, tzinfo=UTC)
"""Midnight of 2026-01-01 in New York."""


def rules(**changes: Any):
    return rules_of(OrdersConfig(**{"enabled": True, "not_before": "2026-01-01", **changes}), EASTERN)


def order(**changes: Any) -> HubOrder:
    values: dict[str, Any] = {
        "id": "149049",
        "number": "WEB-1",
        "type": "Order",
        "status": "Pending",
        "system_id": THEIRS,
        "created_at": NEW_YEAR + timedelta(days=1),
    }
    return HubOrder(**{**values, **changes})


def why(known: Known | None = None, **changes: Any) -> str:
    left = judge(order(**changes), known or Known(system_id=OURS), rules())
    return left.reason if left else ""


def test_a_new_pending_order_of_another_system_is_admitted():
    assert why() == ""
    assert why(type=" order ", status="PENDING") == ""


def test_each_guard_says_which_setting_it_is():
    assert why(type="Invoice") == "its type is Invoice (orders.types: Order)"
    assert why(type="") == "its type is not given (orders.types: Order)"
    assert why(status="Complete") == "its status is Complete (orders.statuses: Pending)"
    assert why(created_at=None) == "it has no date of creation (orders.not_before: 2026-01-01)"
    assert why(created_at=NEW_YEAR - timedelta(seconds=1)) == "it was created before (orders.not_before: 2026-01-01)"
    assert why(created_at=NEW_YEAR) == ""


def test_only_a_status_may_pass_by_itself():
    old = judge(order(created_at=None), Known(system_id=OURS), rules())
    other = judge(order(status="Hold"), Known(system_id=OURS), rules())
    assert old is not None
    assert not old.may_pass
    assert other is not None
    assert other.may_pass


@pytest.mark.parametrize(
    ("changes", "known", "reason"),
    [
        ({"system_id": OURS}, {}, OWNED),
        ({"our_external_id": "1013938"}, {}, CARRIES_ID),
        ({}, {"linked": True}, KNOWN_LINK),
        ({"system_id": None}, {"numbered": True}, OUR_NUMBER),
    ],
)
def test_what_is_ours_is_never_written_whatever_the_settings_admit_and_whoever_asks(changes, known, reason):
    left = is_ours(order(**changes), Known(system_id=OURS, **known))
    assert left is not None
    assert (left.reason, left.ours) == (reason, True)
    assert why(Known(system_id=OURS, **known), **changes, type="Invoice", created_at=None) == reason


def test_a_number_like_one_of_ours_keeps_an_order_out_but_a_person_may_know_better():
    left = judge(order(), Known(system_id=OURS, numbered=True), rules())
    assert left is not None
    assert (left.reason, left.ours, left.may_pass) == (OUR_NUMBER, False, False)


def test_a_reason_of_older_settings_is_told_from_one_of_these():
    before, now = rules(types=("Order",)), rules(types=("Order", "Quote"))
    left = judge(order(type="Quote"), Known(system_id=OURS), before)
    assert left is not None
    assert before.made(left.reason)
    assert not now.made(left.reason)
    assert now.made(OWNED)


@pytest.mark.parametrize(
    ("said", "zone", "instant"),
    [
        ("2026-07-01", {"time_zone": "America/New_York"}, datetime(2026, 7, 1, 4, tzinfo=UTC)),
        ("2026-01-01", {"time_zone_offset": "-06:00"}, datetime(2026, 1, 1, 6, tzinfo=UTC)),
        ("2026-01-01T08:30:00", {"time_zone_offset": "+01:00"}, datetime(2026, 1, 1, 7, 30, tzinfo=UTC)),
        ("2026-01-01T08:30:00+00:00", {"time_zone": "America/New_York"}, datetime(2026, 1, 1, 8, 30, tzinfo=UTC)),
    ],
)
def test_a_day_begins_where_p21_stands(said, zone, instant):
    assert beginning(said, Prophet21Config(api_url="https://p21.example.com", **zone)) == instant


@pytest.mark.parametrize("said", ["", "tomorrow", "2026-13-01"])
def test_without_a_good_date_no_order_is_admitted(said):
    with pytest.raises(ConfigError) as refused:
        beginning(said, EASTERN)
    assert refused.value.path == "orders.not_before"
