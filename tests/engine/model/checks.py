"""What must hold whenever p21d stands still, and what must hold once faults have stopped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from tests.engine.model.hub import HubRecord
from tests.engine.model.installation import ENTITIES, Ended, Installation
from tests.engine.model.prophet21 import StampedRow

FATES = ("delivered", "unchanged", "skipped", "waiting", "dead_lettered")
RELATED = {"maker": "maker<note", "part": "part<shelf"}
"""The trigger of each entity."""
NEVER = datetime.min.replace(tzinfo=UTC)


class Checks:
    """The checks of one installation."""

    def __init__(self, installation: Installation) -> None:
        self._it = installation
        self._p21 = installation.p21
        self._hub = installation.hub

    def always(self) -> None:
        """Check what no fault excuses."""
        assert not self._hub.wrongs, self._hub.wrongs
        self.fates_add_up()
        self.no_doubles()
        unmet = [*self.uncovered_rows(), *self.uncovered_related()]
        assert not unmet, unmet

    def fates_add_up(self) -> None:
        """Every cycle recorded the fates of all the rows it read."""
        sums = " + ".join(FATES)
        wrong = self._it.sql(
            f"SELECT * FROM cycle WHERE read != {sums} + unfinished OR (status = 'completed' AND unfinished != 0)"
        )
        assert not wrong, wrong

    def ended_well(self, ended: list[Ended]) -> None:
        """Without a fault nothing is interrupted."""
        assert not [end for end in ended if end.error is not None], ended

    def no_doubles(self) -> None:
        """The hub has one record per row, and the links in the store are the hub's own."""
        owners = [record.owner for record in self._hub.records.values()]
        assert len(owners) == len(set(owners)), owners
        links = self._it.sql("SELECT link_table, external_id, hub_id FROM link")
        strange = [link for link in links if self._hub.records[link[0], link[1]].hub_id != link[2]]
        assert not strange, strange

    def uncovered_rows(self) -> Iterator[str]:
        """Yield the rows that the watermark has passed although their present state has no fate."""
        for entity in ENTITIES:
            watermark = self._it.watermark(entity) or NEVER
            for key, row in self._p21.tables[entity].items():
                if row.stamped_at < watermark and not self._is_undecided(entity, key) and not self._agrees(entity, key):
                    yield f"{entity} {key} {row.values}, stamped {row.stamped_at} below the watermark {watermark}"

    def uncovered_related(self) -> Iterator[str]:
        """Yield the rows whose related rows a trigger's watermark has passed although nothing was made of them."""
        for entity in ENTITIES:
            watermark, passed = self._it.watermark(entity) or NEVER, self._it.watermark(RELATED[entity]) or NEVER
            for key, row in self._p21.tables[entity].items():
                related = self._related(entity, row)
                if row.stamped_at >= watermark or any(one.stamped_at >= passed for one in related):
                    continue
                if self._is_to_send(entity, key) and not self._is_undecided(entity, key):
                    record = self._record(entity, key)
                    if record is None or self._shown(record) != self._wanted(entity, row):
                        yield f"{entity} {key}: {record} is not {self._wanted(entity, row)}, below {passed}"

    def agree(self, *, excused: set[tuple[str, str]], whole: bool) -> None:
        """Hub and P21 agree, but for excused records; `whole`: in edition and in what vanished, too."""
        wrong = [
            f"{entity} {key}: {self._record(entity, key)} is not {row.values}"
            for entity in ENTITIES
            for key, row in self._p21.tables[entity].items()
            if (entity, str(key)) not in excused and not self._matches(entity, key, whole=whole)
        ]
        if whole:
            wrong += [
                f"{record.owner} is gone from P21 and active in the hub"
                for record in self._hub.records.values()
                if record.active
                and record.owner not in excused
                and int(record.owner[1]) not in self._p21.tables[record.owner[0]]
            ]
        assert not wrong, wrong

    def letters(self) -> set[tuple[str, str]]:
        """Return the rows with an open dead letter."""
        return set(self._it.sql("SELECT entity, key FROM dead_letter WHERE closed_at IS NULL"))

    def waiting(self) -> set[tuple[str, str]]:
        """Return the rows in the waiting room."""
        return set(self._it.sql("SELECT entity, key FROM waiting"))

    def has_parent(self, entity: str, key: int) -> bool:
        """Tell whether the hub has what the row belongs to."""
        row = self._p21.tables[entity][key]
        return entity == "maker" or ("maker", str(row.values["maker_id"])) in self._hub.records

    def _matches(self, entity: str, key: int, *, whole: bool) -> bool:
        record, row = self._record(entity, key), self._p21.tables[entity][key]
        if self._p21.is_deleted(entity, key):
            return record is None or not record.active
        if not row.values["name"]:
            return True  # what was sent before stays as it is
        if record is None or not record.active:
            return False
        edition = not whole or record.content[0]["edition"] == self._it.edition
        return edition and self._shown(record) == self._wanted(entity, row)

    def _agrees(self, entity: str, key: int) -> bool:
        record, row = self._record(entity, key), self._p21.tables[entity][key]
        if self._p21.is_deleted(entity, key):
            return not record.active if record else self._is_skipped(entity, key)
        if not row.values["name"]:
            return self._is_skipped(entity, key)
        return record is not None and record.active and record.content[0]["name"] == row.values["name"]

    def _is_to_send(self, entity: str, key: int) -> bool:
        return not self._p21.is_deleted(entity, key) and bool(self._p21.tables[entity][key].values["name"])

    def _is_skipped(self, entity: str, key: int) -> bool:
        return bool(self._it.sql("SELECT 1 FROM skipped WHERE entity = ? AND key = ?", entity, str(key)))

    def _is_undecided(self, entity: str, key: int) -> bool:
        return (entity, str(key)) in self.letters() | self.waiting()

    def _record(self, entity: str, key: int) -> HubRecord | None:
        return self._hub.records.get((entity, str(key)))

    def _related(self, entity: str, row: StampedRow) -> list[StampedRow]:
        if entity == "maker":
            notes = self._p21.tables["note"].values()
            return [note for note in notes if note.values["maker_id"] == row.values["maker_id"]]
        shelf = self._p21.tables["shelf"].get(row.values["shelf_id"])
        return [shelf] if shelf else []

    def _wanted(self, entity: str, row: StampedRow) -> dict[str, object]:
        related = self._related(entity, row)
        if entity == "maker":
            return {"name": row.values["name"], "notes": {str(n.values["note_id"]): n.values["text"] for n in related}}
        return {"name": row.values["name"], "shelf": related[0].values["label"] if related else ""}

    def _shown(self, record: HubRecord) -> dict[str, object]:
        return {name: value for name, value in record.content[0].items() if name != "edition"}
