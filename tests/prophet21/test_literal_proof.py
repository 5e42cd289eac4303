from __future__ import annotations

import pytest

from p21d.errors import ReadRefused
from p21d.sandbox.faults import Fault
from tests.prophet21.conftest import connected
from tests.prophet21.rows import ORDERS


@pytest.mark.parametrize("literal_zone", ["converted", "dropped"])
async def test_the_default_form_is_good_under_both_readings(sandbox, clock, literal_zone):
    sandbox.settings.literal_zone = literal_zone
    async with sandbox.serve() as url, connected(url, clock) as source:
        assert await source.prove_date_literal(ORDERS) == "offset"
        assert source.statistics().requests == 3


@pytest.mark.parametrize(
    ("literal_zone", "configured", "taken"),
    [("converted", "wall_z", "offset"), ("dropped", "utc", "offset"), ("dropped", "wall_z", "wall_z")],
)
async def test_a_form_that_finds_the_wrong_rows_is_replaced(sandbox, clock, literal_zone, configured, taken):
    sandbox.settings.literal_zone = literal_zone
    async with sandbox.serve() as url, connected(url, clock, date_literal=configured) as source:
        assert await source.prove_date_literal(ORDERS) == taken


async def test_a_form_that_p21_cannot_parse_is_replaced(sandbox, clock):
    async with sandbox.serve() as url, connected(url, clock, date_literal="plain") as source:
        assert await source.prove_date_literal(ORDERS) == "offset"
        assert source.low_literal(clock.now()).endswith("-05:00")


async def test_a_zone_that_is_set_wrongly_does_not_hurt(sandbox, clock):
    async with sandbox.serve() as url, connected(url, clock, time_zone="Asia/Kolkata") as source:
        assert await source.prove_date_literal(ORDERS) == "offset"
        assert "P21's is used" in source.statistics().notice


async def test_where_no_form_is_good_nothing_is_polled(sandbox, clock):
    sandbox.faults.add(
        Fault(kind="status", status=404, body="Syntax error at position 17", query="*date_last_modified ge*")
    )
    async with sandbox.serve() as url, connected(url, clock) as source:
        with pytest.raises(ReadRefused, match="no form of date"):
            await source.prove_date_literal(ORDERS)


async def test_an_empty_table_proves_nothing(source):
    assert await source.prove_date_literal(ORDERS) is None


async def test_old_stamps_prove_the_form_even_where_no_zone_is_set(sandbox, clock):
    for row in sandbox.database.rows("oe_hdr"):
        key = {"oe_hdr_uid": row["oe_hdr_uid"]}
        sandbox.database.change("oe_hdr", key, date_last_modified="2020-07-01T12:00:00.000000")
    async with sandbox.serve() as url, connected(url, clock, time_zone="") as source:
        assert await source.prove_date_literal(ORDERS) == "offset"
        assert source.statistics().zone == "unknown"
