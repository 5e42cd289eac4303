"""What is proven of P21 before an entity's first cycle: it may read its tables, they have its columns, dates compare.

Each proof is one or two cheap requests, made at first use and never at start-up, and kept by P21's build and by table.
One that fails is asked again, never kept. What P21 says about itself (build, `$metadata`) only helps: without it the
proofs go on, since a wrong column is refused by the read itself.

Why the tables are read and not only looked up: a permission shows in nothing but an answer to a read (facts 2.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import anyio
import msgspec
import structlog

from p21d.clock import Clock
from p21d.errors import P21dError, ReadRefused, Unauthorized, Unavailable
from p21d.plugin import Entity
from p21d.prophet21.about import About
from p21d.prophet21.companies import company_ids
from p21d.prophet21.literal_proof import LiteralProof
from p21d.prophet21.paging import Pager
from p21d.prophet21.reading import Reading
from p21d.prophet21.server_clock import ServerClock
from p21d.prophet21.zone import ServerZone

log = structlog.get_logger("p21d.prophet21")


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """One proof for status: what was proven, whether it is good, in words what came of it, and when."""

    name: str
    good: bool
    result: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What an entity needs of P21: its table first, then the related tables it cannot do without."""

    entity: str
    plugin: str
    readings: tuple[Reading[Any], ...]
    columns: tuple[str, ...] = ()

    @classmethod
    def of(cls, entity: Entity[Any], reading: Reading[Any], *, plugin: str, columns: Sequence[str] = ()) -> Needs:
        """Return the needs of an entity; `columns` are those that the configuration adds to its table."""
        required = (Reading.of_related(related) for related in entity.related if not related.optional)
        return cls(entity=entity.name, plugin=plugin, readings=(reading, *required), columns=tuple(columns))


