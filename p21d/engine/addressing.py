"""Addresses records to the sink: by which ids it knows them, what they were called before, which children they lost.

A renamed record keeps its record in the sink, and so do its children: their links are found under the former external
id, move in the sink first, and here in the commit that settles the delivery. A kill in between repeats the move.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from p21d.clock import to_millis
from p21d.engine.connection import Connection
from p21d.engine.plan import Plan
from p21d.engine.work import Outgoing, Work
from p21d.keys import same_row
from p21d.sinks.port import ChildDelivery, Delivery, LinkedChild
from p21d.store.link import StoredLink

WITNESSES = 3
"""Records of the entity that a sink may look up to tell a missing record from a hub that finds nothing at all."""


@dataclass(frozen=True, slots=True)
class KnownLinks:
    """Links by (link table, external id), and those of children by the key of the row that owns them."""

    named: dict[tuple[str, str], StoredLink] = field(default_factory=dict)
    children: dict[str, list[StoredLink]] = field(default_factory=dict)

    def get(self, table: str, external_id: str) -> StoredLink | None:
        """Return the link of an external id, None where it is not known."""
        return self.named.get((table, external_id))


class Addressing:
    """Turns the records of one entity into deliveries."""

    def __init__(self, plan: Plan, connection: Connection) -> None:
        self._plan = plan
        self._connection = connection
        self._route = plan.entity.route
        self._witnesses: Sequence[str] | None = None
        self._read_at: datetime | None = None
        self._millis = 0

    def table(self, member: str = "") -> str:
        """Return the link table of the entity's records, or of their children under `member`."""
        return self._connection.sink.link_table(self._route, member)

    async def known(self, records: Sequence[Outgoing]) -> KnownLinks:
        """Return the known links of the records, under their present and former names, and of their children."""
        found = KnownLinks()
        if not self._connection.sink.has_ids:
            return found
        tables = self._connection.store.read.links
        for table, external_ids in self._names(records).items():
            links = await tables.by_external_id(table, external_ids)
            found.named.update(((table, external_id), link) for external_id, link in links.items())
        delivered_before = [former_id(record) for record in records if record.known and record.active]
        for table in {self.table(member) for member in self._route.children}:
            for link in await tables.of_children(table, delivered_before):
                found.named[table, link.external_id] = link
                if link.entity == self._plan.name:
                    found.children.setdefault(link.key, []).append(link)
        if self._witnesses is None:
            self._witnesses = await tables.some(self.table(), self._plan.name, WITNESSES)
        return found

    def _names(self, records: Sequence[Outgoing]) -> Mapping[str, list[str]]:
        wanted: dict[str, list[str]] = {self.table(): []}
        for record in records:
            wanted[self.table()] += {record.external_id, former_id(record)}
            for member, children in record.children.items():
                names = [f"{record.external_id}|{child.id}" for child in children]
                wanted.setdefault(self.table(member), []).extend(names)
        return wanted

    def foreign(self, work: Work, record: Outgoing, links: KnownLinks) -> StoredLink | None:
        """Return a link of another row's with the external id of the record or of a child, None where none is."""
        if not links.named:
            return None
        names = [(self.table(), record.external_id)]
        for member, children in record.children.items():
            names += [(self.table(member), f"{record.external_id}|{child.id}") for child in children]
        found = (links.get(*name) for name in names)
        return next((link for link in found if link is not None and not self._is_ours(work, link)), None)

    def delivery(self, work: Work, record: Outgoing, links: KnownLinks) -> Delivery:
        """Return the delivery of a record, and note on it the links that its acknowledgement makes void."""
        own = links.get(self.table(), former_id(record)) if links.named else None
        # children of a record that was born in the sink are the sink's own
        may_leave = bool(links.children) and record.active and not record.born
        left = dict(self._left_behind(work, record, links)) if may_leave else {}
        record.void_links = [link for children in left.values() for link in children]
        if record.renamed_from:
            record.void_links += [link for link in [own, *self._present(record, links)] if link is not None]
        return Delivery(
            entity=self._plan.name,
            key=work.key,
            external_id=record.external_id,
            route=self._route,
            body=record.body,
            children=self._children(record, links) if record.children else {},
            parents=record.parents,
            hub_id=own.hub_id if own else None,
            active=record.active,
            version=self._version(work.read_at),
            revive=record.revive,
            renamed_from=record.renamed_from if own else "",
            left_behind={
                member: [LinkedChild(link.external_id, link.hub_id) for link in children]
                for member, children in left.items()
            },
            witnesses=self._witnesses or (),
            former=record.former,
            born=record.born,
        )

    def _version(self, read_at: datetime) -> int:
        """Return the instant in milliseconds; the rows of a page share it."""
        if read_at is not self._read_at:
            self._read_at, self._millis = read_at, to_millis(read_at)
        return self._millis

    def _children(self, record: Outgoing, links: KnownLinks) -> Mapping[str, Sequence[ChildDelivery]]:
        children: dict[str, list[ChildDelivery]] = {}
        for member, items in record.children.items():
            table = self.table(member)
            children[member] = []
            for child in items:
                name = f"{record.external_id}|{child.id}"
                link = links.get(table, f"{former_id(record)}|{child.id}") or links.get(table, name)
                delivery = ChildDelivery(external_id=name, body=child.body, hub_id=link.hub_id if link else None)
                children[member].append(delivery)
        return children

    def _present(self, record: Outgoing, links: KnownLinks) -> Iterator[StoredLink | None]:
        for member, items in record.children.items():
            for child in items:
                yield links.get(self.table(member), f"{former_id(record)}|{child.id}")

    def _left_behind(
        self, work: Work, record: Outgoing, links: KnownLinks
    ) -> Iterator[tuple[str, Sequence[StoredLink]]]:
        """Yield, by member, the links of children that were delivered with the record and that it has no more."""
        former = former_id(record)
        # a record of the row's own may stand in the table of another's children: it and its children are none of ours
        others = [name for name in work.names if name.startswith(f"{former}|")]
        done: set[str] = set()
        for member in self._route.children if record.known else ():
            table = self.table(member)
            if table in done:
                continue
            done.add(table)
            of_table = [name for name in self._route.children if self.table(name) == table]
            present = {f"{former}|{child.id}" for name in of_table for child in record.children.get(name, ())}
            children = [
                link
                for link in links.children.get(work.key, ())
                if link.table == table
                and link.external_id.startswith(f"{former}|")
                and link.external_id not in present
                and not any(f"{link.external_id}|".startswith(f"{other}|") for other in others)
                and (not link.left_behind or record.renamed_from)
            ]
            if children:
                yield member, children

    def _is_ours(self, work: Work, link: StoredLink) -> bool:
        # a link that was found for a child of the row has the key as the child's table writes it
        return link.entity == self._plan.name and same_row(link.key, work.key)


def former_id(record: Outgoing) -> str:
    """Return the external id under which the record was delivered before, its present one where it has not changed."""
    return record.renamed_from or record.external_id
