"""The `/_sandbox` routes: what the hub holds and received, its switches, its faults, its seeder."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import Any

import msgspec
from aiohttp import web

from p21d.sandbox.faults import Fault, Faults
from p21d.sandbox.hub.core import Core
from p21d.sandbox.hub.lists import json_answer
from p21d.sandbox.hub.orders import OrderSeeder
from p21d.sandbox.hub.record_types import RECORD_TYPES
from p21d.sandbox.hub.traffic import Traffic

_WISHES = ("types", "statuses", "skus", "customer_ids", "company_ids", "created_at", "numbers")


class Inspection:
    """Show a test what is in the hub; needs no bearer."""

    def __init__(self, core: Core, traffic: Traffic, faults: Faults, seeder: OrderSeeder) -> None:
        self._core = core
        self._traffic = traffic
        self._faults = faults
        self._seeder = seeder

    def add(self, router: web.UrlDispatcher) -> None:
        """Add the routes."""
        router.add_get("/_sandbox/settings", self._get_settings)
        router.add_put("/_sandbox/settings", self._put_settings)
        router.add_get("/_sandbox/faults", self._get_faults)
        router.add_post("/_sandbox/faults", self._post_fault)
        router.add_delete("/_sandbox/faults", self._delete_faults)
        router.add_get("/_sandbox/requests", self._get_requests)
        router.add_get("/_sandbox/counters", self._get_counters)
        router.add_get("/_sandbox/hooks", self._get_hooks)
        router.add_get("/_sandbox/records/{type}", self._get_records)
        router.add_post("/_sandbox/orders", self._post_orders)

    def records(self, type_name: str) -> list[dict[str, Any]]:
        """Return all records of a type with children, links, `active` and `writes`; raises KeyError."""
        kind = RECORD_TYPES[type_name]
        return [
            self._core.reader.inspect(record)
            for record in self._core.database.select("type = ? ORDER BY id", (kind.name,))
        ]

    def create(self, type_name: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create a record from a body, as a POST would, and return it as `records` does; raises RefusedError."""
        with self._core.database.transaction():
            return self._core.reader.inspect(self._core.writer.create(RECORD_TYPES[type_name], body))

    def change(self, type_name: str, record_id: int, members: dict[str, Any]) -> dict[str, Any]:
        """Set members of a record and leave the others, as a person in the portal would; raises KeyError.

        References and unique values are not checked.
        """
        database = self._core.database
        record = database.get(type_name, record_id)
        if record is None:
            raise KeyError(f"no {type_name} {record_id}")
        record.body |= members
        if "updated_datetime" in record.kind.members:
            record.body["updated_datetime"] = self._core.clock.now().isoformat()
        database.save(record)
        return self._core.reader.inspect(record)

    def duplicates(self) -> dict[str, int]:
        """Return, by type, how many active records repeat the natural key of an earlier one."""
        found = {kind.name: self._repeated(kind.name, kind.natural_key) for kind in RECORD_TYPES.values()}
        return {name: count for name, count in found.items() if count}

    def _repeated(self, type_name: str, names: tuple[str, ...]) -> int:
        if not names:
            return 0
        records = self._core.database.select("type = ? AND active = 1", (type_name,))
        keys = Counter(json.dumps([record.body.get(name) for name in names]).casefold() for record in records)
        return sum(count - 1 for count in keys.values())

    async def _get_settings(self, _: web.Request) -> web.Response:
        return json_answer(self._core.settings)

    async def _put_settings(self, request: web.Request) -> web.Response:
        try:
            self._core.settings.change(await request.json())
        except (msgspec.ValidationError, ValueError) as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        return json_answer(self._core.settings)

    async def _get_faults(self, _: web.Request) -> web.Response:
        return json_answer(self._faults.list())

    async def _post_fault(self, request: web.Request) -> web.Response:
        try:
            fault = msgspec.json.decode(await request.read(), type=Fault)
        except msgspec.DecodeError as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        return json_answer({"id": self._faults.add(fault)})

    async def _delete_faults(self, _: web.Request) -> web.Response:
        self._faults.clear()
        return web.Response(status=204)

    async def _get_requests(self, _: web.Request) -> web.Response:
        return json_answer([asdict(call) for call in self._traffic.requests])

    async def _get_counters(self, _: web.Request) -> web.Response:
        counters = {**self._traffic.summary(), "writes": self._core.activity.writes, "duplicates": self.duplicates()}
        return json_answer(counters)

    async def _get_hooks(self, _: web.Request) -> web.Response:
        activity = self._core.activity
        return json_answer({"raised": list(activity.hooks), "received": list(activity.hooks_received)})

    async def _get_records(self, request: web.Request) -> web.Response:
        if request.match_info["type"] not in RECORD_TYPES:
            raise web.HTTPNotFound(text=f"the types are {', '.join(RECORD_TYPES)}")
        return json_answer(self.records(request.match_info["type"]))

    async def _post_orders(self, request: web.Request) -> web.Response:
        wishes = await request.json() if request.can_read_body else {}
        lists = {name: tuple(wishes[name]) for name in _WISHES if name in wishes}
        ids = self._seeder.seed(wishes.get("count", 10), seed=wishes.get("seed", 0), **lists)
        return json_answer({"ids": ids})
