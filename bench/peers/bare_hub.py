"""What a bare client would do at the hub: the same calls as p21d, as many at once, and no promise kept.

    python -m bench.peers.bare_hub --url URL --hub URL --mode new --connections 10

All rows are read from P21 beforehand. Then so many tasks take a row each, make its record, and send it over one pool
of connections: a new one is looked up and then created, a changed one is updated under its id, which the hub
tells beforehand. Nothing is remembered: no fingerprint, no link, no checkpoint, no retry. The mapping and the
JSON of each record are inside what is measured, as they are for p21d; what is not: reading, start, login.
"""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import anyio
import msgspec
from yarl import URL

from bench import data
from bench.peers.floor import PAGE, Item

SYSTEM_ID = 5120
TRACKING = "trackingGuid=6e0b3c1c-52ab-4e6c-9d9e-0d6f5c3e8a11"
HEADERS = {"Content-Type": "application/json", "Accept": "application/json", "X-Company-Id": "bench-company"}
PAGE_ROWS = 1000
LATE_SECONDS = 90.0

_encoder = msgspec.json.Encoder(decimal_format="number")


def record_of(row: Item) -> dict[str, Any]:
    """Return what is sent of a row: the members of bench/plugins/bench_item.py, those without a value left out."""
    body = {
        "uid": row.item_uid,
        "sku": row.item_code.strip(),
        "name": (row.item_desc or "").strip() or row.item_code.strip(),
        "description": (row.extended_note or "").strip() or None,
        "brand": (row.brand or "").strip() or None,
        "category": row.category_id,
        "supplier": row.supplier_no,
        "price": row.list_price,
        "net_price": row.net_price,
        "weight": row.weight,
        "volume": row.volume,
        "barcode": (row.barcode or "").strip() or None,
        "unit": (row.uom or "").strip(),
        "tax_class": (row.tax_class or "").strip() or None,
        "origin": (row.origin_country or "").strip() or None,
        "shelf": (row.shelf or "").strip() or None,
        "lead_days": row.lead_days,
        "status": "Inactive" if "Y" in (row.discontinued, row.delete_flag) else "Active",
        "modified_at": row.date_last_modified,
    }
    made = {name: value for name, value in body.items() if value is not None}
    made["external_ids"] = [{"system_id": SYSTEM_ID, "external_id": body["sku"]}]
    return made


class Client:
    """Makes the calls."""

    def __init__(self, session: aiohttp.ClientSession, hub: str, ids: dict[str, int]) -> None:
        self._session = session
        self._hub = hub
        self._ids = ids

    async def look_up(self, sku: str) -> int | None:
        """Return the hub's id of an external id, None where there is none."""
        asked = {"table_name": "bench item", "system_id": SYSTEM_ID, "external_id": sku}
        status, answer = await self._call("POST", "bench/v2/External/LookupSpecial", asked)
        return int(msgspec.json.decode(answer)) if status == 200 else None

    async def create(self, row: Item) -> None:
        """Look up and create."""
        record = record_of(row)
        if await self.look_up(record["sku"]) is None:
            await self._send("POST", "bench/items", record)

    async def update(self, row: Item) -> None:
        """Update under the known id."""
        record = record_of(row)
        await self._send("PUT", f"bench/items/{self._ids[record['sku']]}", record)

    async def _send(self, method: str, path: str, record: dict[str, Any]) -> None:
        status, answer = await self._call(method, path, record)
        if status != 200 or not msgspec.json.decode(answer)["id"]:
            raise SystemExit(f"{method} {path} is answered {status}: {answer[:200]!r}")

    async def _call(self, method: str, path: str, body: Any) -> tuple[int, bytes]:
        url = URL(f"{self._hub}/{path}?{TRACKING}", encoded=True)
        async with self._session.request(method, url, data=_encoder.encode(body)) as response:
            return response.status, await response.read()


async def read(url: str) -> list[Item]:
    """Read all rows from P21."""
    rows: list[Item] = []
    async with aiohttp.ClientSession() as session:
        while True:
            after = rows[-1].item_uid if rows else 0
            query = f"$select={','.join(data.WANTED)}&$filter={data.KEY}%20gt%20{after}&$top={PAGE_ROWS}"
            asked = URL(f"{url}/odataservice/odata/table/{data.TABLE}?{query}", encoded=True)
            async with session.get(asked) as response:
                page = PAGE.decode(await response.read()).value
            rows += page
            if len(page) < PAGE_ROWS:
                return rows


@asynccontextmanager
async def opened(connections: int) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a pool as p21d has it, with the headers that p21d sends."""
    connector = aiohttp.TCPConnector(limit=connections)
    timeout = aiohttp.ClientTimeout(total=LATE_SECONDS)
    headers = {**HEADERS, "Authorization": "Bearer bench-bearer"}
    async with aiohttp.ClientSession(
        connector=connector, headers=headers, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        yield session


async def send_all(url: str, hub: str, mode: str, connections: int) -> None:
    """Send each row once."""
    rows = await read(url)
    # the hub gives its ids in the order of the creates, which is not that of the rows: they are asked for
    ids = await known_ids(hub) if mode == "changed" else {}
    async with opened(connections) as session:
        client = Client(session, hub, ids)
        send = client.create if mode == "new" else client.update
        left: Iterator[Item] = iter(rows)

        async def work() -> None:
            for row in left:
                await send(row)

        async with anyio.create_task_group() as tasks:
            for _ in range(connections):
                tasks.start_soon(work)


async def known_ids(hub: str) -> dict[str, int]:
    """Return the ids of all records, which a client would have kept: not counted, in one call."""
    async with aiohttp.ClientSession() as session, session.get(f"{hub}/_ids") as response:
        return {name: int(hub_id) for name, hub_id in (await response.json()).items()}


def main() -> None:
    """Read the command line and send."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--hub", required=True)
    parser.add_argument("--mode", choices=("new", "changed"), required=True)
    parser.add_argument("--connections", type=int, default=10)
    asked = parser.parse_args()
    options = {"use_uvloop": True}
    anyio.run(send_all, asked.url, asked.hub, asked.mode, asked.connections, backend_options=options)


if __name__ == "__main__":
    main()
