"""What a daemon that was killed has left in its store, held against P21 and the hub as they are at that moment.

Read with plain SQL and compared without any code of the engine: what the store says is done must be so.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from p21d.keys import key_text
from tests.faults.world import COMPANY, World

FATES = ("read", "delivered", "unchanged", "skipped", "waiting", "dead_lettered", "unfinished")


@dataclass(frozen=True)
class Source:
    """Where an entity is read: its table, key, page key and company column, and the hub's type of its records."""

    table: str
    key: tuple[str, ...]
    hub: str
    page_by: str = ""
    company: str = "company_id"


SOURCES = {
    "location": Source("location", ("location_id",), "location"),
    "company": Source("customer", ("company_id", "customer_id"), "company", "customer_uid"),
    "customer": Source("contacts", ("id",), "customer"),
    "product": Source("inv_mast", ("inv_mast_uid",), "product", company=""),
    "product_inventory": Source("inv_loc", ("inv_mast_uid", "location_id"), "inventory"),
    "transaction": Source("oe_hdr", ("order_no",), "transaction", "oe_hdr_uid"),
    "invoice": Source("invoice_hdr", ("invoice_no",), "transaction", company="company_no"),
    "transaction_tracking_number": Source("oe_pick_ticket", ("pick_ticket_no",), "tracking"),
}


