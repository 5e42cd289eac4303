"""Links: our external id beside the sink's own id; unique in each direction within a link table.

The children of a record are found by their external ids, which begin with the record's and a bar: a range of the
primary key, so that no index by owner is needed (it would cost a third more room per key).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from p21d.store.statements import Table, chunks

COLUMNS = "link_table, external_id, hub_id, entity, key, left_behind, born"
AFTER_BAR = chr(ord("|") + 1)
"""The character after the bar: an external id below it that begins alike continues with a bar."""


@dataclass(frozen=True, slots=True)
class StoredLink:
    """A link and its owner: the entity and key whose record or child it is.

    `left_behind` marks a child that the record has no more and that the sink could not remove; `born` a record that the
    sink had first, so that only a few of its members are ours.
    """

    table: str
    external_id: str
    hub_id: str
    entity: str
    key: str
    left_behind: bool = False
    born: bool = False


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
        sql = f"SELECT {COLUMNS} FROM link {where}"  # noqa: S608  # our own names
        return [_stored(row) for row in await self._for_keys(sql, (self._connection, table), values)]

    async def of_children(self, table: str, external_ids: Sequence[str]) -> list[StoredLink]:
        """Return the links of the children of these records in one link table, those left behind too."""
        found: list[StoredLink] = []
        for part in chunks(external_ids, 2):
            ranges = ", ".join("(?, ?)" for _ in part)
            # CROSS JOIN: SQLite takes the tables in this order, so that each range is one search of the primary key
            sql = (
                f"WITH wanted (low, high) AS (VALUES {ranges}) SELECT {COLUMNS} FROM wanted CROSS JOIN link "  # noqa: S608  # our own names
                "WHERE connection = ? AND link_table = ? AND external_id > low AND external_id < high"
            )
            bounds = [bound for external_id in part for bound in (f"{external_id}|", f"{external_id}{AFTER_BAR}")]
            found += [_stored(row) for row in await self._all(sql, [*bounds, self._connection, table])]
        return found

    async def some(self, table: str, entity: str, limit: int) -> list[str]:
        """Return a few external ids that the sink is known to have in a link table, by which its answers are proven."""
        where = "WHERE connection = ? AND link_table = ? AND entity = ? LIMIT ?"
        sql = f"SELECT external_id FROM link {where}"  # noqa: S608  # fixed text
        return [row["external_id"] for row in await self._all(sql, (self._connection, table, entity, limit))]

    async def record(self, links: Sequence[StoredLink]) -> None:
        """Record links; a known external id takes its new id of the sink."""
        sql = (
            "INSERT INTO link (connection, link_table, external_id, hub_id, entity, key, left_behind, born) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (connection, link_table, external_id) DO UPDATE SET "
            "hub_id = excluded.hub_id, entity = excluded.entity, key = excluded.key, "
            "left_behind = excluded.left_behind, "
            "born = CASE link.hub_id WHEN excluded.hub_id THEN max(link.born, excluded.born) ELSE excluded.born END "
            "WHERE link.hub_id <> excluded.hub_id OR link.entity <> excluded.entity "
            "OR link.key <> excluded.key OR link.left_behind <> excluded.left_behind OR link.born < excluded.born"
        )
        await self._change_many(
            sql,
            [
                (self._connection, one.table, one.external_id, one.hub_id, one.entity, one.key, *_flags(one))
                for one in links
            ],
        )

    async def forget(self, links: Sequence[StoredLink]) -> None:
        """Forget links: removed in the sink, or about to be recorded under another external id."""
        sql = "DELETE FROM link WHERE connection = ? AND link_table = ? AND external_id = ? AND hub_id = ?"
        await self._change_many(sql, [(self._connection, li.table, li.external_id, li.hub_id) for li in links])

    async def left_behind(self) -> Mapping[str, int]:
        """Return, by entity, the number of children that the sink still has although their records have not."""
        sql = "SELECT entity, count(*) AS n FROM link WHERE connection = ? AND left_behind = 1 GROUP BY entity"
        return {row["entity"]: row["n"] for row in await self._all(sql, (self._connection,))}

    async def counts(self) -> Mapping[str, int]:
        """Return the number of links in each link table."""
        sql = "SELECT link_table, count(*) AS n FROM link WHERE connection = ? GROUP BY link_table"
        return {row["link_table"]: row["n"] for row in await self._all(sql, (self._connection,))}


def _stored(row: Sequence[Any]) -> StoredLink:
    table, external_id, hub_id, entity, key, left_behind, born = row
    return StoredLink(table, external_id, hub_id, entity, key, bool(left_behind), bool(born))


def _flags(link: StoredLink) -> tuple[int, int]:
    return int(link.left_behind), int(link.born)
