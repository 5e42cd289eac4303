"""What the rooms of one sandbox hub share; nothing of it is global, so any number of hubs run in one process."""

from __future__ import annotations

from pathlib import Path

from p21d.clock import Clock
from p21d.sandbox.hub.activity import Activity
from p21d.sandbox.hub.database import Database
from p21d.sandbox.hub.door import Door
from p21d.sandbox.hub.links import Links
from p21d.sandbox.hub.reading import Reader
from p21d.sandbox.hub.settings import HubSettings
from p21d.sandbox.hub.tokens import Identity, Tokens
from p21d.sandbox.hub.writing import Writer


class Core:
    """Hold the settings, the data and the ways to read and write it."""

    def __init__(self, database: Path | str, identity: Identity, settings: HubSettings, clock: Clock) -> None:
        self.identity = identity
        self.settings = settings
        self.clock = clock
        self.database = Database(database)
        self.links = Links(self.database, settings)
        self.reader = Reader(self.database, self.links, settings)
        self.writer = Writer(self.database, self.links, settings, clock)
        self.activity = Activity(settings, clock, system_id=identity.system_id)
        self.tokens = Tokens(settings, clock, identity)
        self.door = Door(self.tokens, settings, clock)
