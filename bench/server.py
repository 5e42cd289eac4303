"""A page server in its own process that speaks as much of P21's OData as p21d and its peers ask for.

    python -m bench.server --rows 100000 --latency-ms 50

It prints one line of JSON with its URL. Rows are rendered once for each `$select`, at the first request that has it;
after that a page is a join of ready bytes, so that the server is never what is measured (read_path.py measures it).
What each side asks for: p21d and the floor page by key (`item_uid gt K`), p21d also asks `$count=true` once a window,
`$metadata` and small proofs; dlt, the Singer tap and the Airbyte source page by `$skip` and `$top` in the order of the
stamp, as P21 has no next links; the way it is done today asks for ids only, then for one row by its id.

`/_reset?latency_ms=50` sets the counts to nothing and the latency; `/_counts` tells what was asked for since.
"""

from __future__ import annotations

import argparse
import json
import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import anyio
from aiohttp import web

from bench import data
from p21d.clock import SystemClock

PREFIX = "/odataservice/odata/table/"
TOKEN = {"AccessToken": "bench-token", "ExpiresInSeconds": 86_400}
COMPARISON = re.compile(r"(\w+) (eq|gt|ge|lt|le) ([^\s()]+)")
AGE = timedelta(minutes=5)
"""How long before the start of the server the newest row was changed."""


class Refused(Exception):
    """A request in a form that this server does not speak: the measurement must not go on with a wrong answer."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a request asks for; `comparisons` are column, operator, value, all of them or any `eq` of one column."""

    select: tuple[str, ...]
    order_by: str
    comparisons: Sequence[tuple[str, str, str]]
    top: int
    skip: int
    count: bool

    @classmethod
    def of(cls, query: dict[str, str]) -> Wish:
        """Read the query of a request; raises Refused."""
        text = query.get("$filter", "")
        if left := re.sub(r"[()\s]|\band\b|\bor\b", "", COMPARISON.sub("", text)):
            raise Refused(f"not understood in $filter: {left}")
        return cls(
            select=tuple(filter(None, query.get("$select", "").split(","))),
            order_by=query.get("$orderby", data.KEY),
            comparisons=COMPARISON.findall(text),
            top=int(query.get("$top", 1_000_000_000)),
            skip=int(query.get("$skip", 0)),
            count=query.get("$count") == "true",
        )

    def values(self, column: str, operator: str) -> list[str]:
        """Return what a column is compared with by an operator."""
        return [value for name, found, value in self.comparisons if (name, found) == (column, operator)]


