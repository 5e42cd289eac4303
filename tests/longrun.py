"""A long run: a living distributor, a hub and a P21 with faults, a daemon; then every record of both sides is compared.

    python -m tests.longrun --minutes 10 --rows 20000 --tick 0.2

Prints what happened and what differs; exit code 1 when anything differs that no dead letter and no skip names. The
simulators run in this process, the daemon in its own; it is killed once in the middle.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import anyio

from p21d.clock import SystemClock
from p21d.control.answers import SyncRequest
from p21d.control.client import ControlClient
from p21d.errors import P21dError
from p21d.sandbox.distributor.life import tick
from p21d.sandbox.faults import Fault
from p21d.sandbox.hub import COMPANY_ID, HubSandbox
from p21d.sandbox.prophet21 import P21Sandbox
from p21d.sandbox.serve import name_carriers
from tests.faults.comparison import invoices, living, orders, parcels, stock
from tests.faults.world import COMPANY, ENTITIES, Daemon, until

P21_FAULTS = (
    Fault(kind="status", status=503, path="*odata*", probability=0.01, seed=1),
    Fault(kind="reset", path="*odata*", probability=0.004, seed=2),
    Fault(kind="truncate", path="*odata*", probability=0.004, seed=3),
    Fault(kind="html", path="*odata*", probability=0.001, seed=4),
    Fault(kind="bad_json", path="*odata*", probability=0.001, seed=5),
)
HUB_FAULTS = (
    Fault(kind="drop_after", path="*/v2/C*", probability=0.01, seed=6),
    Fault(kind="drop_before", path="*/v2/*", probability=0.01, seed=7),
    Fault(kind="status", status=500, path="*/v2/C*", probability=0.01, seed=8),
    Fault(kind="status", status=503, path="*/v2/*", probability=0.005, seed=9),
    Fault(kind="status", status=429, path="*/v2/*", headers={"Retry-After": "1"}, probability=0.002, seed=10),
)
QUIET_SECONDS = 900.0
"""How long everything may take to arrive once the faults have stopped: a failing record waits minutes for its next
try."""


def settings(folder: Path, p21_url: str, hub_url: str) -> dict[str, Any]:
    entity = {"poll_interval": "5s", "sweep_interval": "2m"}
    return {
        "prophet21": {
            "api_url": p21_url,
            "username": "p21d",
            "password": "sandbox-password",
            "time_zone": "America/New_York",
            "companies": [COMPANY],
            "settle": "5s",
        },
        "sink": {
            "type": "ipaas",
            "base_url": hub_url,
            "email_address": "daemon@example.com",
            "password": "hub-secret",
            "company_id": COMPANY_ID,
            "system_id": 5120,
        },
        "entities": dict.fromkeys(ENTITIES, entity),
        "store": {"path": str(folder / "p21d.db")},
        "control": {"socket": str(folder / "control.sock")},
    }


async def run(minutes: float, rows: int, tick_seconds: float) -> int:
    folder = Path(tempfile.mkdtemp(prefix="p21d-longrun-"))
    with P21Sandbox(rows=rows) as p21:
        hub = HubSandbox()
        name_carriers(hub)
        async with p21.serve() as p21_url, hub.serve() as hub_url:
            daemon = Daemon(folder, settings(folder, p21_url, hub_url))
            try:
                await live(p21, hub, daemon, minutes, tick_seconds)
                await settle(p21, hub, daemon)
                return report(p21, hub, daemon)
            finally:
                if daemon.process.poll() is None:
                    daemon.process.terminate()
                    await daemon.ended()


async def live(p21: P21Sandbox, hub: HubSandbox, daemon: Daemon, minutes: float, tick_seconds: float) -> None:
    """Let the distributor live under faults; kill the daemon once in the middle."""
    clock = SystemClock()
    for fault in P21_FAULTS:
        p21.faults.add(fault)
    for fault in HUB_FAULTS:
        hub.faults.add(fault)
    await daemon.start()
    ends_at, killed = clock.monotonic() + minutes * 60, False
    ticks = 0
    while (left := ends_at - clock.monotonic()) > 0:
        await clock.sleep(tick_seconds)
        tick(p21.database, clock.now())
        ticks += 1
        if not killed and left < minutes * 30:
            killed = True
            await daemon.kill()
            await daemon.start()
    print(f"{ticks} ticks in {minutes:g} minutes, killed once; hub writes {hub.writes}")


async def settle(p21: P21Sandbox, hub: HubSandbox, daemon: Daemon) -> None:
    """Stop life and faults, and wait until nothing is on its way; then read every key once."""
    fired = {fault.fault.kind: fault.fired for fault in (*p21.faults.list(), *hub.faults.list())}
    print(f"faults fired: {fired}")
    p21.faults.clear()
    hub.faults.clear()
    await until(lambda: nothing_waits(daemon), "everything on its way has arrived", QUIET_SECONDS)
    for entity in ENTITIES:
        async with ControlClient(daemon.socket, answer_seconds=QUIET_SECONDS) as client:
            answer = await client.sync(SyncRequest(entity=entity, all=True, wait=True, confirm_removals=True))
            print(f"{entity}: backfill {answer.status}, {answer.tally.read} read, {answer.tally.delivered} delivered")
    await until(lambda: nothing_waits(daemon), "everything the backfills found has arrived", QUIET_SECONDS)


async def nothing_waits(daemon: Daemon) -> bool:
    await anyio.sleep(1)
    try:
        status = await daemon.status()
    except P21dError:
        return False
    return all(
        entity.state == "in step" and not (entity.waiting or entity.triggered or entity.running)
        for entity in status.entities
    )


def report(p21: P21Sandbox, hub: HubSandbox, daemon: Daemon) -> int:
    """Print what differs and is not named; return the exit code."""
    named = named_rows(daemon.store)
    want, have, keys = expected(p21), arrived(hub), keys_of(p21)
    wrong: dict[str, list[Any]] = defaultdict(list)
    explained: Counter[str] = Counter()
    for entity in ENTITIES:
        for natural in want[entity].keys() | have[entity].keys():
            pair = want[entity].get(natural), have[entity].get(natural)
            if agrees(entity, *pair):
                continue
            # a parcel is named by its order and number, and explained by any ticket of the order
            name = natural[0] if entity == "transaction_tracking_number" else natural
            if keys[entity][name] & named[entity]:
                explained[entity] += 1
            else:
                wrong[entity].append((natural, *pair))
    for entity in ENTITIES:
        compared = len(want[entity].keys() | have[entity].keys())
        print(f"{entity}: {compared} compared, {explained[entity]} explained, {len(wrong[entity])} wrong")
        for case in wrong[entity][:10]:
            print(f"  {case}")
    doubled = hub.duplicates()
    print(f"doubled in the hub: {doubled or 'none'}")
    return 1 if doubled or any(wrong.values()) else 0


def named_rows(store: Path) -> dict[str, set[str]]:
    """Return by entity the keys that an open dead letter or a recorded skip names."""
    found: dict[str, set[str]] = defaultdict(set)
    with sqlite3.connect(store) as sqlite:
        letters = "SELECT entity, key FROM dead_letter WHERE closed_at IS NULL"
        for entity, key in sqlite.execute(f"{letters} UNION ALL SELECT entity, key FROM skipped"):
            found[entity].add(key)
    return found


def expected(p21: P21Sandbox) -> dict[str, dict[Any, Any]]:
    """Return what the hub should say of every living row, by natural key."""
    items = {row["inv_mast_uid"]: row for row in living(p21, "inv_mast")}
    locations = {row["location_id"]: row["location_name"].strip() for row in living(p21, "location")}
    addresses = {row["id"]: row for row in p21.database.rows("address")}
    units: dict[int, dict[str, float]] = defaultdict(dict)
    for row in living(p21, "item_uom"):
        units[row["inv_mast_uid"]][row["unit_of_measure"]] = float(row["unit_size"])
    return {
        "location": dict.fromkeys(locations.values(), True),
        "company": {
            row["customer_name"].strip(): street(addresses.get(row["customer_id"], {}))
            for row in living(p21, "customer")
        },
        "customer": {
            row["id"].strip(): (row["email_address"].strip(), row["first_name"], row["last_name"])
            for row in living(p21, "contacts")
            if (row["email_address"] or "").strip()
        },
        "product": {
            row["item_id"].strip(): (
                row["item_desc"] or row["item_id"].strip(),
                float(row["price1"]),
                units[uid],
                "Inactive" if row["inactive"] == "Y" else "Active",
            )
            for uid, row in items.items()
        },
        "product_inventory": {
            (items[row["inv_mast_uid"]]["item_id"].strip(), locations[row["location_id"]]): stock(row)
            for row in living(p21, "inv_loc")
            if row["inv_mast_uid"] in items and row["location_id"] in locations
        },
        "transaction": orders(p21, items),
        "invoice": invoices(p21, items),
        "transaction_tracking_number": parcels(p21),
    }


def street(address: dict[str, Any]) -> str | None:
    """Return the street of a customer's own address, None where it lacks what the hub requires."""
    kind = next((kind for kind in ("mail", "phys") if (address.get(f"{kind}_address1") or "").strip()), None)
    if kind is None or address.get("delete_flag") == "Y":
        return None
    required = [(address[f"{kind}_{part}"] or "").strip() for part in ("address1", "city", "state", "postal_code")]
    return required[0] if all(required) else None


