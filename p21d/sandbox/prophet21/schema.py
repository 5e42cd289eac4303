"""The tables the simulated P21 serves: columns, types, keys and the names of their views.

`columns.txt` lists the columns of the public `p21_view_*` definitions under their base tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal

Kind = Literal["text", "whole", "decimal", "integer", "datetime", "binary"]

KEYS = {
    "customer": ("company_id", "customer_id"),
    "contacts": ("id",),
    "contacts_x_links": ("id", "link_type", "link_id", "company_id"),
    "address": ("id",),
    "ship_to": ("company_id", "ship_to_id"),
    "company": ("company_id",),
    "location": ("location_id",),
    "inv_mast": ("inv_mast_uid",),
    "inv_loc": ("inv_mast_uid", "location_id"),
    "item_uom": ("item_uom_uid",),
    "product_group": ("company_id", "product_group_id"),
    "freight_code": ("freight_code_uid",),
    "oe_hdr": ("order_no",),
    "oe_line": ("order_no", "line_no"),
    "invoice_hdr": ("invoice_no",),
    "invoice_line": ("invoice_line_uid",),
    "oe_pick_ticket": ("pick_ticket_no",),
    "oe_pick_ticket_detail": ("pick_ticket_no", "line_number"),
    "shipment": ("shipment_uid",),
    "clippership_return_10004": ("pick_ticket_no", "tracking_no"),
}
# What clients page, join or look up by beside the key; each becomes an index.
OTHER_INDEXES = {
    "customer": ("customer_uid", "customer_id"),
    "contacts": ("address_id",),
    "contacts_x_links": ("link_id",),
    "address": ("corp_address_id",),
    "ship_to": ("customer_id", "ship_to_id"),
    "company": ("company_uid", "address_id"),
    "inv_mast": ("item_id",),
    "item_uom": ("inv_mast_uid",),
    "product_group": ("product_group_uid",),
    "oe_hdr": ("oe_hdr_uid", "customer_id", "po_no", "job_name"),
    "oe_line": ("oe_line_uid", "oe_hdr_uid"),
    "invoice_hdr": ("order_no",),
    "invoice_line": ("invoice_no", "order_no"),
    "oe_pick_ticket": ("order_no", "invoice_no"),
    "shipment": ("transaction_no",),
}
# What a view joins in; every other extra column of a view is null here.
VIEW_EXPRESSIONS = {
    "item_id": "(SELECT i.item_id FROM inv_mast i WHERE i.inv_mast_uid = t.inv_mast_uid)",
}

_LETTERS: dict[str, Kind] = {"S": "text", "D": "decimal", "I": "integer", "T": "datetime", "B": "binary"}
_WHOLE_ENDINGS = ("_id", "_no", "_number", "_uid")
_EDM_TYPES = {
    "text": "Edm.String",
    "whole": "Edm.Decimal",
    "decimal": "Edm.Decimal",
    "integer": "Edm.Int32",
    "datetime": "Edm.DateTimeOffset",
    "binary": "Edm.Binary",
}


@dataclass(frozen=True)
class Column:
    """One column; `whole` is a decimal(19,0) such as an id, `decimal` one with a fraction."""

    name: str
    kind: Kind
    view_only: bool

    @property
    def edm_type(self) -> str:
        """Return the OData type name as P21's messages and $metadata spell it."""
        return _EDM_TYPES[self.kind]


@dataclass(frozen=True)
class Table:
    """One base table and the view that goes with it."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @cached_property
    def stored(self) -> dict[str, Column]:
        """Return the columns of the base table by name."""
        return {column.name: column for column in self.columns if not column.view_only}

    @cached_property
    def viewed(self) -> dict[str, Column]:
        """Return the columns of the view by name, its extras included."""
        return {column.name: column for column in self.columns}


@lru_cache(maxsize=1)
def load_tables() -> dict[str, Table]:
    """Return every table by its lower-case name."""
    words: dict[str, list[str]] = {}
    name = ""
    for line in (Path(__file__).parent / "columns.txt").read_text(encoding="ascii").splitlines():
        if line.startswith("#"):
            continue
        if not line.startswith(" "):
            name = line.strip()
        words.setdefault(name, []).extend(line.split() if line.startswith(" ") else [])
    return {name: Table(name, tuple(map(_column, texts)), KEYS[name]) for name, texts in words.items()}


def find_table(surface: str, name: str) -> Table | None:
    """Return what `/table/NAME` or `/view/NAME` serves; None on the wrong surface or for an unknown name."""
    tables, lower = load_tables(), name.lower()
    if surface == "table":
        return tables.get(lower)
    if lower == "clippership_return_10004":  # the one name that is a table and a view
        return tables[lower]
    return tables.get(lower.removeprefix("p21_view_")) if lower.startswith("p21_view_") else None


def _column(text: str) -> Column:
    name, _, rest = text.partition(":")
    kind = _LETTERS[rest[0]]
    if kind == "decimal" and (name == "id" or name.endswith(_WHOLE_ENDINGS)):
        kind = "whole"
    return Column(name, kind, view_only=rest.endswith("*"))
