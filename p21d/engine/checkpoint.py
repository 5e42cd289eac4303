"""The checkpoint of one name, an entity's or a trigger's: its watermark, and its open windows with the key reached.

A window that a stop left open is resumed from its key reached, or restarted from its low where what is read has changed
since. The watermark moves in the transaction that ends a window, and in no other; and only over a window that begins at
or below it, so that no row lies between the two.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from p21d.config import EntityConfig
from p21d.engine.connection import Connection
from p21d.engine.window import MOVES_WATERMARK, high_of, low_of
from p21d.store.checkpoint import OpenWindow
from p21d.store.database import Tables

NOT_BEGUN = "not begun"
"""The signature of a window that is only asked for: it starts at its low, whatever key another one has reached."""


class Checkpoint:
    """Opens, resumes and ends the windows of one name.

    `reads` is a text that changes when a key reached no longer fits what is read; `settle_seconds` is how far HIGH
    stays behind P21's now.
    """

    def __init__(
        self, name: str, settings: EntityConfig, connection: Connection, *, reads: str, settle_seconds: float
    ) -> None:
        self.name = name
        self._settings = settings
        self._connection = connection
        self._reads = reads
        self._settle_seconds = settle_seconds

    async def watermark(self) -> datetime | None:
        """Return the watermark, None before the first window's end."""
        return await self._connection.store.read.checkpoints.watermark(self.name)

    async def open(self, kind: str, low: datetime | None = None) -> OpenWindow:
        """Return the window to run: the one a stop left open, from its key reached, or a new one.

        With `low` it is always a new one, from there or from the start of a wider one that is open: who asks for it
        wants all of its rows read from now on.
        """
        found = await self._connection.store.read.checkpoints.open_window(self.name, kind)
        if found is None or low is not None:
            window = await self._new(kind, low, found)
        elif found.signature == self._signature():
            return found
        else:
            low_text = self._connection.source.low_literal(found.low_at)
            window = replace(found, reached="", low_text=low_text, signature=self._signature())
        async with self._connection.store.transaction() as tables:
            await tables.checkpoints.begin(window)
        self._connection.passed("window opened")
        return window

    async def ask(self, kind: str, low: datetime) -> None:
        """Keep a window for later, from that instant or from the start of a wider one that is open."""
        found = await self._connection.store.read.checkpoints.open_window(self.name, kind)
        window = replace(await self._new(kind, low, found), signature=NOT_BEGUN)
        async with self._connection.store.transaction() as tables:
            await tables.checkpoints.begin(window)
        self._connection.passed("sync kept")

    async def end(self, tables: Tables, window: OpenWindow) -> None:
        """End a window whose rows all have a fate, and move the watermark where its kind and its low allow it.

        A wider window that was asked for while this one ran stands in its place, and stays.
        """
        present = await tables.checkpoints.open_window(self.name, window.kind)
        if present is not None and present.signature == window.signature:
            await tables.checkpoints.end(self.name, window.kind)
        if await self._joins(tables, window):
            await tables.checkpoints.move_watermark(self.name, window.high_at, window.high_text)
            self._connection.passed("watermark written")

    async def _joins(self, tables: Tables, window: OpenWindow) -> bool:
        """Tell whether everything below the window has a fate: polls before the first catch-up begin above that."""
        watermark = await tables.checkpoints.watermark(self.name)
        if watermark is None:
            return window.kind == "sweep"
        return window.kind in MOVES_WATERMARK and window.low_at <= watermark

    async def _new(self, kind: str, low: datetime | None, found: OpenWindow | None) -> OpenWindow:
        source, now = self._connection.source, await self._connection.source.now()
        high = high_of(now, self._settle_seconds)
        low = low or low_of(kind, self._settings, now, await self.watermark())
        if found is not None:
            low = min(low, found.low_at)
        return OpenWindow(
            entity=self.name,
            kind=kind,
            low_at=low,
            low_text=source.low_literal(low),
            high_at=high,
            high_text=source.low_literal(high),
            reached="",
            signature=self._signature(),
            opened_at=self._connection.clock.now(),
        )

    def _signature(self) -> str:
        """Return what the key reached depends on: what is read, and the zone and form its low was written in."""
        time = self._connection.source.statistics()
        return f"{self._reads} {time.zone} {time.date_literal}"
