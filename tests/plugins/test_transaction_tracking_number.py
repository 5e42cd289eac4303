from __future__ import annotations

from decimal import Decimal

import pytest

from p21d.plugin import Skip
from p21d.testing import check_entity, related_rows, row_of
from plugins import transaction
from plugins.transaction_tracking_number import (
    CARRIER,
    ENTITY,
    LABEL,
    SHIPMENT,
    SHIPMENT_CARRIER,
    Carrier,
    Label,
    Shipment,
    Ticket,
    TrackingOptions,
    with_options,
)

KNOWN = (transaction.ENTITY,)
SENTINEL = "* * CANCELLED * *"
CARRIERS = [row_of(Carrier, id=155509, name="UPS Ground"), row_of(Carrier, id=155510, name="FedEx")]


def ticket(**values):
    fixed = {"pick_ticket_no": 62679, "company_id": "01", "order_no": "1400215", "carrier_id": 155509}
    return row_of(Ticket, **fixed | values)


def label(number="1Z1", **values):
    return row_of(Label, **{"pick_ticket_no": 62679, "tracking_no": number} | values)


def shipment(number="SHIP-1", uid=1, **values):
    return row_of(Shipment, **{"shipment_uid": uid, "transaction_no": 62679, "shipment_id": number} | values)


def given(labels=(), shipments=()):
    return {LABEL: list(labels), SHIPMENT: list(shipments), CARRIER: CARRIERS, SHIPMENT_CARRIER: CARRIERS}


def read(row=None, labels=(), shipments=(), entity=ENTITY):
    return check_entity(entity, row or ticket(), related=given(labels, shipments), known=KNOWN)


def answer(row=None, labels=(), shipments=(), entity=ENTITY):
    return entity.records(row or ticket(), related_rows(given(labels, shipments)))


def numbers(records):
    return [record.body["tracking_number"] for record in records]


def names(records):
    return [ENTITY.external_id.format_map(record.external_id) for record in records]


def with_(**options):
    return with_options(TrackingOptions(**options))


def test_the_first_place_that_says_anything_is_right():
    row = ticket(tracking_no="TICKET-1")
    assert numbers(read(row, [label()], [shipment()])) == ["1Z1"]
    assert numbers(read(row, [], [shipment()])) == ["SHIP-1"]
    assert numbers(read(row)) == ["TICKET-1"]


def test_the_places_may_be_asked_in_another_order():
    entity = with_(places=("ticket", "clippership"))
    assert numbers(read(ticket(tracking_no="TICKET-1"), [label()], [shipment()], entity)) == ["TICKET-1"]
    assert answer(ticket(), [], [shipment()], entity) == Skip("no tracking number")


def test_no_place_at_all_is_refused_in_words():
    with pytest.raises(ValueError, match="places is empty"):
        with_(places=())


def test_two_parcels_by_one_carrier_are_kept_apart():
    assert names(read(labels=[label("1Z1"), label("1Z2")])) == ["155509|1400215|1Z1", "155509|1400215|1Z2"]


def test_the_form_of_the_hubs_own_integration_is_looked_for_too():
    assert [record.former for record in read(labels=[label("1Z1"), label("1Z2")])] == [("155509|1400215",)] * 2


def test_parcels_under_one_number_are_one_record_with_the_cost_of_all():
    [record] = read(labels=[label(total_charge=Decimal("8.4100")), label(total_charge=Decimal(4)), label()])
    assert (record.body["tracking_number"], record.body["cost"]) == ("1Z1", Decimal("12.41"))


def test_the_tickets_freight_is_the_cost_of_its_first_parcel():
    first, second = read(ticket(freight_out=Decimal("18.95")), [], [shipment("A"), shipment("B", 2)])
    assert (first.body["cost"], "cost" in second.body) == (Decimal("18.95"), False)


def test_a_cancelled_parcel_is_left_out():
    assert numbers(read(labels=[label(SENTINEL), label("1Z2")])) == ["1Z2"]


def test_a_ticket_with_cancelled_parcels_only_is_skipped_and_no_other_place_is_asked():
    assert answer(ticket(tracking_no="VOIDED"), [label(SENTINEL)]) == Skip("cancelled")


def test_a_deleted_label_says_nothing():
    assert numbers(read(ticket(), [label(delete_flag="Y")], [shipment()])) == ["SHIP-1"]


def test_a_ticket_without_a_number_is_skipped():
    assert answer(ticket(tracking_no="  ")) == Skip("no tracking number")


def test_a_ticket_without_an_order_is_skipped():
    assert answer(ticket(order_no=None, tracking_no="1Z1")) == Skip("no order")


def test_a_ticket_without_a_carrier_is_skipped():
    assert answer(ticket(carrier_id=None, tracking_no="1Z1")) == Skip("no carrier")


def test_the_carrier_of_a_shipment_comes_before_the_tickets():
    [record] = read(shipments=[shipment(carrier_id=155510)])
    assert (record.body["shipping_method"], record.body["shipping_method_description"]) == ("155510", "FedEx")
    assert record.former == ("155510|1400215",)


@pytest.mark.parametrize(
    ("choice", "method"), [("carrier_id", "155509"), ("carrier_name", "UPS Next Day"), ("none", None)]
)
def test_the_shipping_method_is_named_as_configured(choice, method):
    [record] = read(labels=[label(carrier_name="UPS Next Day ")], entity=with_(shipping_method=choice))
    assert record.body.get("shipping_method") == method


def test_the_order_comes_first():
    [parent] = ENTITY.parents(ticket(order_no="1400215 "), related_rows(given()))
    assert (parent.entity, parent.key, parent.member, parent.required) == (
        "transaction",
        ("1400215",),
        "parent_id",
        True,
    )


def test_the_orders_external_id_is_that_of_its_own_record():
    [parent] = ENTITY.parents(ticket(), related_rows(given()))
    row = row_of(transaction.Order, order_no="1400215", oe_hdr_uid=1, company_id="01 ", customer_id=7)
    [record] = check_entity(transaction.ENTITY, row)
    assert parent.external_id == record.external_id


def test_a_parcel_is_created_under_its_order():
    assert ENTITY.route.under == "parent_id"


def test_only_accepted_shipments_of_pick_tickets_are_read():
    assert SHIPMENT.filter == "transaction_type_cd eq 1000 and row_status_flag eq 2175"