class DeadStore:
    """The store of a daemon that has just died, beside the world it died in."""

    def __init__(self, path: Path, here: World) -> None:
        self._p21 = here.p21.database
        self._hub = here.hub
        kinds = {source.hub for source in SOURCES.values()}
        self._records = {
            kind: {link["external_id"]: record for record in here.hub.records(kind) for link in record["external_ids"]}
            for kind in kinds
        }
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
            store.row_factory = sqlite3.Row
            self._tables = {name: store.execute(f"SELECT * FROM {name}").fetchall() for name in READ}
        self._fates = self._read_fates()

    def wrong(self) -> list[str]:
        """Return in words all that the store says and that is not so; empty after any end of a good daemon."""
        checks = (self._ahead, self._triggers_ahead, self._not_in_the_hub, self._unlinked, self._sums, self._doubles)
        return [said for check in checks for said in check()]

    def _read_fates(self) -> dict[tuple[str, str], set[str]]:
        fates: dict[tuple[str, str], set[str]] = defaultdict(set)
        for row in self._tables["delivered"]:
            if row["delivered_at"]:  # else only attempted
                fates[row["entity"], row["key"]].add("delivered")
        for row in self._tables["waiting"]:
            fates[row["entity"], row["key"]].add("waiting")
        for row in self._tables["skipped"]:
            fates[row["entity"], row["key"]].add("skipped")
        for row in self._tables["dead_letter"]:
            if row["closed_at"] is None:
                fates[row["entity"], row["key"]].add("dead letter")
        return fates

    def _ahead(self) -> Iterator[str]:
        """Say which rows the watermark or a key reached has passed although they have no fate."""
        for entity, source in SOURCES.items():
            for row in self._rows(entity):
                key = key_text(row[name] for name in source.key)
                if passed := self._passed(entity, source, row):
                    fates = self._fates.get((entity, key), set())
                    if not fates:
                        yield f"{entity} {key} has no fate, and {passed} is ahead of it"
                    elif fates == {"delivered"} and (other := self._content_differs(entity, row)):
                        yield f"{entity} {key}: {other}, and {passed} is ahead of it"
                    if {"skipped", "dead letter"} <= fates:
                        yield f"{entity} {key} has two fates: {fates}"

    def _rows(self, entity: str) -> list[dict[str, Any]]:
        source = SOURCES[entity]
        rows = self._p21.rows(source.table)
        return [row for row in rows if not source.company or row[source.company] == COMPANY]

    def _passed(self, entity: str, source: Source, row: dict[str, Any]) -> str:
        """Return what has passed the row as it is now, empty where nothing has."""
        stamp = instant_of(row["date_last_modified"])
        if stamp < OLDEST:
            return ""
        for mark in self._tables["checkpoint"]:
            if mark["entity"] == entity and millis(stamp) < mark["watermark_at"]:
                return "the watermark"
        page_key = [row[source.page_by]] if source.page_by else [row[name] for name in source.key]
        for window in self._tables["open_window"]:
            inside = window["entity"] == entity and window["low_at"] <= millis(stamp) < window["opened_at"]
            if inside and window["reached"] and comparable(page_key) <= comparable(window["reached"].split("|")):
                return f"the key reached by its {window['kind']}"
        return ""

    def _content_differs(self, entity: str, row: dict[str, Any]) -> str:
        """Say what the hub has of the row's own columns that is not P21's; empty where it is the same."""
        if row.get("delete_flag") == "Y":
            return ""
        match entity:
            case "location":
                want, have = row["location_name"], self._record("location", str(row["location_id"])).get("name")
            case "product":
                record = self._record("product", row["item_id"].strip())
                want, have = (
                    (row["item_desc"] or row["item_id"].strip(), float(row["price1"])),
                    (record.get("name"), record.get("default_price")),
                )
            case "product_inventory":
                [item] = self._p21.rows("inv_mast", {"inv_mast_uid": row["inv_mast_uid"]}) or [{"item_id": ""}]
                record = self._record("inventory", f"{item['item_id'].strip()}|{row['location_id']}")
                want, have = float(row["qty_on_hand"]), record.get("qty_on_hand")
            case _:
                return ""
        return f"P21 has {want}, the hub {have}" if want != have else ""

    def _record(self, kind: str, external_id: str) -> dict[str, Any]:
        """Return the hub's record of our external id, empty where there is none."""
        return self._records[kind].get(external_id, {})

    def _triggers_ahead(self) -> Iterator[str]:
        """Say which units a trigger has passed although the product neither has them nor is to be read again."""
        marks = {row["entity"]: row["watermark_at"] for row in self._tables["checkpoint"]}
        mark = marks.get("product<item_uom", 0)
        units = [row for row in self._p21.rows("item_uom") if instant_of(row["date_last_modified"]) >= OLDEST]
        latest: dict[int, int] = defaultdict(int)
        for row in units:
            latest[row["inv_mast_uid"]] = max(
                latest[row["inv_mast_uid"]], millis(instant_of(row["date_last_modified"]))
            )
        for uid, changed in latest.items():
            fates = self._fates.get(("product", str(uid)), set())
            if changed >= mark or fates != {"delivered"}:
                continue
            [item] = self._p21.rows("inv_mast", {"inv_mast_uid": uid})
            have = {
                unit["name"]: unit["conversion"] for unit in self._record("product", item["item_id"].strip())["units"]
            }
            own = [row for row in units if row["inv_mast_uid"] == uid and row["delete_flag"] != "Y"]
            want = {row["unit_of_measure"]: float(row["unit_size"]) for row in own}
            if have != want and item["delete_flag"] != "Y":
                yield f"units of product {uid}: P21 has {want}, the hub {have}, and the trigger's watermark is ahead"

    def _delivered(self) -> Iterator[sqlite3.Row]:
        """Yield what the hub has acknowledged; what is inactive may never have been there at all."""
        for row in self._tables["delivered"]:
            if row["fingerprint"] is not None and row["active"]:
                yield row

    def _not_in_the_hub(self) -> Iterator[str]:
        """Say which records are delivered according to the store, and not in the hub."""
        for row in self._delivered():
            kind = SOURCES[row["entity"]].hub
            if not self._record(kind, row["external_id"]):
                yield f"{row['entity']} {row['key']} counts as delivered, and the hub has no {row['external_id']}"

    def _unlinked(self) -> Iterator[str]:
        """Say which delivered records have no link in the store."""
        linked = {(row["entity"], row["key"], row["external_id"]) for row in self._tables["link"]}
        for row in self._delivered():
            if (row["entity"], row["key"], row["external_id"]) not in linked:
                yield f"{row['entity']} {row['key']} counts as delivered, and its link was not kept"

    def _sums(self) -> Iterator[str]:
        """Say which cycles do not add up."""
        for row in self._tables["cycle"]:
            read, *fates = (row[name] for name in FATES)
            if read != sum(fates) or (row["status"] == "completed" and row["unfinished"]):
                yield f"{row['kind']} of {row['entity']}, {row['status']}: read {read}, fates {fates}"

    def _doubles(self) -> Iterator[str]:
        """Say of what the hub has two."""
        for kind, count in self._hub.duplicates().items():
            yield f"the hub has {count} {kind} twice"


READ = ("checkpoint", "open_window", "delivered", "waiting", "skipped", "dead_letter", "link", "cycle")
OLDEST = datetime(2020, 1, 1, tzinfo=UTC)
"""Rows stamped below it are outside every look-back of these tests."""


def instant_of(stamp: str) -> datetime:
    """Return the instant of a stamp, which is P21's local time."""
    return datetime.fromisoformat(stamp).replace(tzinfo=ZoneInfo("America/New_York")).astimezone(UTC)


def millis(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


def comparable(key: Sequence[Any]) -> tuple[Any, ...]:
    """Return a page key as P21 orders it: numbers as numbers."""
    return tuple(Decimal(str(part)) if str(part).strip().isdigit() else str(part) for part in key)
