from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest

from p21d.sandbox.distributor import advance, cancel_line, cancel_order, close_editor, correct_po, tick
from p21d.sandbox.prophet21 import P21Sandbox

ORDER = "1499999"
LINE_KEY = {"order_no": ORDER, "line_no": 1}
PLENTY, NONE = "100.000000000", "0.000000000"


@pytest.fixture
def life(sandbox):
    """Return a P21 with one new order of two lines, of which the second waits for goods, and a clock that moves."""
    return Life(sandbox)


class Life:
    def __init__(self, sandbox):
        self.database = sandbox.database
        self._seconds = count(1)
        self.database.insert(
            "oe_hdr",
            order_no=ORDER,
            oe_hdr_uid=899_999,
            customer_id=200001,
            company_id="01",
            address_id=200001,
            carrier_id=100001,
            location_id=10,
            po_no="PO-1",
            order_date="2026-11-02T00:00:00",
            validation_status="OK",
            approved="Y",
            **dict.fromkeys(("delete_flag", "completed", "cancel_flag", "projected_order", "rma_flag"), "N"),
        )
        for line_no, (ordered, on_hand) in enumerate(((4, PLENTY), (6, NONE)), start=1):
            self._line(line_no, ordered, on_hand)

    def _line(self, line_no, ordered, on_hand):
        stock = {"inv_mast_uid": line_no, "location_id": 10}
        self.database.delete("inv_loc", stock)
        self.database.insert("inv_loc", **stock, company_id="01", qty_on_hand=on_hand, qty_allocated=NONE)
        self.database.insert(
            "oe_line",
            order_no=ORDER,
            line_no=line_no,
            oe_line_uid=9_900_000 + line_no,
            company_no="01",
            inv_mast_uid=line_no,
            source_loc_id=10,
            unit_of_measure="EA",
            unit_size="1.000000000",
            unit_price="2.500000000",
            qty_ordered=f"{ordered}.000000000",
            **dict.fromkeys(("qty_allocated", "qty_on_pick_tickets", "qty_invoiced", "qty_canceled"), NONE),
            **dict.fromkeys(("complete", "cancel_flag", "delete_flag"), "N"),
        )

    def step(self, work=advance, *more):
        """Do something a second after the last, and return what it was."""
        now = self.database.time.now() + timedelta(seconds=next(self._seconds))
        return [(change.table, change.what) for change in work(self.database, now, ORDER, *more)]

    def header(self):
        return self.database.rows("oe_hdr", {"order_no": ORDER})[0]

    def quantities(self, line_no=1):
        (line,) = self.database.rows("oe_line", {"order_no": ORDER, "line_no": line_no})
        names = ("qty_allocated", "qty_on_pick_tickets", "qty_invoiced", "qty_canceled")
        return tuple(int(Decimal(line[name])) for name in names)

    def stock(self, item=1):
        (row,) = self.database.rows("inv_loc", {"inv_mast_uid": item, "location_id": 10})
        return int(Decimal(row["qty_on_hand"])), int(Decimal(row["qty_allocated"]))


def test_quantities_go_from_allocated_to_the_ticket_to_the_invoice(life):
    seen = []
    for _ in range(4):
        life.step()
        seen.append((life.quantities(), life.stock()))
    assert seen == [
        ((4, 0, 0, 0), (100, 4)),
        ((0, 4, 0, 0), (100, 4)),
        ((0, 4, 0, 0), (96, 0)),
        ((0, 0, 4, 0), (96, 0)),
    ]


def test_the_headers_date_stands_until_the_order_is_complete(life):
    stamp = life.header()["date_last_modified"]
    steps = [life.step() for _ in range(8)]
    assert [bool(steps[-1]), life.step()] == [True, []]
    completed = [number for number, changes in enumerate(steps) if ("oe_hdr", "completed") in changes]
    assert completed == [7]
    assert life.header()["completed"] == "Y"
    assert life.header()["date_last_modified"] > stamp


def test_each_line_is_stamped_when_its_quantities_move(life):
    def stamps():
        return [row["date_last_modified"] for row in life.database.rows("oe_line", {"order_no": ORDER})]

    before = stamps()
    life.step()
    after = stamps()
    assert (after[0] > before[0], after[1] == before[1]) == (True, True)


def test_what_is_short_is_shipped_later_on_a_ticket_of_its_own(life):
    while life.step():
        pass
    tickets = life.database.rows("oe_pick_ticket", {"order_no": ORDER})
    invoices = life.database.rows("invoice_hdr", {"order_no": ORDER})
    assert [len(rows) for rows in (tickets, invoices)] == [2, 2]
    assert [life.quantities(line) for line in (1, 2)] == [(0, 0, 4, 0), (0, 0, 6, 0)]


