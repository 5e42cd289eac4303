"""A P21 sandbox that is served, its order desk, and an order it takes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from p21d.order import Order, OrderLine
from p21d.prophet21.source import Prophet21
from p21d.sandbox.prophet21.sandbox import P21Sandbox
from tests.prophet21.conftest import TurningClock, answers, clock, connected, sandbox, scripted, seeded_path

__all__ = ["answers", "clock", "sandbox", "scripted", "seeded_path"]

TAKER = "P21D"
REFERENCE = "4711 H-88"


@pytest.fixture
async def p21(sandbox: P21Sandbox, clock: TurningClock) -> AsyncIterator[Prophet21]:
    """A source connected to the sandbox of the test."""
    async with sandbox.serve() as url, connected(url, clock) as source:
        yield source


def line(number: str = "010", item: str = "VALVE-000012", quantity: object = "4", **changes: Any) -> OrderLine:
    """Return a line as the mapping makes it."""
    values: dict[str, Any] = {
        "user_line_no": number,
        "hub_line_id": f"hub-{number}",
        "item_id": item,
        "unit_quantity": Decimal(str(quantity)),
        "unit_of_measure": "EA",
        "unit_price": Decimal("12.50"),
    }
    return OrderLine(**{**values, **changes})


def order(*lines: OrderLine, **changes: Any) -> Order:
    """Return an order of customer 200003 as the mapping makes it; two lines where none is given."""
    values: dict[str, Any] = {
        "customer_id": 200003,
        "ship_to_id": 6000005,
        "sales_location_id": 30,
        "source_location_id": 20,
        "order_date": date(2026, 11, 2),
        "requested_date": date(2026, 11, 2) + timedelta(days=2),
        "taker": TAKER,
        "lines": lines or (line(), line("020", "BEARING-000008", 2)),
        "contact_id": "5003",
    }
    return Order(**{**values, **changes})


def body_of(rendered: bytes) -> dict[str, Any]:
    """Return the transaction in a rendered order, by element."""
    (transaction,) = msgspec.json.decode(rendered)["Transactions"]
    return {element["Name"]: element for element in transaction["DataElements"]}


def edits_of(element: dict[str, Any], row: int = 0) -> list[tuple[str, str]]:
    """Return the edits of a row, in their order."""
    return [(edit["Name"], edit["Value"]) for edit in element["Rows"][row]["Edits"]]