class Items:
    """The rows of the table of items; a row is known by its number from 0 on."""

    def __init__(self, rows: int, newest: datetime) -> None:
        self.size = rows
        self._newest = newest
        ages = array(
            "q", ((newest - data.stamp(number, newest)) // timedelta(milliseconds=1) for number in range(rows))
        )
        self._oldest = max(ages, default=0)
        self._by_stamp = array("l", sorted(range(rows), key=lambda number: (-ages[number], number)))
        self._stamps = array("q", (-ages[number] for number in self._by_stamp))
        self._fragments: dict[tuple[str, ...], list[data.Fragment]] = {}
        self._rendered: dict[tuple[str, ...], list[bytes]] = {}

    def page(self, wish: Wish) -> tuple[list[bytes], int]:
        """Return the rows of a page as JSON, and how many there are without `$top` and `$skip`."""
        keys = [int(key) - data.FIRST_KEY for key in wish.values(data.KEY, "eq")]
        if keys:
            kept = set(self._since(wish)) if wish.values(data.MODIFIED, "ge") else range(self.size)
            numbers: Sequence[int] = sorted(key for key in keys if key in kept)
        else:
            numbers = self._ordered(wish)
        part = numbers[wish.skip : wish.skip + wish.top]
        return self._json(wish.select, part), len(numbers)

    def _ordered(self, wish: Wish) -> Sequence[int]:
        column, _, direction = wish.order_by.partition(",")[0].partition(" ")
        if column == data.MODIFIED and not direction:
            return memoryview(self._by_stamp)[self._first(wish) : self._end(wish)]
        if column == data.MODIFIED:
            return self._by_stamp[: -wish.top - 1 : -1]
        numbers = self._since(wish)
        after = max((int(key) - data.FIRST_KEY for key in wish.values(data.KEY, "gt")), default=-1)
        last = min((int(key) - data.FIRST_KEY for key in wish.values(data.KEY, "le")), default=self.size)
        numbers = numbers[bisect_right(numbers, after) : bisect_right(numbers, last)]
        return numbers[::-1] if direction else numbers

    def _first(self, wish: Wish) -> int:
        lows = [datetime.fromisoformat(text) for text in wish.values(data.MODIFIED, "ge")]
        return max((self._place(low) for low in lows), default=0)

    def _end(self, wish: Wish) -> int:
        highs = [datetime.fromisoformat(text) for text in wish.values(data.MODIFIED, "le")]
        return min((self._place(high + timedelta(milliseconds=1)) for high in highs), default=self.size)

    def _place(self, low: datetime) -> int:
        """Return the place in the order of stamps from which on rows were changed at or after `low`."""
        return bisect_left(self._stamps, (low - self._newest) / timedelta(milliseconds=1))

    def _since(self, wish: Wish) -> Sequence[int]:
        return self._from(self._first(wish))

    @lru_cache(maxsize=8)  # noqa: B019  # one of these objects lives as long as the process
    def _from(self, first: int) -> Sequence[int]:
        return array("l", sorted(self._by_stamp[first:])) if first else range(self.size)

    def _json(self, select: tuple[str, ...], numbers: Sequence[int]) -> list[bytes]:
        if len(numbers) <= 1:
            return list(self._render(select, numbers))
        if select not in self._rendered:
            self._rendered[select] = list(self._render(select, range(self.size)))
        rendered = self._rendered[select]
        if isinstance(numbers, range) and numbers.step == 1:
            return rendered[numbers.start : numbers.stop]
        return [rendered[number] for number in numbers]

    def _render(self, select: tuple[str, ...], numbers: Iterable[int]) -> Iterable[bytes]:
        if select not in self._fragments:
            self._fragments[select] = data.item_fragments(select or data.all_columns(), self._newest)
        fragments = self._fragments[select]
        for number in numbers:
            yield f"{{{','.join([fragment(number) for fragment in fragments])}}}".encode()


class Units:
    """The rows of the related table, two of each item, rendered as they are asked for."""

    def __init__(self, items: int, newest: datetime) -> None:
        self._items = items
        self._newest = newest

    def page(self, wish: Wish) -> tuple[list[bytes], int]:
        """Return the units of the items asked for; of the first ones where none are."""
        keys = {int(key) - data.FIRST_KEY for key in wish.values(data.KEY, "eq")} or range(min(self._items, wish.top))
        numbers = [data.UNITS_PER_ITEM * key + place for key in sorted(keys) for place in range(data.UNITS_PER_ITEM)]
        after = max(map(int, wish.values("unit_uid", "gt")), default=0)
        numbers = [number for number in numbers if number + 1 > after]
        part = numbers[wish.skip : wish.skip + wish.top]
        return [data.unit_row(number, self._newest).encode() for number in part], len(numbers)


class Server:
    """Answers requests after the latency, and counts them."""

    def __init__(self, rows: int, latency_seconds: float) -> None:
        self._clock = SystemClock()
        newest = self._clock.now().replace(microsecond=0) - AGE
        self._tables: dict[str, Items | Units] = {
            data.TABLE: Items(rows, newest),
            data.UNIT_TABLE: Units(rows, newest),
        }
        self._latency_seconds = latency_seconds
        self._counts = {"requests": 0, "rows": 0, "bytes": 0}

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if request.path.startswith("/_"):
            return self._told(request)
        if self._latency_seconds:
            await anyio.sleep(self._latency_seconds)
        self._counts["requests"] += 1
        if request.path.startswith(PREFIX):
            return self._read(request)
        if request.path.startswith("/api/security/token"):
            return web.json_response(TOKEN)
        if request.path.endswith("/serverinfo"):
            return web.json_response({"Version": "26.1.5950.1"})
        return web.Response(status=404, text=f"nothing at {request.path}")

    def _read(self, request: web.BaseRequest) -> web.StreamResponse:
        table = request.path.removeprefix(PREFIX)
        if table == "$metadata":
            return web.json_response(metadata())
        try:
            wish = Wish.of(dict(request.query))
            rows, size = self._tables[table].page(wish)
        except (Refused, KeyError, ValueError) as error:
            return web.Response(status=400, text=f"{type(error).__name__}: {error}")
        count = f'"@odata.count":{size},' if wish.count else ""
        head = f'{{"@odata.context":"$metadata#{table}",{count}"value":['.encode()
        body = b"".join((head, b",".join(rows), b"]}"))
        self._counts["rows"] += len(rows)
        self._counts["bytes"] += len(body)
        return web.Response(body=body, content_type="application/json", charset="utf-8")

    def _told(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/_reset":
            self._counts = dict.fromkeys(self._counts, 0)
            self._latency_seconds = float(request.query.get("latency_ms", 0)) / 1000
        return web.json_response(self._counts)


def metadata() -> dict[str, object]:
    """Return the columns of the tables in P21's JSON form, as much of it as p21d looks at."""
    types = {data.TABLE: data.all_columns(), data.UNIT_TABLE: data.UNIT_COLUMNS}
    described = {name: {"$Kind": "EntityType", **{column: {} for column in names}} for name, names in types.items()}
    return {"$Version": "4.0", "P21": described}


async def serve(rows: int, latency_seconds: float) -> None:
    """Serve on a free port of 127.0.0.1, say so, and go on until the process is ended."""
    runner = web.ServerRunner(web.Server(Server(rows, latency_seconds).answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(json.dumps({"url": _url(runner)}), flush=True)
    await anyio.sleep_forever()


def _url(runner: web.ServerRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--latency-ms", type=float, default=0)
    asked = parser.parse_args()
    options = {"use_uvloop": True}
    anyio.run(serve, asked.rows, asked.latency_ms / 1000, backend_options=options)


if __name__ == "__main__":
    main()
