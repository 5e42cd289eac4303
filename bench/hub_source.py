"""The P21 of the hub path, in a process of its own: items that all appear at once, and then all change at once.

    python -m bench.hub_source

It prints one line of JSON with its URL and speaks what bench/server.py speaks, over the same rows; but each row bears
the stamp of the last change, and there is none at first. `/_change?rows=1000` makes that many rows, stamped now, each
with another price, and has them rendered, so that the next poll meets ready bytes.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from urllib.parse import parse_qs

import anyio
from aiohttp import web

from bench import data
from bench.server import PREFIX, TOKEN, Wish, metadata
from p21d.clock import SystemClock


class Items:
    """The rows as they are after one change."""

    def __init__(self, rows: int, revision: int, changed_at: datetime) -> None:
        self.size = rows
        self.changed_at = changed_at
        self._revision = revision
        self._rendered: dict[tuple[str, ...], list[bytes]] = {}

    def page(self, wish: Wish) -> tuple[list[bytes], int]:
        """Return the rows of a page as JSON, and how many there are without `$top`."""
        if any(datetime.fromisoformat(low) > self.changed_at for low in wish.values(data.MODIFIED, "ge")):
            return [], 0
        rendered = self.rendered(wish.select)
        keys = wish.values(data.KEY, "eq")
        if keys:
            found = [rendered[number] for number in sorted(int(key) - data.FIRST_KEY for key in keys)]
            return found[: wish.top], len(found)
        after = max((int(key) - data.FIRST_KEY + 1 for key in wish.values(data.KEY, "gt")), default=0)
        left = rendered[max(0, after) :]
        if wish.order_by.endswith("desc"):
            left = left[::-1]
        return left[: wish.top], len(left)

    def rendered(self, select: tuple[str, ...]) -> list[bytes]:
        """Return all rows as JSON."""
        if select not in self._rendered:
            own = {
                data.MODIFIED: f'"{data.MODIFIED}":"{data.printed(self.changed_at)}"',
                "net_price": f'"net_price":{self._revision}.250000000',
            }
            names = [name for name in select or data.all_columns() if name not in own]
            fragments = data.item_fragments(names, self.changed_at)
            fixed = [own[name] for name in own if name in (select or own)]
            self._rendered[select] = [
                f"{{{','.join([*(fragment(number) for fragment in fragments), *fixed])}}}".encode()
                for number in range(self.size)
            ]
        return self._rendered[select]


class Source:
    """Answers requests."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._revision = 0
        self._items = Items(0, 0, self._now() - timedelta(days=1))

    def _now(self) -> datetime:
        return self._clock.now().replace(microsecond=0)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        path = request.path
        if path == "/_change":
            self._change(int(parse_qs(request.query_string)["rows"][0]))
            return web.json_response({})
        if path.startswith("/api/security/token"):
            return web.json_response(TOKEN)
        if path.endswith("/serverinfo"):
            return web.json_response({"Version": "26.1.5950.1"})
        if path == f"{PREFIX}$metadata":
            return web.json_response(metadata())
        if path == f"{PREFIX}{data.TABLE}":
            return self._page(Wish.of(dict(request.query)))
        return web.Response(status=404, text=f"nothing at {path}")

    def _page(self, wish: Wish) -> web.StreamResponse:
        rows, size = self._items.page(wish)
        count = f'"@odata.count":{size},' if wish.count else ""
        head = f'{{"@odata.context":"$metadata#{data.TABLE}",{count}"value":['.encode()
        body = b"".join((head, b",".join(rows), b"]}"))
        return web.Response(body=body, content_type="application/json", charset="utf-8")

    def _change(self, rows: int) -> None:
        self._revision += 1
        items = Items(rows, self._revision, self._now())
        items.rendered(data.WANTED)
        self._items = items


async def serve() -> None:
    """Serve on a free port of 127.0.0.1, say so, and go on until the process is ended."""
    runner = web.ServerRunner(web.Server(Source().answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    print(json.dumps({"url": f"http://{host}:{port}"}), flush=True)
    await anyio.sleep_forever()


if __name__ == "__main__":
    anyio.run(serve, backend_options={"use_uvloop": True})
