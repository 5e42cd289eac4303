"""Links: our external id beside the sink's own id; unique in each direction within a link table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from p21d.store.statements import Table


@dataclass(frozen=True, slots=True)
class StoredLink:
    """A link and its owner: the entity and key whose record or child it is."""

    table: str
    external_id: str
    hub_id: str
    entity: str
    key: str


class Links(Table):
    """The table `link`."""

    async def by_external_id(self, table: str, external_ids: Sequence[str]) -> dict[str, StoredLink]:
        """Return the links of those external ids in one link table, by external id."""
        return {link.external_id: link for link in await self._links("external_id", table, external_ids)}

    async def by_hub_id(self, table: str, hub_ids: Sequence[str]) -> dict[str, StoredLink]:
        """Return the links of those ids of the sink in one link table, by the sink's id."""
        return {link.hub_id: link for link in await self._links("hub_id", table, hub_ids)}

    async def _links(self, column: str, table: str, values: Sequence[str]) -> list[StoredLink]:
        where = f"WHERE connection = ? AND link_table = ? AND {column} IN"
        sql = f"SELECT link_table, external_id, hub_id, entity, key FROM link {where}"  # noqa: S608  # our own names
        return [StoredLink(*row) for row in await self._for_keys(sql, (self._connection, table), values)]

    async def record(self, links: Sequence[StoredLink]) -> None:
        """Record links; a known external id takes its new id of the sink."""
        sql = (
            "INSERT INTO link (connection, link_table, external_id, hub_id, entity, key) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (connection, link_table, external_id) DO UPDATE SET "
            "hub_id = excluded.hub_id, entity = excluded.entity, key = excluded.key "
            "WHERE link.hub_id <> excluded.hub_id OR link.entity <> excluded.entity OR link.key <> excluded.key"
        )
        await self._change_many(
            sql, [(self._connection, li.table, li.external_id, li.hub_id, li.entity, li.key) for li in links]
        )

    async def counts(self) -> Mapping[str, int]:
        """Return the number of links in each link table."""
        sql = "SELECT link_table, count(*) AS n FROM link WHERE connection = ? GROUP BY link_table"
        return {row["link_table"]: row["n"] for row in await self._all(sql, (self._connection,))}
