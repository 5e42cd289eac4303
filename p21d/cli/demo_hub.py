"""The sandbox hub as its own people see it: who buys, what is for sale, and orders that are placed in its web shop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import yaml


@asynccontextmanager
async def hub_of(config: Path) -> AsyncIterator[Hub]:
    """Open the sandbox hub that a configuration names."""
    sink = yaml.safe_load(await anyio.Path(config).read_text())["sink"]
    async with aiohttp.ClientSession(sink["base_url"]) as session:
        yield Hub(session, sink["system_id"])


class Hub:
    """The sandbox hub through its `/_sandbox` routes; `system_id` is the subscription that our links are of."""

    def __init__(self, session: aiohttp.ClientSession, system_id: int) -> None:
        self._session = session
        self._system_id = system_id

    async def order(self, count: int, **wishes: Any) -> list[str]:
        """Let buyers of the web shop place orders; return their ids."""
        wishes |= {"count": count, "types": ["Order"], "statuses": ["Pending"]}
        async with self._session.post("/_sandbox/orders", json=wishes, raise_for_status=True) as answer:
            return [str(id_) for id_ in (await answer.json())["ids"]]

    async def linked(self, type_name: str) -> list[tuple[str, dict[str, Any]]]:
        """Return the records of a type that are linked with P21, each after our external id."""
        found = ((self._external_id(record), record) for record in await self._records(type_name))
        return [(external_id, record) for external_id, record in found if external_id]

    async def buyers(self) -> list[int]:
        """Return the customers of companies that stand in P21's company 01; a twin in 02 has no ship-to there."""
        names = {company["name"] for key, company in await self.linked("company") if key.startswith("01-")}
        return [int(customer["id"]) for _, customer in await self.linked("customer") if customer["company"] in names]

    async def salable(self) -> list[str]:
        """Return the SKUs that are for sale in a unit of measure they have."""
        return [
            product["sku"]
            for _, product in await self.linked("product")
            if product["status"] == "Active" and product["unit"] in {unit["name"] for unit in product["units"]}
        ]

    async def _records(self, type_name: str) -> list[dict[str, Any]]:
        async with self._session.get(f"/_sandbox/records/{type_name}", raise_for_status=True) as answer:
            return list(await answer.json())

    def _external_id(self, record: dict[str, Any]) -> str:
        links = (link for link in record["external_ids"] if link["system_id"] == self._system_id)
        return next((link["external_id"] for link in links), "")
