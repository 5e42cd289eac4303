"""Bodies for the Transaction API, as the documentation shows them."""

from __future__ import annotations

from typing import Any

HEADER, ITEMS = "TABPAGE_1.order", "TP_ITEMS.items"
WRITE = "/uiserver0/api/v2/transaction"


def element(name: str, *rows: dict[str, Any], keys: tuple[str, ...] = (), kind: str = "Form") -> dict[str, Any]:
    """Return an element; a row is a dict of field -> value, typed in its order."""
    edits = [[{"Name": field, "Value": value} for field, value in row.items()] for row in rows]
    return {
        "Name": name,
        "Type": kind,
        "Keys": list(keys),
        "Rows": [{"Edits": row, "RelativeDateEdits": []} for row in edits],
    }


def items(*rows: dict[str, Any], keys: tuple[str, ...] = ("user_line_no",)) -> dict[str, Any]:
    """Return the items element, keyed by user_line_no unless told otherwise."""
    return element(ITEMS, *rows, keys=keys, kind="List")


def header(**changes: Any) -> dict[str, Any]:
    """Return the header element of a good order with some fields changed; None leaves a field out."""
    fields = {
        "customer_id": "200001",
        "ship_to_id": "200001",
        "sales_loc_id": "10",
        "source_loc_id": "10",
        "order_date": "2026-11-02",
        "requested_date": "2026-11-04",
        "po_no": "WEB-000731",
        "taker": "P21D",
    }
    return element(HEADER, {name: value for name, value in (fields | changes).items() if value is not None})


LINE_10 = {"user_line_no": "010", "oe_order_item_id": "GASKET-000002", "unit_of_measure": "EA", "unit_quantity": "4"}
LINE_20 = {"user_line_no": "020", "oe_order_item_id": "GASKET-000002", "unit_quantity": "1"}


def transactions(*elements: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
    """Return a body of one transaction per list of elements."""
    sent = [{"Status": "New", "DataElements": each} for each in elements]
    return {"Name": "Order", "UseCodeValues": False, "IgnoreDisabled": False, "Transactions": sent, **options}


def order(*more: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the body of a good order of two lines, further elements behind them."""
    return transactions([header(**changes), items(LINE_10, LINE_20), *more])


def update(order_no: str, *elements: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the body that changes an order."""
    found = element(HEADER, {"order_no": order_no, **changes}, keys=("order_no",))
    return transactions([found, *elements])
