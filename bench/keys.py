"""How many bytes the store takes per delivered key, and how long its check takes at that size.

The keys are those of a distributor: stocks of products, products with their units, orders and invoices, in the order
and in the batches in which a first load delivers them, written through the store's own classes.

    python -m bench.keys --keys 2000000

It prints one line of JSON.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import anyio

from p21d.store.database import Store
from p21d.store.delivered import DeliveredRecord
from p21d.store.integrity import check
from p21d.store.link import StoredLink

BATCH_ROWS = 100
BATCHES_AT_ONCE = 10
"""Batches in one transaction here: the file is the same, and writing it takes a quarter of the time."""
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
SHARES = (("product_inventory", 0.6), ("product", 0.2), ("transaction", 0.12), ("invoice", 0.08))
TABLES = {"product_inventory": "Product Inventory", "product": "Product", "transaction": "Transaction"}


@dataclass(frozen=True, kw_only=True)
class Room:
    """What a store of so many delivered keys takes: its bytes, its links, and the seconds of its check."""

    keys: int
    links: int
    size_bytes: int
    check_seconds: float

    @property
    def bytes_per_key(self) -> float:
        """Return the file's size over the keys."""
        return self.size_bytes / self.keys


def names(entity: str, number: int) -> tuple[str, str]:
    """Return key and external id of one record; item ids come in no order of the keys."""
    item = f"{hashlib.md5(str(number // 3).encode(), usedforsecurity=False).hexdigest()[:4].upper()}-{number:07}"
    match entity:
        case "product_inventory":
            return f"{1_000_000 + number // 3}|{10 * (1 + number % 3)}", f"{item}|{10 * (1 + number % 3)}"
        case "product":
            return str(1_000_000 + number), item
        case _:
            return str(4_000_000 + number), str(4_000_000 + number)


def records(keys: int) -> Iterator[tuple[str, int]]:
    """Yield (entity, number) of every record, entity by entity."""
    for entity, share in SHARES:
        yield from ((entity, number) for number in range(round(keys * share)))


def links_of(entity: str, number: int, key: str, external_id: str) -> list[StoredLink]:
    """Return the link of a record, and of a product's unit."""
    table, hub_id = TABLES.get(entity, "Transaction"), str(8_000_000 + number)
    if entity == "invoice":
        hub_id, external_id = f"9{hub_id}", f"I{external_id}"
    links = [StoredLink(table, external_id, hub_id, entity, key)]
    if entity == "product":
        links.append(StoredLink("Product Unit", f"{external_id}|EA", hub_id, entity, key))
    return links


async def fill(store: Store, keys: int) -> int:
    """Write so many delivered records with their links; return the number of links."""
    count = 0
    wanted = records(keys)
    while part := list(islice(wanted, BATCH_ROWS * BATCHES_AT_ONCE)):
        async with store.transaction() as tables:
            for entity in {entity for entity, _ in part}:
                made = [(number, *names(entity, number)) for name, number in part if name == entity]
                links = [link for one in made for link in links_of(entity, *one)]
                count += len(links)
                prints = [hashlib.blake2b(external_id.encode(), digest_size=16).digest() for _, _, external_id in made]
                delivered = [
                    DeliveredRecord(key, external_id, mark, active=True, read_at=NOON)
                    for (_, key, external_id), mark in zip(made, prints, strict=True)
                ]
                await tables.delivered.acknowledge(entity, delivered, NOON)
                await tables.links.record(links)
    return count


async def measure(path: Path, keys: int) -> Room:
    """Fill a store at `path` and measure it."""
    async with Store(path) as store:
        links = await fill(store, keys)
    began = time.monotonic()
    check(path)
    seconds = time.monotonic() - began
    return Room(keys=keys, links=links, size_bytes=(await anyio.Path(path).stat()).st_size, check_seconds=seconds)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=2_000_000)
    with tempfile.TemporaryDirectory(prefix="p21d-keys-") as folder:
        room = anyio.run(measure, Path(folder, "p21d.db"), parser.parse_args().keys)
    print(json.dumps({**asdict(room), "bytes_per_key": room.bytes_per_key}))


if __name__ == "__main__":
    main()
