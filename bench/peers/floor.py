"""The floor: the least that any reader must do, and no promise kept.

A bare loop of aiohttp and msgspec over the same pages by key, one after the other: 20 typed columns decoded, one line
of JSON for each row, written to a file through Python's buffer. No fingerprint, no checkpoint, no sync to the disk, no
retry. With `--discard` nothing is decoded or written: that shows what the server alone can deliver.
"""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import BinaryIO
from urllib.parse import quote

import aiohttp
import anyio
import msgspec
from yarl import URL

from bench import data
from bench.peers import Task, read_task, work


class Item(msgspec.Struct):
    """The 20 columns with their types."""

    item_uid: int
    item_code: str
    item_desc: str | None
    extended_note: str | None
    brand: str | None
    category_id: int | None
    supplier_no: int | None
    list_price: Decimal | None
    net_price: Decimal | None
    weight: Decimal | None
    volume: Decimal | None
    barcode: str | None
    uom: str | None
    tax_class: str | None
    origin_country: str | None
    shelf: str | None
    lead_days: int | None
    discontinued: str | None
    delete_flag: str | None
    date_last_modified: str


class Page(msgspec.Struct):
    """The body of an answer."""

    value: list[Item]


PAGE = msgspec.json.Decoder(Page)
LINES = msgspec.json.Encoder(decimal_format="number")


def page_url(task: Task, after: int) -> URL:
    """Return the request for the page after a key."""
    condition = f"({data.MODIFIED} ge {task.since}) and ({data.KEY} gt {after})"
    select, text = ",".join(data.WANTED), quote(condition, safe="(),:")
    query = f"$select={select}&$filter={text}&$orderby={data.KEY}&$top={task.page_rows}"
    return URL(f"{task.url}/odataservice/odata/table/{data.TABLE}?{query}", encoded=True)


async def read(task: Task, file: BinaryIO, *, discard: bool) -> None:
    """Read page after page, and write a line for each row."""
    after, count = 0, task.page_rows
    async with aiohttp.ClientSession() as session:
        while count == task.page_rows:
            async with session.get(page_url(task, after)) as response:
                body = await response.read()
            if discard:
                after = max(after, data.FIRST_KEY - 1) + task.page_rows
                count = task.page_rows if len(body) > 200 else 0  # an answer without rows
                continue
            rows = PAGE.decode(body).value
            file.write(LINES.encode_lines(rows))
            after, count = rows[-1].item_uid if rows else after, len(rows)


def main() -> None:
    """Read all rows."""
    discard = "--discard" in sys.argv
    sys.argv = [part for part in sys.argv if part != "--discard"]
    task = read_task()
    with work(), (task.out / "floor.jsonl").open("wb") as file:
        anyio.run(lambda: read(task, file, discard=discard), backend_options={"use_uvloop": True})


if __name__ == "__main__":
    main()
