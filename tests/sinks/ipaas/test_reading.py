"""A transaction as text, read into an order; the digest moves with what people edit and with nothing else."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p21d.secret import Secret
from p21d.sinks.ipaas.directory import Directory
from p21d.sinks.ipaas.options import IpaasOptions
from p21d.sinks.ipaas.reading import OrderReader
from p21d.sinks.ipaas.table import LINES

ORDER = {
    "id": "149049",
    "system_id": 5121,
    "transaction_number": "WEB-100001",
    "type": "Order",
    "status": "Pending",
    "customer_id": 30211,
    "company_id": 4411,
    "email_address": "ann@acme.example",
    "subtotal": 25.1,
    "total": 34.75,
    "total_qty": 2,
    "created_datetime": "2026-07-20T10:00:00-04:00",
    "updated_datetime": None,
    "lines": [
        {"id": "620001", "sequence_number": 1, "type": "Product", "status": "Pending", "sku": "ABC", "qty": 2},
        {"id": "620002", "sequence_number": 2, "type": "Product", "status": "Pending", "sku": "DEF", "unit_price": 0.1},
    ],
    "addresses": [
        {"id": "88011", "type": "Shipping", "first_name": "Ann", "city": "Dayton", "is_primary_shipping": True},
        {"id": "88012", "type": "Billing", "first_name": "Ben", "city": "Akron"},
    ],
    "notes": [{"sequence_number": 2, "text": "second"}, {"sequence_number": 1, "text": "first"}],
    "custom_fields": [{"id": 1, "custom_field_name": "PO", "value": "4711"}],
    "payments": [{"id": "1", "method": "Credit Card", "amount": 34.75}],
    "external_ids": [{"id": 1, "system_id": 5121, "external_id": "WEB-100001", "internal_id": "149049"}],
}


def read(record, members=None):
    options = IpaasOptions(base_url="https://hub.example", system_id=5120, api_key=Secret("k"), members=members or {})
    decoded = msgspec.json.Decoder(float_hook=Decimal).decode(msgspec.json.encode(record))
    return OrderReader(Directory(options), 5120).read(LINES["transaction"], "149049", decoded)


def changed(path, value):
    """Return the order with the value at a path such as `lines.0.qty`."""
    record = deepcopy(ORDER)
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place = record
    for part in way:
        place = place[part]
    place[last] = value
    return record


def test_an_order_is_read_whole():
    order = read(ORDER)

    assert (order.id, order.number, order.system_id) == ("149049", "WEB-100001", 5121)
    assert (order.customer_id, order.company_id) == ("30211", "4411")
    assert (order.subtotal, order.discount_amount) == (Decimal("25.1"), None)
    assert order.created_at == datetime(2026, 7, 20, 14, tzinfo=UTC)
    assert order.lines[1].unit_price == Decimal("0.1")
    assert order.shipping.first_name == "Ann"
    assert order.notes == ("first", "second")
    assert order.custom_fields == {"PO": "4711"}
    assert order.our_external_id == ""


def test_our_external_id_is_told_from_the_shops():
    ours = {"system_id": 5120, "external_id": "1001"}

    assert read(ORDER | {"external_ids": [*ORDER["external_ids"], ours]}).our_external_id == "1001"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-07-20T14:00:00", datetime(2026, 7, 20, 14, tzinfo=UTC)),
        ("2026-07-20T14:00:00Z", datetime(2026, 7, 20, 14, tzinfo=UTC)),
        ("2026-07-20T14:00:00.1234567+00:00", datetime(2026, 7, 20, 14, 0, 0, 123456, tzinfo=UTC)),
        ("2026-07-20", datetime(2026, 7, 20, tzinfo=UTC)),
        ("0001-01-01T00:00:00", None),
        ("0001-01-01T00:00:00+05:00", None),
        ("20 July", None),
        ("", None),
        (None, None),
        (1784556000, None),
    ],
)
def test_an_instant_without_an_offset_is_utc(text, instant):
    assert read(ORDER | {"created_datetime": text}).created_at == instant


@pytest.mark.parametrize(
    ("told", "amount"),
    [
        ("12.50", "12.50"),
        (12.5, "12.5"),
        (0, "0"),
        (1e2, "1E+2"),
        ("12,50", None),
        (True, None),
        ("NaN", None),
        ([], None),
    ],
)
def test_an_amount_is_exact_or_none(told, amount):
    assert read(ORDER | {"total": told}).total == (None if amount is None else Decimal(amount))


def test_ids_may_be_numbers_or_text():
    order = read(ORDER | {"id": 149049, "customer_id": "30211", "company_id": "", "system_id": "5121"})

    assert (order.id, order.customer_id, order.company_id, order.system_id) == ("149049", "30211", "", 5121)


def test_members_go_by_the_hubs_names():
    order = read(ORDER | {"firm": 17}, {"transaction": {"company_id": "firm", "email_address": ""}})

    assert (order.company_id, order.email_address) == ("17", "")


def test_an_order_of_nothing_is_empty_not_an_error():
    order = read({})

    assert (order.id, order.number, order.lines, order.total) == ("149049", "", (), None)


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("0159-.:eTZ \u00e9", max_size=12)
    | st.sampled_from(["1e999999999", "-1e-999999999", "9999-12-31T23:59:59-14:00", "0001-01-01"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "qty", "sku", "text", "options", "sequence_number"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.sampled_from(sorted(ORDER)), ODD, max_size=4))
def test_no_answer_breaks_the_reading(odd):
    order = read(ORDER | odd)

    assert len(order.digest) == 64


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("lines.0.qty", 3),
        ("lines.0.sku", "XYZ"),
        ("lines.1.unit_price", 0.2),
        ("lines.0.unit", "BX"),
        ("lines.0.description", "other"),
        ("lines.0.options", {"colour": "red"}),
        ("lines.0.status", "Cancelled"),
        ("lines", ORDER["lines"][:1]),
        ("addresses.0.city", "Akron"),
        ("addresses.0.shipping_method", "UPS"),
        ("customer_id", 30212),
        ("company_id", None),
        ("email_address", "b@acme.example"),
        ("total", 34.76),
        ("notes.0.text", "third"),
        ("notes", []),
        ("custom_fields.0.value", "4712"),
        ("type", "Quote"),
    ],
)
def test_what_people_edit_changes_the_digest(path, value):
    assert read(changed(path, value)).digest != read(ORDER).digest


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("status", "Complete"),
        ("lines.0.status", "Shipped"),
        ("lines.0.qty_shipped", 2),
        ("lines.0.qty", 2.0),
        ("lines.0.qty", "2.00"),
        ("lines.0.id", 620001),
        ("lines.0.options", None),
        ("lines.0.external_ids", [{"system_id": 5120, "external_id": "1001|1"}]),
        ("lines", ORDER["lines"][::-1]),
        ("addresses", ORDER["addresses"][::-1]),
        ("addresses.0.id", 5),
        ("addresses.0.address_2", ""),
        ("subtotal", "25.10"),
        ("updated_datetime", "2026-07-21T10:00:00Z"),
        ("external_ids", [{"system_id": 5120, "external_id": "1001"}]),
        ("tracking", [{"id": "1", "tracking_number": "1Z"}]),
        ("payments", []),
        ("new_member", {"deep": 1}),
        ("notes", ORDER["notes"][::-1]),
        ("tracking_guid", "6f0c2a4e-0000-4000-8000-000000000001"),
    ],
)
def test_nothing_else_changes_the_digest(path, value):
    assert read(changed(path, value)).digest == read(ORDER).digest


def test_the_status_is_told_beside_the_digest():
    assert read(ORDER | {"status": "Cancelled"}).status == "Cancelled"
