"""Just before it is sent a hub order is read again, its parties are found, and the mapping's answer is checked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from p21d.engine.orders.parties import values_of
from p21d.errors import RecordRefused
from p21d.order import Held, HubLine
from p21d.prophet21.orders.port import Parties
from p21d.store.link import StoredLink
from tests.engine.orders.doubles import OUR_SYSTEM, hub_order, map_order, mapping


async def test_an_order_cancelled_in_the_hub_is_dismissed(orders):
    await orders.place("1")
    orders.inbox.edit("1", status="Cancelled")
    await orders.write()
    assert ((await orders.intent("1")).state, (await orders.intent("1")).reason) == (
        "dismissed",
        "cancelled in the hub",
    )
    assert orders.desk.calls == ["check"]


async def test_an_order_that_the_hub_has_no_more_is_dismissed(orders):
    await orders.place("1")
    orders.inbox.orders.clear()
    await orders.write()
    assert await orders.state("1") == "dismissed"


async def test_an_order_that_was_linked_elsewhere_is_dismissed_with_its_number(orders):
    await orders.place("1")
    orders.inbox.edit("1", our_external_id="1400077")
    await orders.write()
    intent = await orders.intent("1")
    assert (intent.state, intent.order_no) == ("dismissed", "1400077")
    assert orders.desk.writes == []


async def test_an_order_whose_link_only_the_store_knows_is_dismissed(orders):
    await orders.place("1")
    async with orders.store.transaction() as tables:
        await tables.links.record([StoredLink("order", "1400077", "1", "order", "1400077")])
    await orders.write()
    assert await orders.state("1") == "dismissed"


async def test_an_order_that_came_from_p21_is_never_written(orders):
    await orders.place("1", system_id=OUR_SYSTEM)
    await orders.write()
    assert await orders.state("1") == "dismissed"


async def test_an_order_whose_status_has_moved_on_is_held(orders):
    await orders.place("1")
    orders.inbox.edit("1", status="Shipped")
    await orders.write()
    assert (await orders.intent("1")).reason == "its status in the hub is Shipped by now (orders.statuses)"


async def test_a_person_may_send_an_order_of_any_status(orders):
    orders.inbox.orders["1"] = hub_order("1", status="Shipped")
    await orders.ledger.begin(orders.inbox.orders["1"], by="person ann", forced=True)
    await orders.write()
    assert await orders.state("1") == "created"


async def test_an_order_that_was_edited_is_rendered_anew(orders):
    await orders.place("1")
    orders.inbox.edit("1", custom_fields={"po": "PO-NEW"}, digest="second")
    await orders.write()
    intent = await orders.intent("1")
    assert (intent.reference, intent.digest) == ("PO-NEW HUB-1", "second")


async def test_an_order_that_cannot_be_mapped_is_held_before_p21_is_written(orders):
    await orders.place("1", lines=(HubLine(id="x", sku="NONE"),))
    await orders.write()
    intent = await orders.intent("1")
    assert (intent.state, intent.reason, intent.hint) == ("held", "P21 has no item NONE", "create it")
    assert orders.desk.writes == []


async def test_a_held_order_is_held_as_the_hub_had_it_then(orders):
    await orders.place("1", lines=(HubLine(id="x", sku="NONE"),))
    orders.inbox.edit("1", digest="second")
    await orders.write()
    assert (await orders.intent("1")).digest == "second"


async def test_an_order_of_nobody_p21_knows_is_held(orders):
    await orders.place("1", company_id="")
    await orders.write()
    assert (await orders.intent("1")).reason == "no P21 customer"


async def test_a_mapping_that_fails_holds_its_order_and_no_other(orders):
    def fail_for_one(order, found, defaults):
        if order.id == "1":
            raise ZeroDivisionError("by zero")
        return map_order(order, found, defaults)

    orders.context.mapping = mapping(order=fail_for_one)
    await orders.place("1", "2")
    await orders.write()
    assert (await orders.intent("1")).reason == "the mapping test fails: ZeroDivisionError: by zero"
    assert await orders.state("2") == "created"


async def test_skus_that_fail_hold_the_order(orders):
    def refuse(*_):
        raise RecordRefused("a SKU is missing", code="sku")

    orders.context.mapping = mapping(skus=refuse)
    await orders.place("1")
    await orders.write()
    assert (await orders.intent("1")).reason == "a SKU is missing"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"customer_id": 300}, "customer 300 is not 200001"),
        ({"ship_to_id": 300}, "ship-to 300 does not belong"),
        ({"contact_id": "9"}, "contact 9 does not belong"),
        ({"sales_location_id": 11}, "location 11 is not an active one"),
        ({"source_location_id": 11}, "location 11 is not an active one"),
        ({"lines": []}, "it has no lines"),
    ],
)
async def test_what_belongs_to_another_is_never_written(orders, changes, words):
    orders.context.mapping = mapping(order=lambda *args: replace(map_order(*args), **changes))
    await orders.place("1")
    await orders.write()
    assert words in (await orders.intent("1")).reason
    assert orders.desk.writes == []


async def test_two_lines_of_one_number_are_never_written(orders):
    def alike(*args):
        order = map_order(*args)
        return replace(order, lines=[replace(line, user_line_no="1") for line in order.lines])

    orders.context.mapping = mapping(order=alike)
    await orders.place("1")
    await orders.write()
    assert "two lines have one user_line_no" in (await orders.intent("1")).reason


async def test_the_customer_is_that_of_the_link_in_the_store_before_that_of_the_hub(orders):
    asked: list[Parties] = []
    parties = orders.desk.parties

    async def noted(wanted, **more):
        asked.append(wanted)
        return await parties(wanted, **more)

    orders.desk.parties = noted
    async with orders.store.transaction() as tables:
        await tables.links.record([StoredLink("company", "200005", "4411", "company", "02|200005")])
        await tables.links.record([StoredLink("contact", "77", "30211", "contact", "77")])
    await orders.place("1", customer_id="30211")
    await orders.write()
    assert asked[0].customer == ("02", "200005")
    assert asked[0].contact_id == "77"
    assert asked[0].skus == ("BOLT", "NUT")
    assert asked[0].shipping_methods == ("UPS",)


async def test_what_p21_says_of_the_parties_holds_the_order(orders):
    orders.desk.held = Held("contact 77 belongs to two customers: 1, 2", "link the company")
    await orders.place("1")
    await orders.write()
    assert (await orders.intent("1")).reason == "contact 77 belongs to two customers: 1, 2"


@pytest.mark.parametrize(
    ("template", "external_id", "values"),
    [
        ("{customer_id}", "200001", {"customer_id": "200001"}),
        ("{company_id}-{customer_id}", "01-200001", {"company_id": "01", "customer_id": "200001"}),
        ("{company_id}-{customer_id}", "200001", {}),
        ("{customer_id}", "", {}),
    ],
)
def test_an_external_id_is_read_back_into_what_it_was_made_from(template, external_id, values):
    assert values_of(template, external_id) == values


async def test_dates_of_the_day_are_the_mapping_s_own_affair(orders):
    await orders.place("1")
    await orders.write()
    assert orders.desk.orders["1400001"].order_date == date(2026, 11, 2)
