"""The stage of the fault matrix: the whole engine between both simulators over real sockets, hours passing in seconds.

A case says which fault meets which requests, and what must happen: in the words of status, in requests, in dead
letters. Its checks are functions over what was seen, so that a test can show that each catches its bug.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Literal

import anyio
import anyio.lowlevel
import msgspec
import yaml

from p21d.assembly import assemble
from p21d.clock import SystemClock
from p21d.config_file import load_config
from p21d.control.answers import EntityStatus, Status
from p21d.control.screen import Screen
from p21d.engine.watch import Watch
from p21d.registry import Registry
from p21d.sandbox.faults import Fault
from p21d.sandbox.hub import HubSandbox
from p21d.sandbox.prophet21 import P21Sandbox
from p21d.sandbox.serve import name_carriers
from p21d.store.database import Store
from p21d.testing import FakeClock
from tests.faults.comparison import arrived, assert_in_step, expected, living
from tests.faults.world import World

LEAP_SECONDS = 5.0
LONG_LEAP_SECONDS = 15.0
LONG_SECONDS = 600.0
CREEP_SECONDS = 0.001
QUIET_TURNS = 25
"""Turns of the event loop without a call or statement under way: then every task waits for the clock."""
AT_ONCE_SECONDS = 15.0
"""What is under way when a side says "not now" still arrives."""
DEADLINE_SECONDS = 30.0
Side = Literal["prophet21", "hub"]
PATHS = {"prophet21": re.compile("/inv_mast|/token"), "hub": re.compile("product|/sso/", re.IGNORECASE)}
"""What the products, and the sign-in for them, ask of each side."""
RATE = {"prophet21": (40, 15), "hub": (450, 15)}
"""No hammering: how many requests an entity of some dozen rows may make in all and for each minute of a fault."""


class HastyClock(FakeClock):
    """Creeps while anybody waits for an answer over a socket or of the store, and leaps otherwise.

    Why not stand: what is parked in the millisecond of a read is read again in the next one.
    """

    def __init__(self) -> None:
        super().__init__(SystemClock().now())
        self.busy: Callable[[], bool] = lambda: False

    async def pass_until(
        self, condition: Callable[[], Awaitable[Any]], seconds: float, *, leap: float = LEAP_SECONDS
    ) -> Any:
        """Let time pass until the condition holds, at most that long; return what it last answered."""
        end = self.monotonic() + seconds
        with anyio.fail_after(DEADLINE_SECONDS):
            while not (found := await condition()) and self.monotonic() < end:
                await self._quiet()
                self.advance(leap)
        return found

    async def pass_time(self, seconds: float, *, leap: float = LEAP_SECONDS) -> None:
        """Let that much time pass."""

        async def never() -> bool:
            return False

        await self.pass_until(never, seconds, leap=leap)

    async def _quiet(self) -> None:
        turns = 0
        while turns < QUIET_TURNS:
            if self.busy():
                turns = 0
                await anyio.sleep(0.0005)
                self.advance(CREEP_SECONDS)
            else:
                turns += 1
                await anyio.lowlevel.checkpoint()


@dataclass(frozen=True, kw_only=True)
class Case:
    """A fault of one side that meets the products and spares the companies, and what must happen while it lasts."""

    name: str
    side: Side
    faults: tuple[Fault, ...] = ()
    """None: nothing listens at its address."""
    lasts: float = 240.0
    held: bool | None = True
    """None: by turns, since records that are parked alone end their cycle well."""
    reason: str = ""
    """A pattern of the words in status; what follows stands in them as well."""
    hint: tuple[str, ...] = ()
    asked_again: float = 0.0
    """How long after the first request the side is left alone, but for what was under way."""
    letters: int = 0
    most_waiting: int = 0
    most_requests: int = 0
    """Where more is in order than `RATE` says."""
    spares_companies: bool | None = True
    """None: as it comes, since a sign-in of theirs may be refused or not."""


@dataclass(kw_only=True)
class Seen:
    """What a case showed: `requests` are the instants at which the side was asked for products during the fault."""

    began_at: datetime
    during: Status
    requests: list[datetime]
    fired: int
    letters: list[dict[str, Any]]
    companies_arrived: bool

    def entity(self, name: str) -> EntityStatus:
        return next(entity for entity in self.during.entities if entity.entity == name)


class Stage:
    """The engine at work; time passes only while a test lets it."""

    def __init__(self, here: World, store: Store, clock: HastyClock, registry: Registry) -> None:
        self.here = here
        self.p21 = here.p21
        self.hub = here.hub
        self.store = store
        self.clock = clock
        self.assembly = assemble(load_config(here.folder / "p21d.yaml"), registry, store, clock, Watch(clock))
        self.supervisor = self.assembly.supervisor
        self._statements = 0
        for connection in (store._reader, store._writer):
            self._count(connection)
        clock.busy = self._busy
        self._screen = Screen(self.supervisor, clock, started_at=clock.now(), config_path=here.folder)

    def _count(self, connection: Any) -> None:
        """Count the statements that are with the threads of SQLite."""
        execute = connection._execute

        async def counted(*arguments: Any, **more: Any) -> Any:
            self._statements += 1
            try:
                return await execute(*arguments, **more)
            finally:
                self._statements -= 1

        connection._execute = counted

    def _busy(self) -> bool:
        # aiohttp does not say it in public: connections that are out of the pool because a request is on them
        clients = [self.assembly.source._http]
        if hasattr(self.assembly.sink, "_wire"):
            clients.append(self.assembly.sink._wire._client)
        sessions = [client._session for client in clients]
        calls = any(session is not None and session.connector._acquired for session in sessions)
        return calls or self._statements > 0

    async def heal(self) -> None:
        """End all faults, also those of a test that failed, and let time pass until all is in step."""
        assert not self.supervisor._ended.is_set(), "the engine has failed; the end of the room's tests tells how"
        self.p21.faults.clear()
        self.hub.faults.clear()
        for server in (self.here.p21_server, self.here.hub_server):
            await server.down()
            await server.up()
        await self.until_in_step()

    async def status(self) -> Status:
        return await self._screen.status([])

    async def entity(self, name: str) -> EntityStatus:
        return next(entity for entity in (await self.status()).entities if entity.entity == name)

    async def until_in_step(self, seconds: float = 3600.0) -> None:
        """Let time pass until nothing is held, open or waiting, and the hub has what P21 has."""

        async def in_step() -> bool:
            entities = (await self.status()).entities
            quiet = all(e.state == "in step" and not (e.waiting or e.triggered or e.running) for e in entities)
            return quiet and self.same("company") and self.same("product")

        if not await self.clock.pass_until(in_step, seconds, leap=LONG_LEAP_SECONDS):
            assert_in_step(self.p21, self.hub, "company", "product")
            raise AssertionError(f"not in step: {(await self.status()).entities}")

    async def sync(self, entity: str, keys: Sequence[str]) -> None:
        """Let these rows be sent again while time passes: a batch that backs off may hold what they need."""
        done: list[str] = []

        async def sync() -> None:
            await self.supervisor.runners[entity].sync_keys(keys, force=True)
            done.extend(keys)

        async def synced() -> bool:
            return bool(done)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sync)
            await self.clock.pass_until(synced, 3600.0, leap=LEAP_SECONDS)
            tasks.cancel_scope.cancel()
        assert done, f"{entity} {keys} not synced"

    def same(self, kind: str) -> bool:
        """Tell whether the hub has what P21 has of this kind."""
        return bool(arrived(self.hub)[kind] == expected(self.p21)[kind])

    def change(self, number: int) -> None:
        """Change every product and every company."""
        for row in living(self.p21, "inv_mast"):
            key = {"inv_mast_uid": row["inv_mast_uid"]}
            self.p21.database.change("inv_mast", key, price1=f"{number}.{row['inv_mast_uid'] % 90 + 10}0000000")
        for row in living(self.p21, "customer"):
            key = {"customer_id": row["customer_id"]}
            self.p21.database.change("customer", key, customer_name=f"Company {row['customer_id']} {number}")

    def requests(self, side: Side, since: datetime, path: str | re.Pattern[str] = "") -> list[datetime]:
        """Return when a side was asked since an instant."""
        seen: Any = self.p21.requests if side == "prophet21" else self.hub.requests
        return [one.at for one in seen if one.at >= since and re.search(path or PATHS[side], one.path)]

    async def letters(self) -> list[dict[str, Any]]:
        return [dict(letter) for letter in await self.store.read.dead_letters.listed()]


@asynccontextmanager
async def stage(
    folder: Path, seeded: Path, registry: Registry, *, entities: tuple[str, ...] = ("company", "product"), **blocks: Any
) -> AsyncIterator[Stage]:
    """Serve both simulators, open a store and run the engine between them; `blocks` are laid over its configuration."""
    clock = HastyClock()
    shutil.copy(seeded, folder / "p21.db")
    p21, hub = P21Sandbox(folder / "p21.db", clock=clock), HubSandbox(clock=clock, keep_requests=100_000)
    p21.faults.sleep = hub.faults.sleep = anyio.sleep
    name_carriers(hub)
    here = World(folder, p21, hub)
    await here.p21_server.up()
    await here.hub_server.up()
    settings = here.settings(*entities, poll_interval="1m", overlap=0)
    for name, block in blocks.items():
        settings[name] = block if "type" in block else {**settings[name], **block}
    config = folder / "p21d.yaml"
    config.touch(mode=0o600)
    config.write_text(yaml.safe_dump(settings))
    try:
        async with Store(folder / "p21d.db") as store:
            made = Stage(here, store, clock, registry)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(made.supervisor.run)
                yield made
                made.supervisor.cut_off()
            await made.assembly.source.aclose()
            await made.assembly.sink.aclose()
    finally:
        with anyio.CancelScope(shield=True):
            await here.p21_server.down()
            await here.hub_server.down()
        p21.close()
        hub.close()


async def play(case: Case, on: Stage) -> Seen:
    """Change everything, let the fault last, and return what was seen; the fault is lifted, nothing has recovered."""
    side, server = (on.p21, on.here.p21_server) if case.side == "prophet21" else (on.hub, on.here.hub_server)
    numbers = [side.faults.add(dated(fault, on.clock.now())) for fault in case.faults]
    if not case.faults:
        await server.down()
    began_at = on.clock.now()
    on.change(int(on.clock.monotonic()) + 100)
    await on.clock.pass_time(case.lasts, leap=LONG_LEAP_SECONDS if case.lasts > LONG_SECONDS else LEAP_SECONDS)
    seen = Seen(
        began_at=began_at,
        during=await on.status(),
        requests=on.requests(case.side, began_at),
        fired=sum(side.faults.fired(number) for number in numbers),
        letters=await on.letters(),
        companies_arrived=on.same("company"),
    )
    side.faults.clear()
    if not case.faults:
        await server.up()
    return seen


def dated(fault: Fault, now: datetime) -> Fault:
    """Return the fault with its headers of the form `date+240` as that instant."""
    dates = {
        name: format_datetime(now + timedelta(seconds=float(value[5:])), usegmt=True)
        for name, value in fault.headers.items()
        if value.startswith("date+")
    }
    return msgspec.structs.replace(fault, headers={**fault.headers, **dates})


def check(case: Case, seen: Seen) -> None:
    """Assert all that a case promises for the time of the fault."""
    assert seen.fired or not case.faults, "the fault met no request"
    check_state(case, seen)
    check_nothing_passed(case, seen)
    check_the_others(case, seen)
    check_dead_letters(case, seen)
    check_no_hammering(case, seen)
    check_asked_again(case, seen)


def check_state(case: Case, seen: Seen) -> None:
    """Assert what an administrator reads."""
    product = seen.entity("product")
    held = product.state in {"held", "retrying"}
    assert case.held in {held, None}, (product.state, product.reason)
    if case.held is None and not held:
        return
    assert re.search(case.reason, product.reason), product.reason
    for words in case.hint:
        assert words in product.hint, product.hint


def check_nothing_passed(case: Case, seen: Seen) -> None:
    """Assert that the watermark stands before what was not delivered."""
    product = seen.entity("product")
    assert product.waiting <= case.most_waiting
    if case.held is not False:
        assert product.watermark is not None
        assert product.watermark <= seen.began_at, "the watermark has passed what was not delivered"


def check_the_others(case: Case, seen: Seen) -> None:
    """Assert that what the fault does not meet goes on."""
    if case.spares_companies is None:
        return
    company = seen.entity("company")
    assert (company.state == "in step") == case.spares_companies, (company.state, company.reason)
    assert seen.companies_arrived == case.spares_companies


def check_dead_letters(case: Case, seen: Seen) -> None:
    """Assert that an outage dead-letters nothing, and poison only itself."""
    assert len(seen.letters) == case.letters, [letter["error"] for letter in seen.letters]


def check_no_hammering(case: Case, seen: Seen) -> None:
    """Assert that a side in trouble is asked ever more rarely."""
    first, each_minute = RATE[case.side]
    most = case.most_requests or first + each_minute * case.lasts / 60
    assert len(seen.requests) <= most, f"{len(seen.requests)} in {case.lasts:g} s"


def check_asked_again(case: Case, seen: Seen) -> None:
    """Assert that the side is left alone for as long as it wished."""
    if not case.asked_again:
        return
    after = [(at - seen.requests[0]).total_seconds() for at in seen.requests]
    early = [seconds for seconds in after if AT_ONCE_SECONDS < seconds < case.asked_again - LEAP_SECONDS]
    assert not early, f"asked again after {early} s"