def arrived(hub: HubSandbox) -> dict[str, dict[Any, Any]]:
    """Return the same of the hub's records that are active; an inactive product and an empty stock are still
    records."""
    skus = {record["id"]: record["sku"] for record in hub.records("product")}
    names = {record["id"]: record["name"] for record in hub.records("location")}
    sales = hub.records("transaction")
    alive = {kind: [record for record in hub.records(kind) if record["active"]] for kind in KINDS}
    return {
        "location": {record["name"]: True for record in alive["location"]},
        "company": {record["name"]: billing_street(record) for record in alive["company"]},
        "customer": {
            record["customer_number"]: (record["email_address"], record["first_name"], record["last_name"])
            for record in alive["customer"]
        },
        "product": {
            record["sku"]: (
                record["name"],
                record["default_price"],
                {unit["name"]: unit["conversion"] for unit in record["units"]},
                record["status"],
            )
            for record in alive["product"]
        },
        "product_inventory": {
            (skus[str(record["parent_id"])], names[str(record["location_id"])]): (
                record["qty_on_hand"],
                record["qty_available"],
            )
            for record in alive["inventory"]
        },
        "transaction": {sale["transaction_number"]: said(sale) for sale in sales if not is_invoice(sale)},
        "invoice": {sale["transaction_number"]: said(sale) for sale in sales if is_invoice(sale)},
        "transaction_tracking_number": {
            (sale["transaction_number"], parcel["tracking_number"]): parcel["shipping_method"]
            for sale in sales
            for parcel in sale["tracking"]
            if parcel["tracking_number"] != "CANCELLED"
        },
    }


