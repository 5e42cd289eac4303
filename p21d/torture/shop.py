"""The orders of a run: placed in the hub's web shop, and traced into P21 by what was sent and what is linked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from p21d.control.client import ControlClient
from p21d.control.order_answers import OrderAnswer
from p21d.errors import P21dError
from p21d.sandbox.hub import HubSandbox
from p21d.sandbox.prophet21 import P21Sandbox
from p21d.sandbox.prophet21.transaction.service import Write
from p21d.torture.found import linked_orders, our_external_id
from p21d.torture.wanted import WRITER, living

MARK = "HUB-"
"""Stands before the hub's id in the text by which an order in P21 is known as ours."""
FOR_A_PERSON = ("held", "refused")
DONE = ("linked", "dismissed")
MOST_ORDERS = 1000
MOST_TRIES = 3
"""How often an administrator tries an order again that is held or refused."""


class Shop:
    """The web shop of one hub; `placed` are the hub's ids of its orders."""

    def __init__(self, p21: P21Sandbox, hub: HubSandbox) -> None:
        self.placed: list[str] = []
        self._p21 = p21
        self._hub = hub
        self._tries: dict[str, int] = defaultdict(int)
        self._wanted: list[tuple[int, int]] = []

    def place(self, count: int, seed: int) -> None:
        """Place orders, and those that found nothing to buy before."""
        self._wanted.append((count, seed))
        companies = tuple(int(record["id"]) for record in self._hub.records("company") if our_external_id(record))
        skus = self._salable()
        if not (companies and skus and self._hub.records("customer")):
            return
        wishes = {"types": ("Order",), "statuses": ("Pending",), "skus": skus, "company_ids": companies}
        for count_, seed_ in self._wanted:
            self.placed += map(str, self._hub.seed_orders(count_, seed=seed_, **wishes))
        self._wanted.clear()

    def place_late(self) -> None:
        """Place the orders that found nothing to buy until now."""
        if self._wanted:
            self.place(*self._wanted.pop())

    def _salable(self) -> tuple[str, ...]:
        """Return the SKUs that can be ordered: active in the hub, and in P21 with the unit they are sold in."""
        units = {(row["inv_mast_uid"], row["unit_of_measure"]) for row in living(self._p21, "item_uom")}
        sold = {
            row["item_id"].strip()
            for row in living(self._p21, "inv_mast")
            if row["inactive"] != "Y" and (row["inv_mast_uid"], row["default_selling_unit"]) in units
        }
        return tuple(
            sorted(sold & {item["sku"] for item in self._hub.records("product") if item["status"] == "Active"})
        )

    async def decide(self, client: ControlClient) -> bool:
        """Do what an administrator does with held orders; tell whether none needs anything more.

        The order that P21 has is adopted, the others are tried again, each a few times.
        """
        orders = {order.id: order for order in (await client.orders(everything=True, limit=MOST_ORDERS)).orders}
        written = self.written()
        for order in orders.values():
            if self._wants_a_person(order):
                self._tries[order.id] += 1
                await self._decide(client, order, written.get(order.id, []))
        return all(id_ in orders and self._is_over(orders[id_]) for id_ in self.placed)

    def _wants_a_person(self, order: OrderAnswer) -> bool:
        return order.state in FOR_A_PERSON and self._tries[order.id] < MOST_TRIES

    def _is_over(self, order: OrderAnswer) -> bool:
        return order.state in DONE or (order.state in FOR_A_PERSON and not self._wants_a_person(order))

    async def _decide(self, client: ControlClient, order: OrderAnswer, numbers: list[str]) -> None:
        try:
            if numbers:
                await client.adopt_order(order.id, numbers[0])
            else:
                await client.retry_order(order.id)
        except P21dError:  # it has moved meanwhile, or a side does not answer: the next look shows it
            return

    def written(self) -> dict[str, list[str]]:
        """Return the P21 orders that were made of each hub order, by the text they were sent with."""
        found: dict[str, list[str]] = defaultdict(list)
        for write in self._p21.transactions.writes:
            for number, text in _made(write):
                found[text.rpartition(MARK)[2]].append(number)
        return found

    def linked(self) -> dict[str, str]:
        """Return the P21 order of each placed order that the hub has linked."""
        return {id_: number for id_, number in linked_orders(self._hub).items() if id_ in self.placed}

    def doubled(self) -> list[str]:
        """Return hub orders that are two orders in P21, or that came back to the hub as new records."""
        written = self.written()
        found = [f"hub order {id_}: {' and '.join(numbers)} in P21" for id_, numbers in written.items() if numbers[1:]]
        ours = {row["order_no"] for row in self._p21.database.rows("oe_hdr") if row["created_by"] == WRITER}
        records = self._hub.records("transaction")
        back = [record["transaction_number"] for record in records if record["transaction_number"] in ours]
        return found + [f"order {number}: came back to the hub as a new record" for number in back]


def _made(write: Write) -> Iterator[tuple[str, str]]:
    """Yield the orders that one write made, each with the PO number it was sent with."""
    for done, transaction in zip(write.done, write.sent.transactions, strict=True):
        if done.order_no:
            header = transaction.data_elements[0].rows[0].edits
            yield done.order_no, next(edit.value or "" for edit in header if edit.name == "po_no")
