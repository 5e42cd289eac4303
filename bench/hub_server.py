"""A hub in a process of its own, lean enough never to be what is measured: links and records are two dictionaries.

    python -m bench.hub_server --latency-ms 50

It prints one line of JSON with its URL. It speaks the calls p21d's sink makes for flat records: login, change of
company, look-up of a link, create with the link inside, update; anything else is answered 400 and counted as `other`, a
create of what is linked or an update of what is not as `refused`, and no measurement allows either. Records are echoed
as they came, with their id.

`/_reset?latency_ms=50` sets counts and times to nothing and the latency; `/_forget` drops the records as well;
`/_counts` tells how many calls of each kind were answered since, the bytes of their bodies, the most that were under
way at once, and when the first came and the last was answered, on the machine's monotonic clock; `/_arrivals` tells
when each external id was last written, `/_ids` the id of each.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from urllib.parse import parse_qs

import anyio
import msgspec
from aiohttp import web

from p21d.clock import SystemClock

COMPANY_ID = "bench-company"
FIRST_ID = 7_000_001
LOOKUP = "/External/LookupSpecial"
MISS = b'{"code":"NFND-1002","message":"The external id is not linked"}'
TOKEN = {"access_token": "bench-bearer", "refresh_token": "bench-refresh"}


class Link(msgspec.Struct):
    """The part of a look-up, and of a link inside a record, that is needed here."""

    external_id: str


class Body(msgspec.Struct):
    """The part of a record that is needed here."""

    external_ids: list[Link]


_link = msgspec.json.Decoder(Link)
_body = msgspec.json.Decoder(Body)


class Hub:
    """Answers calls after the latency, and counts them."""

    def __init__(self, latency_seconds: float) -> None:
        self._clock = SystemClock()
        self._latency_seconds = latency_seconds
        self._forget()

    def _forget(self) -> None:
        self._ids: dict[str, str] = {}
        self._reset()

    def _reset(self) -> None:
        self._calls: Counter[str] = Counter()
        self._bytes = self._under_way = self._most_at_once = 0
        self._first_at = self._last_at = 0.0
        self._arrivals: dict[str, float] = {}

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one call."""
        path = request.path
        if path.startswith("/_"):
            return self._told(request)
        if path.startswith("/sso/"):
            return web.json_response(TOKEN)
        began_at = self._clock.monotonic()
        self._under_way += 1
        self._most_at_once = max(self._most_at_once, self._under_way)
        body = await request.read()
        if self._latency_seconds:
            await anyio.sleep(self._latency_seconds)
        kind, status, answer = self._data(request.method, path, body)
        self._under_way -= 1
        self._calls[kind] += 1
        self._bytes += len(body)
        self._first_at = self._first_at or began_at
        self._last_at = self._clock.monotonic()
        return web.Response(body=answer, status=status, content_type="application/json")

    def _data(self, method: str, path: str, body: bytes) -> tuple[str, int, bytes]:
        if method == "POST" and path.endswith(LOOKUP):
            hub_id = self._ids.get(_link.decode(body).external_id)
            return ("lookup", 404, MISS) if hub_id is None else ("lookup", 200, f'"{hub_id}"'.encode())
        if method not in {"POST", "PUT"} or not body:
            return "other", 400, b"{}"
        external_id = _body.decode(body).external_ids[0].external_id
        known = self._ids.get(external_id)
        hub_id = path.rpartition("/")[2] if method == "PUT" else str(FIRST_ID + len(self._ids))
        if known != (hub_id if method == "PUT" else None):
            return "refused", 400, b'{"code":"BIZL-1003","message":"The external id is another record\'s"}'
        self._ids[external_id] = hub_id
        self._arrivals[external_id] = self._clock.monotonic()
        return "update" if known else "create", 200, b'{"id":%b,%b' % (hub_id.encode(), body[1:])

    def _told(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/_forget":
            self._forget()
        if request.path in {"/_reset", "/_forget"}:
            self._reset()
            self._latency_seconds = float(parse_qs(request.query_string).get("latency_ms", ["0"])[0]) / 1000
        if request.path in {"/_arrivals", "/_ids"}:
            return web.json_response(self._arrivals if request.path == "/_arrivals" else self._ids)
        return web.json_response(
            {
                "calls": dict(self._calls),
                "bytes": self._bytes,
                "records": len(self._ids),
                "most_at_once": self._most_at_once,
                "seconds": self._last_at - self._first_at,
            }
        )


async def serve(latency_seconds: float) -> None:
    """Serve on a free port of 127.0.0.1, say so, and go on until the process is ended."""
    runner = web.ServerRunner(web.Server(Hub(latency_seconds).answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    print(json.dumps({"url": f"http://{host}:{port}"}), flush=True)
    await anyio.sleep_forever()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency-ms", type=float, default=0)
    anyio.run(serve, parser.parse_args().latency_ms / 1000, backend_options={"use_uvloop": True})


if __name__ == "__main__":
    main()
