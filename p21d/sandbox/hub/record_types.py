"""The record types of the hub that the sandbox keeps, and the link tables of every family.

Members, names, enums and tables are those of the vendor's template and articles; endpoints whose path is not published
(address, inventory, tracking, methods) follow the pattern of their neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable

from p21d.sandbox.hub.customer_types import CUSTOMERS
from p21d.sandbox.hub.declaration import RecordType
from p21d.sandbox.hub.product_types import PRODUCTS
from p21d.sandbox.hub.transaction_types import TRANSACTIONS

RECORD_TYPES = {kind.name: kind for kind in (*CUSTOMERS, *PRODUCTS, *TRANSACTIONS)}
FAMILIES = ("customers", "products", "transactions")

_TABLES_WITHOUT_RECORDS = {
    "customer category": "customers",
    "product variant inventory": "products",
    "product variant option": "products",
    "product option value": "products",
    "alternate id type": "products",
    "kit": "products",
    "kit component": "products",
    "gift card": "giftcards",
    "gift card activity": "giftcards",
}


def _types_by_table(kinds: Iterable[RecordType]) -> dict[str, tuple[str, ...]]:
    tables: dict[str, tuple[str, ...]] = {}
    for kind in kinds:
        if kind.table:
            tables[kind.table] = (*tables.get(kind.table, ()), kind.name)
    return tables


TYPES_OF_TABLE = _types_by_table(RECORD_TYPES.values())
"""Link table name in lower case -> the record types that are linked in it."""

FAMILY_OF_TABLE = {
    **{kind.table: kind.family for kind in RECORD_TYPES.values() if kind.table},
    **_TABLES_WITHOUT_RECORDS,
}
"""Link table name in lower case -> the family that keeps it."""