def test_an_invoice_agrees_with_its_order_ticket_and_lines(life):
    for _ in range(4):
        life.step()
    (invoice,) = life.database.rows("invoice_hdr", {"order_no": ORDER})
    (ticket,) = life.database.rows("oe_pick_ticket", {"order_no": ORDER})
    (line,) = life.database.rows("invoice_line", {"invoice_no": invoice["invoice_no"]})
    assert len(invoice["invoice_no"]) == 10
    assert int(invoice["invoice_no"]) == ticket["invoice_no"]
    assert (line["oe_line_number"], Decimal(line["qty_shipped"]), Decimal(line["extended_price"])) == (1, 4, 10)
    assert Decimal(invoice["total_amount"]) == Decimal(invoice["freight"]) + 10
    (detail,) = life.database.rows("oe_pick_ticket_detail", {"pick_ticket_no": ticket["pick_ticket_no"]})
    assert detail["invoice_line_uid"] == line["invoice_line_uid"]


def test_a_ticket_has_no_tracking_before_it_ships(life):
    life.step()
    life.step()
    (ticket,) = life.database.rows("oe_pick_ticket", {"order_no": ORDER})
    assert (ticket["ship_confirmed_flag"], ticket["ship_date"], ticket["tracking_no"]) == ("N", None, None)


def test_tracking_turns_up_in_each_of_the_three_places(sandbox):
    database = sandbox.database
    tables = {"clippership_return_10004": "pick_ticket_no", "shipment": "transaction_no"}
    before = {table: database.count(table) for table in tables}
    for _ in range(60):
        tick(database, database.time.now())
    shipped = [
        row for row in database.rows("oe_pick_ticket", {"ship_confirmed_flag": "Y"}) if row["print_date"] > "2026"
    ]
    assert all(database.count(table) > before[table] for table in tables)
    assert any(row["tracking_no"] for row in shipped)


def test_credit_on_hold_is_given_first_and_moves_the_header(life):
    life.database.change("oe_hdr", {"order_no": ORDER}, validation_status="Hold", approved="N")
    assert life.step() == [("oe_hdr", "credit given")]
    assert (life.header()["validation_status"], life.header()["approved"]) == ("OK", "Y")


@pytest.mark.parametrize(
    "state", [{"completed": "T"}, {"cancel_flag": "Y"}, {"delete_flag": "Y"}, {"projected_order": "Y"}], ids=str
)
def test_an_order_that_is_no_order_goes_nowhere(life, state):
    life.database.change("oe_hdr", {"order_no": ORDER}, **state)
    assert life.step() == []


def test_an_unknown_order_goes_nowhere(sandbox):
    assert advance(sandbox.database, sandbox.database.time.now(), "no such order") == []


def test_a_cancelled_line_frees_its_stock_and_lets_the_rest_go_on(life):
    life.step()
    assert life.stock() == (100, 4)
    life.step(cancel_line, 1)
    assert (life.quantities(), life.stock()) == ((0, 0, 0, 4), (100, 0))
    assert life.database.rows("oe_line", LINE_KEY)[0]["cancel_flag"] == "Y"
    while life.step():
        pass
    assert life.header()["completed"] == "Y"
    assert life.quantities(2) == (0, 0, 6, 0)


def test_an_order_is_cancelled_with_its_lines_unless_something_is_on_its_way(life):
    life.step(cancel_order)
    assert life.header()["cancel_flag"] == "Y"
    assert [life.quantities(line)[3] for line in (1, 2)] == [4, 6]


def test_an_order_on_a_pick_ticket_is_not_cancelled(life):
    life.step()
    life.step()
    assert life.step(cancel_order) == []
    assert life.header()["cancel_flag"] == "N"


def test_sales_corrects_a_po(life):
    assert life.step(correct_po, "PO-2") == [("oe_hdr", "PO corrected")]
    assert life.header()["po_no"] == "PO-2"


def test_closing_an_editor_moves_no_date(life):
    life.database.change("oe_hdr", {"order_no": ORDER}, completed="T")
    stamp = life.header()["date_last_modified"]
    close_editor(life.database, ORDER)
    assert (life.header()["completed"], life.header()["date_last_modified"]) == ("N", stamp)


def test_ticks_bring_orders_all_the_way_and_sales_in_between():
    with P21Sandbox(rows=60, seed=3) as sandbox:
        now = sandbox.database.time.now()
        changes = [each for second in range(80) for each in tick(sandbox.database, now + timedelta(seconds=second))]
    seen = {(change.table, change.what) for change in changes}
    assert {
        ("oe_line", "allocated"),
        ("oe_pick_ticket", "new"),
        ("oe_pick_ticket", "shipped"),
        ("invoice_hdr", "new"),
        ("oe_hdr", "completed"),
        ("oe_hdr", "PO corrected"),
        ("oe_line", "cancelled"),
        ("oe_hdr", "cancelled"),
    } <= seen


def test_the_same_ticks_on_the_same_data_do_the_same():
    told = []
    for _ in range(2):
        with P21Sandbox(rows=60, seed=3) as sandbox:
            now = sandbox.database.time.now()
            told.append([tick(sandbox.database, now) for _ in range(30)])
    assert told[0] == told[1]


async def test_another_process_lets_an_order_live(client, sandbox):
    changes = (await client.call("POST", "/_sandbox/tick")).json["changes"]
    order_no = next(change["key"]["order_no"] for change in changes if change["table"] == "oe_hdr")
    answer = await client.call("POST", f"/_sandbox/orders/{order_no}/advance")
    assert answer.json["changes"]
