"""Types edits into the lines of an order: item first, then unit, quantity and price.

A new item or unit prices the line anew; a typed price raises the price-edit flag and leaves the system's price beside
it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from p21d.sandbox.prophet21.transaction.elements import Element, Field
from p21d.sandbox.prophet21.transaction.masters import Item, Masters
from p21d.sandbox.prophet21.transaction.request import Edit, TransactionRefused
from p21d.sandbox.prophet21.transaction.values import decimal_text, invalid, stored_value

_ITEM = "oe_order_item_id"


@dataclass
class Line:
    """One line as typed so far; `stored` is the row of a line that exists, None of a new one."""

    typed: dict[str, Any] = field(default_factory=dict)
    item: Item | None = None
    stored: dict[str, Any] | None = None

    def get(self, column: str) -> Any:
        """Return a column as it would be saved now."""
        return self.typed[column] if column in self.typed else (self.stored or {}).get(column)

    @property
    def unit_size(self) -> Decimal:
        """Return how many base units one order unit has."""
        return Decimal(self.get("unit_size") or 1)


class Lines:
    """All lines of one order, in the order they were typed; the last one that was typed has the focus."""

    def __init__(self, masters: Masters, stored: list[dict[str, Any]], *, use_codes: bool) -> None:
        self._masters = masters
        self._use_codes = use_codes
        living = [row for row in stored if row.get("delete_flag") != "Y"]
        self.all = [Line(item=masters.item_with(row["inv_mast_uid"]), stored=row) for row in living]

    def focus(self, element: Element, edits: list[Edit], keys: list[str]) -> Line:
        """Return the line a row means: the last that agrees in all keys, else a new one.

        A form shows a line and makes none; raises `TransactionRefused` where no line agrees.
        """
        wanted = {edit.name: (edit.value or "").strip() for edit in edits if edit.name in keys}
        agree = [line for line in self.all if self._agrees(line, wanted)]
        if element.type != "List" and not agree:
            raise TransactionRefused("General Exception: Sequence contains no matching element")
        if agree:
            return agree[-1]
        self.all.append(Line())
        return self.all[-1]

    def type(self, line: Line, name: Field, text: str) -> None:
        """Type one value into a line; raise `TransactionRefused` where the field does not take it."""
        if name.name == _ITEM:
            self._type_item(line, name, text)
        elif name.name == "unit_of_measure":
            self._type_unit(line, name, text)
        elif name.table == "oe_line":
            value = stored_value(name, text, use_codes=self._use_codes)
            if name.name.endswith("_loc_id") and value is not None and self._masters.location(value) is None:
                raise invalid(name, text)
            if name.name == "unit_quantity" and (value is None or Decimal(value) <= 0):
                raise invalid(name, text)
            line.typed[name.stored_as] = value
            if name.name == "unit_price" and value is not None:
                line.typed["manual_price_overide"] = "Y"

    def _agrees(self, line: Line, wanted: dict[str, str]) -> bool:
        item_id = line.item.item_id if line.item else ""
        shown = {name: item_id if name == _ITEM else str(line.get(name) or "") for name in wanted}
        return bool(wanted) and all(shown[name].strip().upper() == wanted[name].upper() for name in wanted)

    def _type_item(self, line: Line, name: Field, text: str) -> None:
        item = self._masters.item(text) if text else None
        if item is None:
            raise invalid(name, text)
        if line.item is not None and line.item.uid == item.uid:
            return
        line.item = item
        line.typed["inv_mast_uid"] = item.uid
        self._price(line, item, item.selling_unit if item.selling_unit in item.units else "EA")

    def _type_unit(self, line: Line, name: Field, text: str) -> None:
        if not text:
            return
        if line.item is None:
            raise TransactionRefused("Item ID is required")
        if text not in line.item.units:
            raise invalid(name, text)
        if text != line.get("unit_of_measure"):
            self._price(line, line.item, text)

    def _price(self, line: Line, item: Item, unit: str) -> None:
        size = item.units.get(unit, Decimal(1))
        price = decimal_text(item.price * size)
        line.typed |= {
            "unit_of_measure": unit,
            "unit_size": decimal_text(size),
            "pricing_unit": unit,
            "pricing_unit_size": decimal_text(size),
            "unit_price": price,
            "system_calc_unit_price": price,
            "manual_price_overide": "N",
        }
