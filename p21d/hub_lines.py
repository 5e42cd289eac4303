"""Sorts the lines of a hub order: what is goods, what is freight or a discount, and what nobody has a rule for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from p21d.order import HubLine, HubOrder

GOODS = ("", "Product")
FREIGHT = ("Shipping", "Freight")
"""The hub's types of lines; only `Product` was ever seen (ipaas facts 3.4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SortedLines:
    """The lines of products in the hub's order; what freight and discounts come to; and priced lines of other types.

    Cancelled lines, and those of other types without a price, are in none of them.
    """

    products: Sequence[HubLine]
    freight: Decimal
    discount: Decimal
    others: Sequence[HubLine]


def sort_lines(order: HubOrder) -> SortedLines:
    """Sort the lines of an order.

    A line with a negative price is a discount, whatever its type. A line of freight or discount may repeat the order's
    own amount, so the larger of the two counts.
    """
    lines = sorted(order.lines, key=lambda line: (line.sequence_number, len(line.id), line.id))
    by_kind: dict[str, list[HubLine]] = {"goods": [], "freight": [], "discount": [], "other": [], "nothing": []}
    for line in lines:
        by_kind[_kind(line)].append(line)
    return SortedLines(
        products=by_kind["goods"],
        freight=max(_amount(by_kind["freight"]), order.shipping_amount or Decimal(0)),
        discount=max(-_amount(by_kind["discount"]), order.discount_amount or Decimal(0)),
        others=by_kind["other"],
    )


def _kind(line: HubLine) -> str:
    if line.status.casefold() == "cancelled":
        return "nothing"
    if (line.unit_price or 0) < 0:
        return "discount"
    if line.type.strip().capitalize() in GOODS:
        return "goods"
    if line.type.strip().capitalize() in FREIGHT:
        return "freight"
    return "other" if _amount([line]) else "nothing"


def _amount(lines: Sequence[HubLine]) -> Decimal:
    one, nothing = Decimal(1), Decimal(0)
    amounts = (abs(one if line.quantity is None else line.quantity) * (line.unit_price or nothing) for line in lines)
    return sum(amounts, nothing)
