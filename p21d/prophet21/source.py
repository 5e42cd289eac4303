"""Prophet 21 as the engine sees it: pages, rows by key, related rows, P21's now."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from p21d.clock import Clock
from p21d.errors import Unavailable
from p21d.http import HttpClient
from p21d.plugin import Entity, RelatedRows, Trigger
from p21d.prophet21.about import About
from p21d.prophet21.classify import SYSTEM
from p21d.prophet21.key_order import Key
from p21d.prophet21.literal_proof import LiteralProof
from p21d.prophet21.matching import absent_keys, read_keys
from p21d.prophet21.odata import all_of
from p21d.prophet21.orders.desk import OrderDesk
from p21d.prophet21.page import Page
from p21d.prophet21.paging import Pager
from p21d.prophet21.proof_book import MemoryBook, ProofBook
from p21d.prophet21.proofs import Needs, Proof, Proofs
from p21d.prophet21.reading import Reading
from p21d.prophet21.related import RelatedReader
from p21d.prophet21.server_clock import ServerClock
from p21d.prophet21.session import Session
from p21d.prophet21.token import TokenSource
from p21d.prophet21.zone import ServerZone
from p21d.row import Row

if TYPE_CHECKING:
    from p21d.config import Prophet21Config

R = TypeVar("R", bound=Row)

SPARE_CONNECTIONS = 6
"""A sign-in never waits behind reads, nor does an order: P21 has five sessions for writers (facts 7)."""
SCOPE_SECONDS = 60.0
"""Entities that are refused together ask for one fresh token together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """The state of the connection to P21, for status.

    `token_expires_in_seconds` is None without a token; `notice` tells of a time zone that is set wrongly.
    """

    token_age_seconds: float | None
    token_expires_in_seconds: float | None
    requests: int
    failures: int
    last_answer_at: datetime | None
    skew_seconds: float
    zone: str
    date_literal: str
    proofs: Sequence[Proof]
    notice: str


