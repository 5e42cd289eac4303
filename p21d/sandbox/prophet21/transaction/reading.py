"""Answers `POST transaction/get`: a whole window of one order, every element with the values it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from p21d.sandbox.prophet21.transaction.elements import ITEMS, Element, Field, load_elements
from p21d.sandbox.prophet21.transaction.masters import Masters
from p21d.sandbox.prophet21.transaction.request import BadBody

if TYPE_CHECKING:
    from p21d.sandbox.prophet21.database import Database


class Key(msgspec.Struct, rename="pascal"):
    """One key value by which a window is retrieved."""

    name: str
    value: str


class TransactionState(msgspec.Struct, rename="pascal"):
    """Which window is wanted."""

    data_element_name: str = ""
    keys: list[Key] = []


class WindowQuery(msgspec.Struct, rename="pascal"):
    """The body of `POST transaction/get`."""

    service_name: str = ""
    transaction_states: list[TransactionState] = []


def read_query(body: bytes) -> WindowQuery:
    """Return the body; raise `BadBody` where it cannot be read."""
    try:
        return msgspec.json.decode(body, type=WindowQuery)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadBody(str(error)) from error


class WindowReader:
    """Read orders back as the window shows them; lists carry an empty row behind the lines."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._masters = Masters(database)

    def read(self, query: WindowQuery) -> dict[str, Any]:
        """Return one transaction per order that was found."""
        wanted = [key.value for state in query.transaction_states for key in state.keys if key.name == "order_no"]
        found = [row for number in wanted for row in self._database.rows("oe_hdr", {"order_no": number.strip()})]
        return {"Transactions": [{"Status": "Passed", "DataElements": self._elements(row)} for row in found]}

    def _elements(self, header: dict[str, Any]) -> list[dict[str, Any]]:
        lines = self._database.rows("oe_line", {"order_no": header["order_no"]})
        shown = []
        for element in load_elements().values():
            rows = [*lines, {}] if element.name == ITEMS else [header]
            shown.append({"Name": element.name, "Rows": [self._row(element, row) for row in rows]})
        return shown

    def _row(self, element: Element, row: dict[str, Any]) -> dict[str, Any]:
        return {"Edits": [{"Name": each.name, "Value": self._value(each, row)} for each in element.fields.values()]}

    def _value(self, field: Field, row: dict[str, Any]) -> str:
        if field.name == "oe_order_item_id" and row.get("inv_mast_uid") is not None:
            item = self._database.rows("inv_mast", {"inv_mast_uid": row["inv_mast_uid"]})
            return str(item[0]["item_id"]) if item else ""
        value = row.get(field.stored_as) if field.table in {"oe_hdr", "oe_line"} else None
        if value is None:
            return ""
        if field.name == "oe_hdr_carrier_id":
            return self._masters.carrier_name(value)
        labels = {code: label for label, code in field.values.items()}
        return labels.get(str(value), str(value))
