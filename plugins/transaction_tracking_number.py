"""Transaction tracking numbers: the parcels of P21's pick tickets, under their order in the hub.

A ticket's numbers stand in up to three places, and sites differ in which is right: the first place that says anything
is taken. A parcel that was cancelled carries a sentinel for a number; a ticket with nothing else is skipped.

Why three parts in the external id: `carrier|order`, as the hub's own integration writes it, cannot tell two parcels of
one order by one carrier apart. A record it made is looked for under that form, and adopted if its number agrees.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from p21d.plugin import (
    Decimal,
    Entity,
    P21Time,
    Parent,
    Record,
    Related,
    RelatedRows,
    Route,
    Row,
    ShippingOptions,
    Skip,
    Trigger,
    amount,
    clean,
    hookimpl,
    present,
    yes,
)

CANCELLED = "* * CANCELLED * *"
Place = Literal["clippership", "shipment", "ticket"]


class TrackingOptions(ShippingOptions, frozen=True, kw_only=True):
    """What an operator may choose; `places` are asked in this order."""

    places: tuple[Place, ...] = ("clippership", "shipment", "ticket")


class Ticket(Row, frozen=True):
    """A row of `oe_pick_ticket`."""

    pick_ticket_no: int
    company_id: str | None
    order_no: str | None
    carrier_id: int | None
    tracking_no: str | None
    freight_out: Decimal | None
    delete_flag: str | None
    date_last_modified: P21Time | None


class Shipment(Row, frozen=True):
    """A row of `shipment`: what the shipping window confirmed."""

    shipment_uid: int
    transaction_no: int
    shipment_id: str | None
    carrier_id: int | None


class Label(Row, frozen=True):
    """A row of `clippership_return_10004`; no key of it is known, and parcels of one shipment may share a number."""

    pick_ticket_no: int
    tracking_no: str | None
    carrier_name: str | None
    total_charge: Decimal | None
    delete_flag: str | None


class Carrier(Row, frozen=True):
    """The name of a carrier, an `address` row."""

    id: int
    name: str | None


SHIPMENT = Related(
    table="shipment",
    row=Shipment,
    key=("shipment_uid",),
    match={"transaction_no": "pick_ticket_no"},
    filter="transaction_type_cd eq 1000 and row_status_flag eq 2175",
)
"""Accepted shipments of pick tickets; other documents of the table have numbers of their own."""
LABEL = Related(
    table="clippership_return_10004",
    row=Label,
    key=("pick_ticket_no", "tracking_no"),
    match={"pick_ticket_no": "pick_ticket_no"},
    optional=True,
    unique=False,
)
CARRIER = Related(table="address", row=Carrier, key=("id",), match={"id": "carrier_id"})
SHIPMENT_CARRIER = Related(table="address", row=Carrier, key=("id",), match={"id": "carrier_id"}, of=SHIPMENT)
SHIPPED = Related(
    table="oe_pick_ticket", row=Ticket, key=("pick_ticket_no",), match={"pick_ticket_no": "transaction_no"}
)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One number of a ticket, as one of the places has it."""

    number: str
    carrier_id: int | None
    carrier: str
    cost: Decimal | None


def records(options: TrackingOptions, row: Ticket, related: RelatedRows) -> Sequence[Record] | Skip:
    """Return a record for each tracking number of the ticket."""
    if not clean(row.order_no):
        return Skip("no order")
    found = next(filter(None, (list(parcels(place, row, related)) for place in options.places)), [])
    if not found:
        return Skip("no tracking number")
    live = [parcel for parcel in found if parcel.number != CANCELLED]
    if not live:
        return Skip("cancelled")
    if any(parcel.carrier_id is None for parcel in live):
        return Skip("no carrier")
    numbers = dict.fromkeys(parcel.number for parcel in live)
    return [record(options, row, [parcel for parcel in live if parcel.number == number]) for number in numbers]


def parcels(place: Place, row: Ticket, related: RelatedRows) -> Iterator[Parcel]:
    """Yield what one place says of a ticket; a ticket's own freight is the cost of its first parcel."""
    name, cost = carrier_name(related.first(CARRIER, row)), row.freight_out
    if place == "clippership":
        labels = [label for label in related.rows(LABEL, row) if not yes(label.delete_flag)]
        for label in filter(lambda label: clean(label.tracking_no), labels):
            carrier = clean(label.carrier_name) or name
            yield Parcel(clean(label.tracking_no), row.carrier_id, carrier, label.total_charge)
    elif place == "shipment":
        for shipment in filter(lambda shipment: clean(shipment.shipment_id), related.rows(SHIPMENT, row)):
            carrier = carrier_name(related.first(SHIPMENT_CARRIER, shipment)) or name
            yield Parcel(clean(shipment.shipment_id), shipment.carrier_id or row.carrier_id, carrier, cost)
            cost = None
    elif clean(row.tracking_no):
        yield Parcel(clean(row.tracking_no), row.carrier_id, name, cost)


def carrier_name(carrier: Carrier | None) -> str:
    """Return the name of a carrier, empty where it is not known."""
    return clean(carrier.name) if carrier else ""


def record(options: TrackingOptions, row: Ticket, same: Sequence[Parcel]) -> Record:
    """Return one number; where several parcels travel under it, the cost is that of all."""
    first, order_no = same[0], clean(row.order_no)
    costs = [parcel.cost for parcel in same if parcel.cost is not None]
    body = {
        "shipping_method": options.method(first.carrier_id, first.carrier) or None,
        "shipping_method_description": first.carrier or None,
        "tracking_number": first.number,
        "cost": amount(sum(costs, Decimal(0))) if costs else None,
    }
    return Record(
        external_id={
            "carrier_id": first.carrier_id,
            "order_no": order_no,
            "tracking_no": first.number,
            "pick_ticket_no": row.pick_ticket_no,
            "company_id": clean(row.company_id),
        },
        body=present(body),
        former=(f"{first.carrier_id}|{order_no}",),
    )


def parents(row: Ticket, _related: RelatedRows) -> Sequence[Parent]:
    """Return the order, under which the hub keeps its parcels."""
    order_no = clean(row.order_no)
    values = {"order_no": order_no, "company_id": clean(row.company_id)}
    return (Parent(entity="transaction", key=(order_no,), external_id=values, member="parent_id"),)


def with_options(options: TrackingOptions) -> Entity[Ticket]:
    """Return the entity as these options have it."""
    if not options.places:
        raise ValueError("places is empty: no tracking number would ever be found")
    return replace(ENTITY, records=partial(records, options))


ENTITY = Entity(
    name="transaction_tracking_number",
    row=Ticket,
    table="oe_pick_ticket",
    key=("pick_ticket_no",),
    company="company_id",
    external_id="{carrier_id}|{order_no}|{tracking_no}",
    external_id_values=("pick_ticket_no", "company_id"),
    unique_without_company=True,
    records=partial(records, TrackingOptions()),
    parents=parents,
    parent_entities=("transaction",),
    route=Route(
        resource="tracking",
        natural_key="tracking_number",
        under="parent_id",
        inactive={"tracking_number": "CANCELLED"},
    ),
    related=(SHIPMENT, LABEL, CARRIER, SHIPMENT_CARRIER),
    triggers=(Trigger(table="shipment", key=("shipment_uid",), hops=(SHIPPED,)),),
    options=TrackingOptions,
    with_options=with_options,
)


@hookimpl
def p21d_entities() -> Sequence[Entity[Any]]:
    """Return the entity of this file."""
    return [ENTITY]
