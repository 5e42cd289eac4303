"""The smaller families: the subscription with its persistent data, hooks coming in, and the activity log."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from p21d.sandbox.hub.core import Core
from p21d.sandbox.hub.database import encode
from p21d.sandbox.hub.door import read_object
from p21d.sandbox.hub.lists import json_answer
from p21d.sandbox.hub.refusal import RefusedError


class SubscriptionRoutes:
    """Answer `/subscriptions`, `/hookapi` and `/listener`."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def add(self, router: web.UrlDispatcher) -> None:
        """Add the routes."""
        base = "/subscriptions/v2/Subscription"
        router.add_get(f"{base}/{{id}}", self._core.door.data(self._read, "subscription"))
        router.add_post(f"{base}/PersistentData/{{id}}", self._core.door.data(self._keep, "subscription"))
        for receiver in ("iPaaS", "IntegrationDevelopmentUtility"):
            router.add_post(f"/hookapi/v2/{receiver}", self._core.door.hook(self._receive))
        router.add_get("/listener/v2/Header/{guid}", self._core.door.data(self._header, "log"))
        router.add_get("/listener/v2/Details", self._core.door.data(self._details, "log"))

    async def _read(self, request: web.Request) -> web.Response:
        system = self._system(request)
        answer: dict[str, Any] = {
            "id": system,
            "integration_id": 1,
            "integration_version_id": "1",
            "name": self._core.settings.systems[system],
            "webhook_api_key": self._core.identity.webhook_api_key,
            "tracking_guid": None,
            "settings": {},
        }
        if request.query.get("include", "").lower() == "persistentdata" and self._core.settings.persistent_data:
            rows = self._core.database.rows("SELECT body FROM persistent WHERE system_id = ? ORDER BY name", (system,))
            answer["persistent_data"] = [msgspec.json.decode(body) for (body,) in rows]
        return json_answer(answer)

    async def _keep(self, request: web.Request) -> web.Response:
        """Keep one item by its name: name, value, expiration_date_time, editable_in_ui."""
        system, body = self._system(request), await read_object(request)
        if not self._core.settings.persistent_data:
            return web.Response(status=404)
        if not isinstance(body.get("name"), str) or not body["name"]:
            raise RefusedError("VALD-1002", "The name field is required")
        names = ("name", "value", "expiration_date_time", "editable_in_ui")
        item = {name: body.get(name) for name in names}
        with self._core.database.transaction():
            self._core.database.rows(
                "INSERT INTO persistent (system_id, name, body) VALUES (?, ?, ?) "
                "ON CONFLICT (system_id, name) DO UPDATE SET body = excluded.body",
                (system, body["name"], encode(item)),
            )
        await self._core.door.after_commit()
        return json_answer(item)

    async def _receive(self, request: web.Request) -> web.Response:
        body = await read_object(request)
        notifications = body.get("notifications")
        if not isinstance(notifications, list) or not notifications:
            raise RefusedError("VALD-1002", "The notifications field is required")
        self._core.activity.hooks_received.extend(notifications)
        return web.Response(status=200)

    async def _header(self, request: web.Request) -> web.Response:
        header = self._core.activity.header(request.match_info["guid"])
        if header is None:
            raise RefusedError("NFND-1001", "No activity under this tracking guid")
        return json_answer(header)

    async def _details(self, request: web.Request) -> web.Response:
        filters = dict(part.split("=", 1) for part in request.query.get("filters", "").split("&") if "=" in part)
        header = self._core.activity.header(filters.get("parent_id", ""))
        return json_answer(header["details"] if header else [])

    def _system(self, request: web.Request) -> int:
        text = request.match_info["id"]
        system = self._core.settings.require_system(int(text)) if text.isdigit() else None
        if system is None:
            raise RefusedError("NFND-1001", f"Subscription {text} does not exist")
        return system