def is_invoice(sale: dict[str, Any]) -> bool:
    """Tell an invoice or credit from an order or RMA: numbers of the sandbox's invoices begin with zeros."""
    return str(sale["transaction_number"]).startswith("00")


def said(sale: dict[str, Any]) -> tuple[Any, ...]:
    """Return type, lines of goods, total, and status."""
    return sale["type"], len([line for line in sale["lines"] if line["qty"]]), sale["total"], sale["status"]


def billing_street(company: dict[str, Any]) -> str | None:
    return next((address["address_1"] for address in company["addresses"] if address["is_primary_billing"]), None)


def agrees(entity: str, want: Any, have: Any) -> bool:
    """Compare one record; what is gone from P21 may stay in the hub as inactive or empty."""
    if entity in ("transaction", "invoice") and have is not None:
        # a deleted order stays as Cancelled; amounts are alike to the cent
        if want is None:
            return bool(have[3] == "Cancelled")
        return bool(want[:2] == have[:2] and round(want[2], 2) == round(have[2], 2))
    if want is None and have is not None:
        return (entity == "product" and have[3] == "Inactive") or (entity == "product_inventory" and not any(have))
    if entity == "customer" and want is not None and have is not None:
        # a missing name is filled in by the daemon; what P21 has must be there
        return all(said is None or said.strip() in ("", shown) for said, shown in zip(want, have, strict=True))
    return bool(want == have)


def keys_of(p21: P21Sandbox) -> dict[str, dict[Any, set[str]]]:
    """Return by entity and natural key the keys of all P21 rows, deleted ones too, that lead to it."""
    items = {row["inv_mast_uid"]: row["item_id"].strip() for row in p21.database.rows("inv_mast")}
    locations = {row["location_id"]: row["location_name"].strip() for row in p21.database.rows("location")}
    found: dict[str, dict[Any, set[str]]] = {entity: defaultdict(set) for entity in ENTITIES}
    for number, name in locations.items():
        found["location"][name].add(str(number))
    for row in p21.database.rows("customer"):
        found["company"][row["customer_name"].strip()].add(f"{row['company_id']}|{row['customer_id']}")
    for row in p21.database.rows("contacts"):
        found["customer"][row["id"].strip()] |= {row["id"], row["id"].strip()}
    for uid, item in items.items():
        found["product"][item].add(str(uid))
    for row in p21.database.rows("inv_loc"):
        natural = items[row["inv_mast_uid"]], locations[row["location_id"]]
        found["product_inventory"][natural].add(f"{row['inv_mast_uid']}|{row['location_id']}")
    for table, key, entity in (("oe_hdr", "order_no", "transaction"), ("invoice_hdr", "invoice_no", "invoice")):
        for row in p21.database.rows(table):
            found[entity][row[key]].add(row[key])
    for row in p21.database.rows("oe_pick_ticket"):
        found["transaction_tracking_number"][row["order_no"]].add(str(row["pick_ticket_no"]))
    return found


KINDS = ("location", "company", "customer", "product", "inventory")


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--tick", type=float, default=0.2)
    chosen = parser.parse_args()
    return anyio.run(run, chosen.minutes, chosen.rows, chosen.tick, backend_options={"use_uvloop": True})


if __name__ == "__main__":
    sys.exit(main())
