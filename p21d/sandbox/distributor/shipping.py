"""Prints pick tickets for what is allocated and confirms their shipment, with tracking in one of P21's three places."""

from __future__ import annotations

from typing import Any

from p21d.sandbox.distributor import stock
from p21d.sandbox.distributor.change import ZERO, Pen, amount, exact
from p21d.sandbox.distributor.numbers import FIRST_TICKET, next_number
from p21d.sandbox.distributor.seeding import CARRIERS, money

_PLACES = ("clippership", "shipment", "ticket")
_TWO_PARCELS_EVERY = 4
_FREIGHT = money(1_895)


def pick(pen: Pen, order: dict[str, Any], lines: list[dict[str, Any]]) -> None:
    """Print a ticket for all lines that are allocated at one location."""
    allocated = [line for line in lines if amount(line, "qty_allocated") > ZERO]
    together = [line for line in allocated if line["source_loc_id"] == allocated[0]["source_loc_id"]]
    if not together:
        return
    number = next_number(pen.database, "oe_pick_ticket", "pick_ticket_no", FIRST_TICKET)
    _print_ticket(pen, number, order, together[0]["source_loc_id"])
    for position, line in enumerate(together, start=1):
        _print_line(pen, number, position, line)
        on_tickets = amount(line, "qty_on_pick_tickets") + amount(line, "qty_allocated")
        key = {"order_no": line["order_no"], "line_no": line["line_no"]}
        pen.change("oe_line", key, "picked", qty_allocated=ZERO, qty_on_pick_tickets=on_tickets)


def confirm(pen: Pen, order: dict[str, Any], lines: list[dict[str, Any]]) -> None:
    """Confirm the shipment of the order's first ticket that is still in the house."""
    for ticket in living_tickets(pen, order):
        if ticket["ship_confirmed_flag"] != "Y":
            _confirm_ticket(pen, ticket, lines)
            return


def living_tickets(pen: Pen, order: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the pick tickets of an order that are not deleted."""
    tickets = pen.database.rows("oe_pick_ticket", {"order_no": order["order_no"]})
    return [ticket for ticket in tickets if ticket["delete_flag"] != "Y"]


def ticket_lines(pen: Pen, ticket: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the detail rows of a ticket."""
    return pen.database.rows("oe_pick_ticket_detail", {"pick_ticket_no": ticket["pick_ticket_no"]})


def _print_ticket(pen: Pen, number: int, order: dict[str, Any], location: int) -> None:
    pen.add(
        "oe_pick_ticket",
        {"pick_ticket_no": number},
        company_id=order["company_id"],
        order_no=order["order_no"],
        location_id=location,
        carrier_id=order["carrier_id"] or CARRIERS[number % len(CARRIERS)],
        print_date=pen.stamp,
        freight_out=_FREIGHT,
        freight_code_uid=order.get("freight_code_uid"),
        instructions=order.get("delivery_instructions"),
        delete_flag="N",
        printed_flag="Y",
        direct_shipment="N",
        front_counter="N",
        pick_and_hold="N",
        ship_confirmed_flag="N",
    )


def _print_line(pen: Pen, number: int, position: int, line: dict[str, Any]) -> None:
    quantity = amount(line, "qty_allocated")
    picked = exact(quantity)
    pen.add(
        "oe_pick_ticket_detail",
        {"pick_ticket_no": number, "line_number": position},
        company_id=line["company_no"],
        oe_line_no=line["line_no"],
        inv_mast_uid=line["inv_mast_uid"],
        qty_requested=picked,
        qty_to_pick=picked,
        ship_quantity=exact(ZERO),
        print_quantity=picked,
        unit_quantity=exact(quantity / (amount(line, "unit_size") or 1)),
        unit_of_measure=line["unit_of_measure"],
        unit_size=line["unit_size"],
        release_no=1,
    )


def _confirm_ticket(pen: Pen, ticket: dict[str, Any], lines: list[dict[str, Any]]) -> None:
    number = ticket["pick_ticket_no"]
    by_number = {line["line_no"]: line for line in lines}
    for detail in ticket_lines(pen, ticket):
        quantity = amount(detail, "qty_to_pick")
        key = {"pick_ticket_no": number, "line_number": detail["line_number"]}
        pen.change("oe_pick_ticket_detail", key, "shipped", ship_quantity=quantity)
        if detail["oe_line_no"] in by_number:
            stock.ship(pen, by_number[detail["oe_line_no"]], quantity)
    place = _PLACES[number % len(_PLACES)]
    tracking = [f"1Z999AA1{number:010d}"]
    if number % _TWO_PARCELS_EVERY == 0:
        tracking.append(f"{tracking[0]}-2")
    on_ticket = tracking[0] if place == "ticket" else None
    columns = {"ship_confirmed_flag": "Y", "ship_date": pen.stamp, "tracking_no": on_ticket}
    pen.change("oe_pick_ticket", {"pick_ticket_no": number}, "shipped", **columns)
    for parcel in tracking:
        _note_parcel(pen, ticket, place, parcel)


def _note_parcel(pen: Pen, ticket: dict[str, Any], place: str, tracking_no: str) -> None:
    if place == "shipment":
        pen.add(
            "shipment",
            {"shipment_uid": next_number(pen.database, "shipment", "shipment_uid")},
            transaction_type_cd=1000,
            transaction_no=ticket["pick_ticket_no"],
            shipment_id=tracking_no,
            carrier_id=ticket["carrier_id"],
            ship_location_id=ticket["location_id"],
            row_status_flag=2175,
        )
    elif place == "clippership":  # no date: what happened to it is in no list of changes
        carrier = pen.database.rows("address", {"id": ticket["carrier_id"]})
        pen.database.insert(
            "clippership_return_10004",
            pick_ticket_no=ticket["pick_ticket_no"],
            tracking_no=tracking_no,
            carrier_name=carrier[0]["name"] if carrier else None,
            total_charge=money(1_234),
            shipped_date=pen.stamp,
            delete_flag="N",
        )
