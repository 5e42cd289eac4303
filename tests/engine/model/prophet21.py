"""A P21 of four small tables, behind the HTTP client: rows that change, commit late and vanish under the reader.

It keeps the traps that rows can be lost in: stamps in the server's local time, a row that becomes visible up to
`settle` after its stamp, a change between two pages, a page that is cut, a token that dies. p21d's own session, pager,
zone and readers of related rows, the real ones, meet them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import msgspec

from p21d.errors import Unavailable
from p21d.http import HttpAnswer
from tests.engine.model.tempo import Tempo

ZONE = ZoneInfo("America/New_York")
KEYS = {"maker": "maker_id", "part": "part_id", "note": "note_id", "shelf": "shelf_id"}
DELETED = {"maker": ("delete_flag", "Y", "N"), "part": ("row_status", 700, 704)}
TOKENS = re.compile(r"\(|\)|'(?:[^']|'')*'|[^\s()]+")
COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda one, other: one == other,
    "ge": lambda one, other: one >= other,
    "gt": lambda one, other: one > other,
    "le": lambda one, other: one <= other,
}


@dataclass
class StampedRow:
    """A row as P21 holds it; `stamped_at` is the instant its stamp stands for."""

    values: dict[str, Any]
    stamped_at: datetime

    @property
    def wall(self) -> datetime:
        wall = self.stamped_at.astimezone(ZONE).replace(tzinfo=None, fold=0)
        return wall.replace(microsecond=wall.microsecond // 1000 * 1000)


@dataclass
class Pending:
    """A change whose transaction is not committed yet."""

    visible_at: datetime
    table: str
    key: int
    row: StampedRow


@dataclass
class Prophet21Model:
    """The tables, and the faults that are on. `history` holds what each row has been, None for deleted or gone."""

    tempo: Tempo
    drops_offsets: bool = False
    """How P21 reads a literal with an offset: it drops the offset, or converts to its own wall time."""
    tables: dict[str, dict[int, StampedRow]] = field(default_factory=lambda: {name: {} for name in KEYS})
    pending: list[Pending] = field(default_factory=list)
    history: dict[tuple[str, int], list[str | None]] = field(default_factory=dict)
    failures: int = 0
    cuts: int = 0
    latencies: list[float] = field(default_factory=list)
    _token: int = 0

    # what happens in it

    def write(self, table: str, key: int, *, late_seconds: float = 0.0, **values: Any) -> None:
        """Write a row, stamped now; others see it when its transaction commits."""
        self._commit(table, key)  # a second writer would have waited for the first
        before = self.tables[table].get(key)
        row = StampedRow({**(before.values if before else {}), KEYS[table]: key, **values}, self._now())
        self.pending.append(Pending(self._now() + timedelta(seconds=late_seconds), table, key, row))
        self.show()

    def delete(self, table: str, key: int) -> None:
        """Delete a row for good; no stamp tells."""
        self._commit(table, key)
        if self.tables[table].pop(key, None) is not None:
            self._remember(table, key)

    def flag(self, table: str, key: int, *, deleted: bool) -> None:
        """Set or clear the row's sign of deletion."""
        column, yes, no = DELETED[table]
        self.write(table, key, **{column: yes if deleted else no})

    def end_tokens(self) -> None:
        """Let the token die that was given out last."""
        self._token += 1

    def show(self) -> None:
        """Commit what is due."""
        now = self._now()
        for change in [change for change in self.pending if change.visible_at <= now]:
            self.pending.remove(change)
            self.tables[change.table][change.key] = change.row
            self._remember(change.table, change.key)

    def is_deleted(self, table: str, key: int) -> bool:
        """Tell whether a row is gone or carries the sign of deletion."""
        row = self.tables[table].get(key)
        if row is None:
            return True
        column, yes, _ = DELETED[table]
        return bool(row.values[column] == yes)

    def _commit(self, table: str, key: int) -> None:
        for change in self.pending:
            if (change.table, change.key) == (table, key):
                change.visible_at = self._now()
        self.show()

    def _remember(self, table: str, key: int) -> None:
        if table in DELETED:
            present = None if self.is_deleted(table, key) else self.tables[table][key].values["name"]
            self.history.setdefault((table, key), []).append(present)

    def _now(self) -> datetime:
        return self.tempo.clock.now()

    # what p21d asks

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, **_options: Any
    ) -> HttpAnswer:
        """Answer as p21d's HTTP client would."""
        table = urlsplit(url).path.rsplit("/", 1)[-1]
        if self.latencies:
            self.latencies.append(self.latencies.pop(0))
            await self.tempo.clock.sleep(self.latencies[-1])
        await self.tempo.tick("P21 is asked")
        self.show()
        if self.failures:
            self.failures -= 1
            raise Unavailable("Prophet 21 cannot be reached", system="Prophet 21")
        date = {"Date": format_datetime(self._now().astimezone(UTC), usegmt=True)}
        if method == "POST":
            body = msgspec.json.encode({"AccessToken": f"token {self._token}", "ExpiresInSeconds": 86_400})
            return HttpAnswer(200, "OK", date, body)
        if (headers or {}).get("Authorization") != f"Bearer token {self._token}":
            return HttpAnswer(401, "Unauthorized", date, b"")
        if table not in KEYS:
            return HttpAnswer(404, "Not Found", date, b"")
        body = msgspec.json.encode(self._answer(table, unquote(urlsplit(url).query)))
        if self.cuts:
            self.cuts, body = self.cuts - 1, body[:-1]
        return HttpAnswer(200, "OK", date, body)

    def _answer(self, table: str, query: str) -> dict[str, Any]:
        options = dict(option.split("=", 1) for option in query.split("&"))
        column, _, direction = options["$orderby"].partition(" ")
        fits = self._condition(options.get("$filter", ""))
        keys = sorted((key for key, row in self.tables[table].items() if fits(row)), reverse=direction == "desc")
        assert column == KEYS[table]
        chosen = keys[: int(options["$top"])]
        select = options["$select"].split(",")
        found = [{name: self._printed(self.tables[table][key], name) for name in select} for key in chosen]
        return {"value": found, "@odata.count": len(keys)}

    def _printed(self, row: StampedRow, column: str) -> Any:
        if column != "date_last_modified":
            return row.values[column]
        return row.wall.replace(tzinfo=ZONE).isoformat(timespec="milliseconds")

    def _condition(self, text: str) -> Callable[[StampedRow], bool]:
        words = TOKENS.findall(text)
        if not words:
            return lambda _row: True
        condition = self._any(words)
        assert not words, f"{text} is not understood"
        return condition

    def _any(self, words: list[str]) -> Callable[[StampedRow], bool]:
        terms = [self._all(words)]
        while words[:1] == ["or"]:
            words.pop(0)
            terms.append(self._all(words))
        return lambda row: any(term(row) for term in terms)

    def _all(self, words: list[str]) -> Callable[[StampedRow], bool]:
        terms = [self._term(words)]
        while words[:1] == ["and"]:
            words.pop(0)
            terms.append(self._term(words))
        return lambda row: all(term(row) for term in terms)

    def _term(self, words: list[str]) -> Callable[[StampedRow], bool]:
        if words[0] == "(":
            words.pop(0)
            inner = self._any(words)
            assert words.pop(0) == ")"
            return inner
        column, compare, literal = words.pop(0), COMPARE[words.pop(0)], words.pop(0)
        if column == "date_last_modified":
            at = datetime.fromisoformat(literal)
            wall = (at if self.drops_offsets else at.astimezone(ZONE)).replace(tzinfo=None, fold=0)
            return lambda row: compare(row.wall, wall)
        return lambda row: compare(row.values[column], int(literal))
