"""The verdict of a run: what is lost, what is doubled, and where a watermark was ahead of what had a fate.

A difference is lost unless the store explains it: an open dead letter, a skip, a place in the waiting room. An
explanation is counted and shown, so that a daemon which explains everything away is seen to do so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec

from p21d.clock import from_millis
from p21d.control.order_answers import OrderAnswer
from p21d.sandbox.hub import HubSandbox
from p21d.sandbox.prophet21 import P21Sandbox
from p21d.torture.comparison import Difference, Sources, differences, sources
from p21d.torture.found import repeated
from p21d.torture.remembered import Remembered
from p21d.torture.shop import DONE, FOR_A_PERSON, Shop

OWN_CONTENT = ("location", "customer", "product", "product_inventory")
"""Entities whose record says what its own row says; of the others only its absence tells of its own row."""


class Verdict(msgspec.Struct, kw_only=True):
    """What a run has found; `told` are orders that a person must decide about, with their reasons."""

    lost: list[str] = []
    doubled: list[str] = []
    explained: dict[str, int] = {}
    orders_placed: int = 0
    orders_done: int = 0
    told: list[str] = []


def judge(p21: P21Sandbox, hub: HubSandbox, store: Remembered, shop: Shop, ledger: list[OrderAnswer]) -> Verdict:
    """Compare everything; to be called when nothing is on its way any more."""
    lost, explained = judge_records(p21, hub, store)
    orders = {order.id: order for order in ledger}
    linked = shop.linked()
    known = {row["order_no"] for row in p21.database.rows("oe_hdr")}
    for id_ in shop.placed:
        if id_ in linked and linked[id_] not in known:
            lost.append(f"hub order {id_}: linked with {linked[id_]}, which P21 does not have")
        elif id_ not in linked and not _is_told(orders.get(id_)):
            lost.append(f"hub order {id_}: not in P21, and nobody was told")
    return Verdict(
        lost=lost,
        doubled=repeated(hub) + shop.doubled(),
        explained=dict(explained),
        orders_placed=len(shop.placed),
        orders_done=len(linked),
        told=[_told(orders[id_]) for id_ in shop.placed if id_ not in linked and _is_told(orders.get(id_))],
    )


def judge_records(p21: P21Sandbox, hub: HubSandbox, store: Remembered) -> tuple[list[str], Counter[str]]:
    """Return the differences that nothing explains, and how many each explanation covers."""
    rows, named = sources(p21), store.explained()
    lost, explained = [], Counter[str]()
    for difference in differences(p21, hub):
        reason = _reason(difference, rows, named)
        if reason:
            explained[f"{difference.entity} {reason.replace('_', ' ')}"] += 1
        else:
            lost.append(str(difference))
    return lost, explained


def ahead(p21: P21Sandbox, hub: HubSandbox, store: Remembered, since: Mapping[str, str]) -> list[str]:
    """Return the records that a watermark has passed without a fate; for the moment after a death.

    `since` is by entity the stamp from which on its watermark speaks for all rows.
    """
    rows, named, marks = sources(p21), store.explained(), store.watermarks()
    found = []
    for difference in differences(p21, hub):
        name = difference.entity
        if name not in marks or _reason(difference, rows, named):
            continue
        if difference.found is not None and (name not in OWN_CONTENT or difference.wanted is None):
            continue  # what is wanted no more may be so because of another row
        watermark = p21.database.time.text(from_millis(marks[name]))
        stamps = _from(difference, rows).values()
        if stamps and all(since[name] <= stamp < watermark for stamp in stamps):
            found.append(f"{difference}, stamped {max(stamps)}, under the watermark {watermark}")
    return found


def _reason(difference: Difference, rows: Sources, named: dict[str, dict[str, str]]) -> str:
    reasons = named.get(difference.entity, {})
    return next((reasons[key] for key in _from(difference, rows) if key in reasons), "")


def _from(difference: Difference, rows: Sources) -> dict[str, str]:
    key = difference.natural_key
    # a parcel is named by its order and number, and comes from any ticket of the order
    name = key[0] if difference.entity == "transaction_tracking_number" else key
    return rows[difference.entity].get(name, {})


def _is_told(order: OrderAnswer | None) -> bool:
    return order is not None and order.state in (*FOR_A_PERSON, *DONE) and bool(order.reason)


def _told(order: OrderAnswer) -> str:
    return f"hub order {order.id}: {order.state}, {order.reason}"
