"""Compares both sides: the records that are not in the hub as P21's rows want them, and the rows each comes from.

There is one comparison: the tests of the daemon use it too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from p21d.sandbox.hub import HubSandbox
from p21d.sandbox.prophet21 import P21Sandbox
from p21d.torture.found import arrived
from p21d.torture.wanted import ENTITIES, expected

Sources = dict[str, dict[Any, dict[str, str]]]
"""By entity and natural key, the keys of the P21 rows that lead to it, each with the row's stamp."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A record that is not as it should be: None where it is not wanted, or not there."""

    entity: str
    natural_key: Any
    wanted: Any
    found: Any

    def __str__(self) -> str:
        key = "|".join(map(str, self.natural_key)) if isinstance(self.natural_key, tuple) else self.natural_key
        return f"{self.entity} {key}: wanted {self.wanted}, found {self.found}"


def differences(p21: P21Sandbox, hub: HubSandbox, *entities: str) -> list[Difference]:
    """Return every difference of these entities, of all by default; what is twice in the hub is not told here."""
    want, have = expected(p21), arrived(hub)
    found = []
    for entity in entities or ENTITIES:
        for key in want[entity].keys() | have[entity].keys():
            pair = want[entity].get(key), have[entity].get(key)
            if not agrees(entity, *pair):
                found.append(Difference(entity, key, *pair))
    return sorted(found, key=str)


def agrees(entity: str, want: Any, have: Any) -> bool:
    """Compare one record; what is gone from P21 may stay in the hub as inactive, empty or cancelled."""
    if want is None and have is not None:
        return _is_put_away(entity, have)
    if have is None or want is None:
        return want is have
    match entity:
        case "transaction" | "invoice":
            return _same_sale(want, have)
        case "customer":  # a missing name is filled in by the daemon; what P21 has must be there
            return all(said is None or said.strip() in ("", shown) for said, shown in zip(want, have, strict=True))
        case _:
            return bool(want == have)


def _is_put_away(entity: str, have: Any) -> bool:
    match entity:
        case "transaction" | "invoice":
            return bool(have[-1] == "Cancelled")
        case "product":
            return bool(have[3] == "Inactive")
        case "product_inventory":
            return not any(have)
        case _:
            return False


def _same_sale(want: Any, have: Any) -> bool:
    """Compare two sales; amounts are alike to the cent, and of a hub's own order its end is compared."""
    if want[0] == "from the hub":
        return have[0] == want[0] and want[1] in (None, have[1])
    (kind, (least, most), total), (have_kind, lines, have_total, *_) = want, have
    return bool(kind == have_kind and least <= lines <= most and round(total, 2) == round(have_total, 2))


def sources(p21: P21Sandbox) -> Sources:
    """Return by entity and natural key the rows of P21, deleted ones too, that lead to it."""
    found: Sources = {entity: defaultdict(dict) for entity in ENTITIES}
    for entity, natural_key, key, stamp in _rows(p21):
        found[entity][natural_key][key] = stamp
    return found


def _rows(p21: P21Sandbox) -> Iterator[tuple[str, Any, str, str]]:
    """Yield entity, natural key, key and stamp of every row; a parcel is named by its order alone."""
    rows = p21.database.rows
    items = {row["inv_mast_uid"]: row["item_id"].strip() for row in rows("inv_mast")}
    locations = {row["location_id"]: row["location_name"].strip() for row in rows("location")}
    for row in rows("location"):
        yield "location", row["location_name"].strip(), str(row["location_id"]), _stamp(row)
    for row in rows("customer"):
        yield "company", row["customer_name"].strip(), f"{row['company_id']}|{row['customer_id']}", _stamp(row)
    for row in rows("contacts"):
        yield "customer", row["id"].strip(), row["id"].strip(), _stamp(row)
    for row in rows("inv_mast"):
        yield "product", row["item_id"].strip(), str(row["inv_mast_uid"]), _stamp(row)
    for row in rows("inv_loc"):
        natural = items[row["inv_mast_uid"]], locations[row["location_id"]]
        yield "product_inventory", natural, f"{row['inv_mast_uid']}|{row['location_id']}", _stamp(row)
    for table, key, entity in (("oe_hdr", "order_no", "transaction"), ("invoice_hdr", "invoice_no", "invoice")):
        for row in rows(table):
            yield entity, row[key], row[key], _stamp(row)
    for row in rows("oe_pick_ticket"):
        yield "transaction_tracking_number", row["order_no"], str(row["pick_ticket_no"]), _stamp(row)


def _stamp(row: dict[str, Any]) -> str:
    return str(row["date_last_modified"] or "")
