from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest

from p21d.sandbox.prophet21.wall_time import tick_ceiling, tick_floor, tick_nearest

KEY = {"order_no": "1400001"}


def wall(text):
    """Return a time as P21's server keeps it: local, without a zone."""
    return datetime.fromisoformat(text)


async def shown(client, sandbox, stored):
    """Store a wall time and return what P21 prints for it."""
    sandbox.database.change("oe_hdr", KEY, date_last_modified=stored)
    return (await client.table("oe_hdr", filter="order_no eq '1400001'")).rows[0]["date_last_modified"]


async def finds(client, condition):
    answer = await client.table("oe_hdr", filter=f"order_no eq '1400001' and date_last_modified {condition}")
    return bool(answer.rows)


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        (wall("2026-08-19T15:00:00"), "2026-08-19T15:00:00-04:00"),
        (wall("2026-11-02T10:04:11.506700"), "2026-11-02T10:04:11.507-05:00"),
        (wall("2026-11-02T10:04:11.999000"), "2026-11-02T10:04:12-05:00"),
        (wall("2026-11-01T01:30:00"), "2026-11-01T01:30:00-05:00"),
    ],
)
async def test_a_time_shows_the_servers_offset_and_three_digits_or_none(client, sandbox, stored, text):
    assert await shown(client, sandbox, stored) == text


async def test_an_aware_instant_is_stored_as_wall_time(client, sandbox):
    assert await shown(client, sandbox, datetime(2026, 7, 1, 4, 0, tzinfo=UTC)) == "2026-07-01T00:00:00-04:00"


async def test_the_zone_may_change_under_the_same_wall_time(client, sandbox):
    await shown(client, sandbox, wall("2026-08-19T15:00:00"))
    sandbox.settings.zone = "Asia/Kolkata"
    rows = (await client.table("oe_hdr", filter="order_no eq '1400001'")).rows
    assert rows[0]["date_last_modified"] == "2026-08-19T15:00:00+05:30"


@pytest.mark.parametrize(
    ("setting", "literal", "found"),
    [
        ("converted", "2026-11-02T10:00:00-05:00", True),
        ("converted", "2026-11-02T15:00:00Z", True),
        ("converted", "2026-11-02T10:30:00Z", True),
        ("converted", "2026-11-02T15:30:00Z", False),
        ("dropped", "2026-11-02T10:00:00-05:00", True),
        ("dropped", "2026-11-02T10:00:00Z", True),
        ("dropped", "2026-11-02T15:00:00Z", False),
        ("dropped", "2026-11-02", True),
    ],
)
async def test_the_zone_of_a_literal_is_converted_or_dropped(client, sandbox, setting, literal, found):
    await shown(client, sandbox, wall("2026-11-02T10:00:00"))
    sandbox.settings.literal_zone = setting
    assert await finds(client, f"ge {literal}") is found


async def test_a_literal_without_a_zone_is_refused_or_accepted(client, sandbox):
    condition = "date_last_modified ge 2020-01-01T00:00:00"
    assert (await client.table("oe_hdr", filter=condition)).status == 404
    sandbox.settings.zoneless_literal = "accepted"
    assert (await client.table("oe_hdr", filter=condition)).rows


async def test_an_unencoded_plus_is_a_blank_and_a_404(client, sandbox):
    sandbox.settings.zone = "Europe/Berlin"
    path = "/odataservice/odata/table/oe_hdr?$top=1&$filter=date_last_modified%20ge%202020-01-01T00:00:00{}01:00"
    assert (await client.call("GET", path.format("+"))).status == 404
    assert (await client.call("GET", path.format("%2B"))).status == 200


@pytest.mark.parametrize(
    ("operator", "precise", "rounded"), [("ge", False, True), ("gt", False, False), ("le", True, True)]
)
async def test_a_shown_fraction_is_a_third_of_a_tick_beside_the_stored_one(client, sandbox, operator, precise, rounded):
    await shown(client, sandbox, wall("2026-11-02T10:04:11.507000"))
    condition = f"{operator} 2026-11-02T10:04:11.507-05:00"
    assert await finds(client, condition) is precise
    sandbox.settings.literal_fraction = "rounded"
    assert await finds(client, condition) is rounded


def test_ticks_are_thirds_of_ten_milliseconds():
    moment = wall("2026-01-01T00:00:00.005000")
    assert (tick_floor(moment), tick_ceiling(moment)) == ("2026-01-01T00:00:00.003", "2026-01-01T00:00:00.007")
    assert tick_nearest(wall("2026-12-31T23:59:59.999900")) == "2027-01-01T00:00:00"


async def test_the_date_header_is_p21s_own_clock(client, sandbox):
    sandbox.settings.clock_skew_seconds = -3_600
    answer = await client.table("company", top="1")
    behind = sandbox.clock.now() - parsedate_to_datetime(answer.headers["Date"])
    assert timedelta(minutes=59) < behind < timedelta(minutes=61)


async def test_a_change_is_stamped_with_p21s_local_now(client, sandbox):
    sandbox.settings.clock_skew_seconds = 7_200
    sandbox.database.change("oe_hdr", KEY, taker="NEW")
    text = (await client.table("oe_hdr", filter="order_no eq '1400001'")).rows[0]["date_last_modified"]
    ahead = datetime.fromisoformat(text) - sandbox.clock.now()
    assert timedelta(minutes=119) < ahead < timedelta(minutes=121)


async def test_a_change_may_keep_its_stamp(sandbox):
    before = sandbox.database.rows("inv_loc")[0]
    key = {"inv_mast_uid": before["inv_mast_uid"], "location_id": before["location_id"]}
    sandbox.database.change("inv_loc", key, stamp=False, qty_on_hand="1.000000000")
    assert sandbox.database.rows("inv_loc", key)[0]["date_last_modified"] == before["date_last_modified"]