class Proofs:
    """The proofs of one P21. `companies` are the configured ones, `settle_seconds` the skew that is still normal."""

    def __init__(
        self,
        pager: Pager,
        about: About,
        literal_proof: LiteralProof,
        zone: ServerZone,
        server_clock: ServerClock,
        clock: Clock,
        *,
        companies: Sequence[str],
        settle_seconds: float,
    ) -> None:
        self._pager = pager
        self._about = about
        self._literal_proof = literal_proof
        self._zone = zone
        self._server_clock = server_clock
        self._clock = clock
        self._companies = companies
        self._settle_seconds = settle_seconds
        self._proven: set[tuple[object, ...]] = set()
        self._date_form = anyio.Lock()
        self._first_form = zone.date_literal  # the configured one: changed there, it is proven anew
        self._warned_of_skew = False
        self._shown: dict[str, Proof] = {}

    @property
    def shown(self) -> list[Proof]:
        """Return what has been proven or has failed since the start, for status."""
        return [self._shown[name] for name in sorted(self._shown)]

    async def prove(self, needs: Needs, *, again: bool = False) -> None:
        """Prove what an entity needs, unless it is proven already; `again` reads anew whatever was proven before.

        Raises what reading its tables raises, and ReadRefused for a column that is not there, for a form of date that
        P21 does not understand, and for several companies where none is configured.
        """
        name = (needs.entity, *((one.path, one.columns.select) for one in needs.readings))
        if name in self._proven and not again:
            return
        self._proven.discard(name)
        await self._about.build(again=again)
        for reading in needs.readings:
            await self._prove_columns(needs, reading)
            await self._prove_readable(reading, again=again)
        await self._prove_companies(needs.readings[0])
        await self._prove_time(needs.readings[0])
        self._proven.add(name)

    async def _prove_columns(self, needs: Needs, reading: Reading[Any]) -> None:
        """Compare what is selected with `$metadata`; a table it does not describe is left to the read."""
        name, wanted = f"columns {reading.surface}/{reading.table}", reading.columns.select
        missing = await self._about.missing_columns(reading.surface, reading.table, wanted)
        if missing is None:
            self._show(name, f"not compared: {self._about.trouble or 'P21 does not describe this table'}")
        elif missing:
            words = f"Prophet 21 has no column {', '.join(missing)} in {reading.table}"
            self._show(name, words, good=False)
            message = f"{words}, which {_asker(needs, missing)}"
            raise ReadRefused(message, table=reading.table, hint=_remedy(needs, missing))
        else:
            self._show(name, f"all {len(wanted)} are there")

    async def _prove_readable(self, reading: Reading[Any], *, again: bool) -> None:
        name = f"read {reading.surface}/{reading.table}"
        if again or await self._about.known(name) is None:
            try:
                await self._pager.ask(reading, "", after=None, top=1)
            except (Unavailable, Unauthorized):
                raise
            except P21dError as error:
                self._show(name, error.message, good=False)
                raise
            await self._about.keep({name: "readable"})
        self._show(name, "readable")

    async def _prove_companies(self, reading: Reading[Any]) -> None:
        """Refuse to read all companies at once where P21 has several: one id may name two customers there.

        Never kept: a second company needs no new build.
        """
        if self._companies or not reading.company:
            return
        try:
            found = await company_ids(self._pager)
        except (Unavailable, Unauthorized):
            raise
        except P21dError as error:
            self._show("companies", f"not counted: {error.message}")
            return
        if len(found) > 1:
            words = f"Prophet 21 has more than one company ({', '.join(found)}), so prophet21.companies is required"
            self._show("companies", words, good=False)
            raise ReadRefused(words, table="company", hint="name there those to read, then p21d reload")
        self._show("companies", f"one, {found[0]}" if found else "none")

    async def _prove_time(self, reading: Reading[Any]) -> None:
        if not reading.modified:
            return
        name = f"date literal {reading.surface}/{reading.table}"
        kept_as = f"{name}, {self._first_form} first"
        async with self._date_form:  # the form is P21's, and the proof sets it for all tables
            form = await self._about.known(kept_as)
            if form is not None:
                await self._literal_proof.use(reading, form)
            else:
                form = await self._prove_form(name, reading)
                if form is not None:
                    await self._about.keep({kept_as: form})
        self._show(name, f"{form} is understood" if form else "not proven: the table has no stamp")
        self._watch_skew()

    async def _prove_form(self, name: str, reading: Reading[Any]) -> str | None:
        try:
            return await self._literal_proof.prove(reading)
        except ReadRefused as error:
            self._show(name, error.message, good=False)
            raise

    def _watch_skew(self) -> None:
        """Show how far the two clocks are apart; windows go by P21's alone, but the rest of the box may not."""
        skew = self._server_clock.skew_seconds
        too_far = abs(skew) > self._settle_seconds
        words = f"P21's clock is {skew:+.0f} s from this machine's, its zone {self._zone.name}"
        if too_far:
            words += f"; more than prophet21.settle ({self._settle_seconds:g} s): check the time of both machines"
        self._show("clock", words, good=not too_far)
        if too_far and not self._warned_of_skew:
            log.warning("skew", seconds=round(skew), settle_seconds=self._settle_seconds)
        self._warned_of_skew = too_far

    def _show(self, name: str, result: str, *, good: bool = True) -> None:
        self._shown[name] = Proof(name=name, good=good, result=result, at=self._clock.now())


def _asker(needs: Needs, missing: Sequence[str]) -> str:
    configured = [column for column in missing if column in needs.columns]
    if len(configured) == len(missing):
        return f"entities.{needs.entity}.columns names"
    return f"the plug-in {needs.plugin} reads"


def _remedy(needs: Needs, missing: Sequence[str]) -> str:
    if all(column in needs.columns for column in missing):
        return f"correct entities.{needs.entity}.columns, then p21d reload"
    return "this build of P21 may be older than the plug-in expects; remove the column there, then p21d reload"