class Prophet21:
    """One P21, used with one account. Every method may raise Unavailable, Unauthorized, Forbidden and ReadRefused.

    `orders` reads and writes sales orders.
    """

    def __init__(self, config: Prophet21Config, clock: Clock, book: ProofBook | None = None) -> None:
        """Open nothing yet; `book` keeps what is proven, in memory only where none is given."""
        self.target = config.api_url
        self._has_scope = config.consumer_key is not None
        self._clock = clock
        self._http = HttpClient(
            SYSTEM,
            timeout_seconds=config.timeout,
            ca_file=config.ca_file,
            ca_key="prophet21.ca_file",
            connections=config.concurrent_requests + SPARE_CONNECTIONS,
        )
        self._server_clock = ServerClock(clock)
        self._zone = ServerZone(
            time_zone=config.time_zone or "",
            time_zone_offset=config.time_zone_offset or "",
            date_literal=config.date_literal,
        )
        self._tokens = TokenSource(config, self._http, self._server_clock, clock)
        self._session = Session(config, self._http, self._tokens, self._server_clock, clock)
        self._about = About(self._session, clock, MemoryBook() if book is None else book)
        self._pager = Pager(
            self._session, self._zone, self._server_clock, clock, page_rows=config.page_rows, about=self._about
        )
        self._related = RelatedReader(self._pager, clock)
        self.orders = OrderDesk(config, self._session, self._pager, self._zone, self._server_clock, clock)
        self._literal_proof = LiteralProof(self._session, self._zone, self._server_clock)
        self._proofs = Proofs(
            self._pager,
            self._about,
            self._literal_proof,
            self._zone,
            self._server_clock,
            clock,
            companies=config.companies,
            settle_seconds=config.settle,
        )

    async def check(self) -> None:
        """Sign in, unless a good token is held, and learn P21's now; raises Unauthorized, Unavailable."""
        await self._tokens.current()
        await self.now()

    async def probe(self, reading: Reading[Any]) -> None:
        """Read one row of a table; raises what reading it raises, so that a hold knows whether its cause is gone."""
        await self._pager.ask(reading, "", after=None, top=1)

    def expect(self, needs: Needs) -> None:
        """Say what will be proven, so that one reading of P21's `$metadata` serves all entities."""
        for reading in needs.readings:
            self._about.also(reading.surface, reading.table)

    async def prove(self, needs: Needs, *, again: bool = False) -> None:
        """Prove once, before its first cycle, what an entity needs; `again` reads its tables anew. See Proofs.prove."""
        if again:
            await self._renew_scope()
        await self._proofs.prove(needs, again=again)

    async def _renew_scope(self) -> None:
        """Take a fresh token of a consumer key: the tables it allows are baked into the token (facts 2.1)."""
        token = self._tokens.token
        if self._has_scope and token and self._clock.monotonic() - token.minted_at > SCOPE_SECONDS:
            await self._tokens.renew(token)

    async def now(self) -> datetime:
        """Return P21's present instant in UTC, by its own clock; signs in where P21 has not answered yet."""
        if self._server_clock.now() is None:
            await self._tokens.current()
        now = self._server_clock.now()
        if now is None:
            raise Unavailable(
                "Prophet 21's answers carry no Date header, so that its time is not known",
                system=SYSTEM,
                hint="a proxy between p21d and P21 may remove it",
            )
        return now

    async def prove_date_literal(self, reading: Reading[Any]) -> str | None:
        """Take the form of date literal into use that P21 understands, proven on the newest row of a table.

        Returns the form, None where the table is empty; raises ReadRefused where no form is good.
        """
        return await self._literal_proof.prove(reading)

    def low_literal(self, instant: datetime) -> str:
        """Return the literal from which on every row changed at or after `instant` (UTC) is met."""
        return self._zone.low_literal(instant)

    def pages(
        self, reading: Reading[R], *, low: str | None = None, after: Key | None = None, last: Key | None = None
    ) -> AsyncIterator[Page[R]]:
        """Yield the pages of rows modified since the literal `low` (None: all), after the page key `after`.

        `last`, the highest page key to be met, needs a table that is paged by one column.
        """
        return self._pager.pages(reading, all_of([reading.since(low), reading.up_to(last)]), after)

    async def outer_keys(self, reading: Reading[Any]) -> tuple[Key, Key] | None:
        """Return the lowest and the highest page key, None where there is no row or its key cannot be read."""
        return await self._pager.outer_keys(reading)

    async def count(self, reading: Reading[Any], *, low: str | None = None, after: Key | None = None) -> int | None:
        """Return how many rows were modified since the literal `low`, after a page key; None where P21 does not say."""
        return await self._pager.count(reading, reading.since(low), after)

    @property
    def page_rows(self) -> int:
        """Return the number of rows asked for at once."""
        return self._pager.page_rows

    async def by_keys(self, reading: Reading[R], keys: Iterable[str]) -> Page[R]:
        """Return the rows with these key texts as one page; absent ones are not in it. `read_at` is its earliest."""
        begun_at, keys = self._clock.now(), list(keys)
        pages = await read_keys(self._pager, reading, keys)
        return Page(
            rows=[row for page in pages for row in page.rows],
            undecodable=[bad for page in pages for bad in page.undecodable],
            read_at=min((page.read_at for page in pages), default=begun_at),
            reached=None,
            last=True,
            absent=absent_keys(reading, keys, pages),
        )

    async def related(self, entity: Entity[Any], rows: Sequence[Row]) -> RelatedRows:
        """Return the related rows of a page of an entity's rows."""
        return await self._related.read(entity.related, rows)

    def climb(self, trigger: Trigger, rows: Sequence[Row]) -> AsyncIterator[Page[Any]]:
        """Yield the pages of the rows that these rows of a trigger's table lead to over its hops, in no order.

        A trigger without hops leads nowhere: its rows hold the parents' keys themselves.
        """
        return self._related.climb(trigger.hops, rows)

    def statistics(self) -> Statistics:
        """Return the state of the connection now."""
        token, now = self._tokens.token, self._clock.monotonic()
        return Statistics(
            token_age_seconds=now - token.minted_at if token else None,
            token_expires_in_seconds=token.expires_at - now if token else None,
            requests=self._session.counts.requests,
            failures=self._session.counts.failures,
            last_answer_at=self._server_clock.last_answer_at,
            skew_seconds=self._server_clock.skew_seconds,
            zone=self._zone.name,
            date_literal=self._zone.date_literal,
            proofs=self._proofs.shown,
            notice=self._zone.notice,
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()
