"""No secret gets out (P9): marked ones, a P21 and a hub that quote back whatever they are sent, and every way out."""

from __future__ import annotations

import base64
import json
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import pytest

from p21d.sandbox.fault import Fault
from p21d.sandbox.hub import HubSandbox
from p21d.sandbox.prophet21 import P21Sandbox
from p21d.sandbox.serve import name_carriers
from tests.faults.ordering import ENTITIES, WRITES, Shop
from tests.faults.world import Daemon, World, until

MARK = "T4INTMARK"
"""In every secret, more than once: a part of one gives it away too."""
P21_PASSWORD = f'{MARK} p21"<pass>\\w+o/rd\u00e9&{MARK}'
HUB_PASSWORD = f"{MARK}'hub%pass#word;{MARK}"
API_KEY = f"{MARK}-key-{MARK}/{MARK}="
NEW_PASSWORD = f"{MARK}/n\u00e9w pass;word&{MARK}"
NEW_KEY = f"new-{MARK}-key={MARK}"
"""What the old ones are rotated to while the daemon runs."""
QUOTED = json.dumps({"error": "what? {request}"})
PAGE = "<html><body><h1>Server Error</h1><pre>{request}</pre></body></html>"
REFUSED = json.dumps({"error_code": "VALD-1001", "message": "not like this: {request}"})
FAILED_ORDER = json.dumps({"Messages": ["no: {request}"], "Summary": {"Succeeded": 0, "Failed": 1, "Other": 0}})
SOON = {"Retry-After": "31"}
"""Longer than a request is tried again by itself; the test asks again sooner."""
READS = (
    Fault(kind="status", status=403, path="*/location", body=QUOTED, reason="no: {request}", times=1),
    Fault(kind="status", status=404, path="*/inv_mast", body=json.dumps({"error": "syntax error {request}"}), times=1),
    Fault(kind="status", status=302, path="*/customer", headers={"Location": "http://127.0.0.1:9/?{request}"}, times=2),
    Fault(kind="status", status=503, path="*/contacts", body=PAGE, reason="{request}", headers=SOON, times=1),
)
ORDERS = (
    Fault(kind="status", status=200, body=FAILED_ORDER, **WRITES, times=1),
    Fault(kind="status", status=500, body=QUOTED, **WRITES, times=1),
)
BROKEN_READS = (
    Fault(kind="bad_json", path="*/location", body='{"value": [{"what": "{request}', times=3),
    Fault(kind="status", status=200, path="*/inv_mast", body=PAGE, times=3),
    Fault(kind="status", status=400, path="*/customer", body=QUOTED, content_type="text/plain", times=1),
    Fault(kind="truncate", path="*/contacts", cut=0.5, times=1),
)
CALLS = (
    Fault(kind="status", status=400, path="*/Location*", body=REFUSED, times=2),
    Fault(kind="status", status=500, path="*/Product*", body=QUOTED, reason="{request}", times=1),
    Fault(kind="status", status=503, path="*/Product*", body=PAGE, headers={"Retry-After": "0"}, times=1),
    Fault(kind="status", status=403, path="*/Product*", reason="AUTZ-1001 {request}", times=1),
)
BROKEN_CALLS = (
    Fault(kind="status", status=200, path="*/Location*", body=QUOTED, times=1),
    Fault(kind="status", status=302, path="*/Product*", headers={"Location": "http://127.0.0.1:9/{request}"}, times=1),
    Fault(kind="drop_after", path="*/Product*", times=1),
    Fault(kind="bad_json", path="*/Product*", body='["{request}', times=1),
)
SIGN_INS = (
    Fault(kind="status", status=500, path="*/Auth/*", body=QUOTED, reason="{request}", times=1),
    Fault(kind="status", status=200, path="*/Auth/*", body=QUOTED, times=1),
    Fault(kind="status", status=401, path="*/Auth/*", body=QUOTED, reason="AUTH-1002 {request}", times=1),
)
COMMANDS = ("status", "events", "config show")
"""What they print besides is what the control socket answers, which is looked at in every round."""


def marks(evidence: bytes) -> list[bytes]:
    """Return where a mark stands in what was said or kept: as it is, or inside base64."""
    found = []
    for before in range(3):
        whole = base64.b64encode(bytes(before) + MARK.encode())
        for form in (MARK.encode(), whole[-(-before * 8 // 6) : (before + len(MARK)) * 8 // 6]):
            at = evidence.find(form)
            found += [evidence[max(0, at - 80) : at + 80]] if at >= 0 else []
    return found


class TaintedDaemon(Daemon):
    """A daemon with marked secrets at debug level; `bug` is one of `planted`, `options` are Python's."""

    bug = ""
    options: tuple[str, ...] = ()

    def _command(self, *arguments: str) -> list[str]:
        python, _, module, *rest = super()._command(*arguments)
        planted = ["tests.faults.planted", self.bug] if self.bug else [module]
        return [python, *self.options, "-m", *planted, *rest]

    async def evidence(self, *commands: str) -> dict[str, bytes]:
        """Return all that it has said and kept, and what these commands print."""
        printed = {}
        for command in commands:
            done = await self.command(*command.split())
            printed[f"p21d {command}"] = (done.stdout + done.stderr).encode()
        files = [self.log_path, *self.store.parent.glob(f"{self.store.name}*")]
        return printed | {file.name: file.read_bytes() for file in files}

    async def answers(self) -> dict[str, bytes]:
        """Return what the control socket answers now."""
        routes = ("/v1/status", "/v1/cycles", "/v1/dead-letters", "/v1/orders?all=true", "/v1/events?follow=false")
        async with aiohttp.ClientSession("http://p21d", connector=aiohttp.UnixConnector(str(self.socket))) as session:
            return {route: await (await session.get(route)).read() for route in routes}


class TaintedShop(Shop):
    """Both simulators and the daemon, with faults and what came of them."""

    daemon: TaintedDaemon

    async def suffer(self, p21: Sequence[Fault] = (), hub: Sequence[Fault] = (), *, change: int = 0) -> None:
        """Let the faults meet the daemon until each has fired, and look at what it answers meanwhile.

        `change` writes a new number into every item and location, so that the hub is called.
        """
        met = [(self.p21.faults, self.p21.faults.add(fault)) for fault in p21]
        met += [(self.hub.faults, self.hub.faults.add(fault)) for fault in hub]
        if change:
            self._change(change)

        async def all_fired() -> bool:
            await self.daemon.resume_all()
            await anyio.sleep(0.05)
            return all(faults.fired(id_) for faults, id_ in met)

        await until(all_fired, "every fault met")
        self.no_mark(await self.daemon.answers())
        self.p21.faults.clear()
        self.hub.faults.clear()

    def _change(self, number: int) -> None:
        for row in self.p21.database.rows("inv_mast"):
            self.p21.database.change("inv_mast", {"inv_mast_uid": row["inv_mast_uid"]}, item_desc=f"item {number}")
        for row in self.p21.database.rows("location"):
            key = {"location_id": row["location_id"]}
            self.p21.database.change("location", key, location_name=f"location {number}")

    def rotate(self) -> None:
        """Give both sides, and the configuration, other credentials; the old ones are worth nothing any more."""
        self.p21.tokens._credentials = replace(self.p21.credentials, password=NEW_PASSWORD)
        self.hub.tokens.api_keys = {NEW_KEY}
        self.p21.tokens.kill_all()
        self.daemon.write(prophet21={"password": NEW_PASSWORD}, sink={"api_key": NEW_KEY})

    def no_mark(self, evidence: dict[str, bytes]) -> None:
        assert {name: found for name, said in evidence.items() if (found := marks(said))} == {}


@asynccontextmanager
async def tainted(folder: Path, *entities: str, bug: str = "", **sink: Any) -> AsyncIterator[TaintedShop]:
    """Serve both simulators with marked credentials and tokens, and prepare a daemon that knows them."""
    p21 = P21Sandbox(rows=20, password=P21_PASSWORD)
    hub = HubSandbox(password=HUB_PASSWORD, api_keys=(API_KEY,))
    p21.settings.token_mark = hub.settings.token_mark = MARK
    hub.settings.persistent_data = False
    name_carriers(hub)
    here = World(folder, p21, hub)
    await here.p21_server.up()
    await here.hub_server.up()
    settings = here.settings(*entities, poll_interval="0.3s", sweep_interval="1h")
    settings["prophet21"] |= {"password": P21_PASSWORD, "settle": "0.2s", "timeout": "5s"}
    settings["sink"] |= {"password": HUB_PASSWORD} | sink
    settings["log"] |= {"level": "debug"}
    settings["orders"] = {"enabled": True, "not_before": "2020-01-01", "poll_interval": "0.3s", "sole_writer": True}
    made = TaintedShop(here, TaintedDaemon(folder, settings))  # type: ignore[arg-type]  # orders are read by hand
    made.daemon.bug = bug
    try:
        yield made
    finally:
        made.daemon.clean_up()
        with anyio.CancelScope(shield=True):
            await here.p21_server.down()
            await here.hub_server.down()
        p21.close()
        hub.close()


def test_a_mark_is_found_in_every_spelling():
    secret = f"a{MARK}b"
    spellings = [secret.encode(), json.dumps(secret).encode()]
    spellings += [base64.b64encode(f"{'x' * before}{secret}".encode()) for before in range(3)]
    assert all(marks(b"said " + spelling) for spelling in spellings)


async def test_no_secret_gets_out_whatever_is_quoted_back(tmp_path):
    async with tainted(tmp_path, *ENTITIES) as here:
        await here.daemon.start()
        await here.daemon.until_in_step(*ENTITIES)
        here.place(2)
        await here.suffer(p21=ORDERS)
        await here.suffer(p21=READS)
        await here.suffer(p21=BROKEN_READS)
        await here.suffer(hub=CALLS, change=1)
        await here.suffer(hub=BROKEN_CALLS, change=2)
        here.hub.tokens.kill_all()
        await here.suffer(hub=SIGN_INS, change=3)
        here.daemon.write(sink={"password": None, "email_address": None, "api_key": API_KEY})
        await here.daemon.kill()
        await here.daemon.start()
        await here.suffer(hub=CALLS, change=4)
        await here.suffer(hub=[Fault(kind="status", status=401, path="*/Product*", body=QUOTED, times=1)], change=5)
        here.p21.tokens.kill_all()
        await here.suffer(p21=[Fault(kind="status", status=400, path="*/token/v2", body=QUOTED, reason="no {request}")])
        here.no_mark(await here.daemon.evidence(*COMMANDS))
        here.rotate()
        here.no_mark(await here.daemon.evidence("reload"))
        assert len(here.daemon.log("reloaded")) == 1
        await here.suffer(p21=READS[3:], hub=CALLS, change=6)
        here.p21.tokens.kill_all()
        await here.suffer(p21=[Fault(kind="status", status=400, path="*/token/v2", body=QUOTED, reason="no {request}")])
        here.p21.faults.add(Fault(kind="status", status=400, path="*/token/v2", body=QUOTED, reason="no {request}"))
        here.daemon.write(prophet21={"password": f"wrong-{P21_PASSWORD}"})
        here.no_mark(await here.daemon.evidence("reload"))
        assert len(here.daemon.log("reload refused")) == 1
        assert await here.daemon.stop() == 0
        assert here.daemon.log("stopped")
        here.no_mark(await here.daemon.evidence())


async def test_the_same_check_finds_the_marks_when_nothing_is_redacted(tmp_path):
    async with tainted(tmp_path, "location", bug="talk") as here:
        await here.daemon.start()
        await here.daemon.until_in_step("location")
        with pytest.raises(AssertionError, match="/v1/"):
            await here.suffer(p21=READS[:1], change=1)
        here.p21.faults.clear()
        here.hub.faults.add(CALLS[0])
        await until(lambda: leaks_everywhere(here), "a mark in every place")


async def leaks_everywhere(here: TaintedShop) -> bool:
    here._change(2)
    await here.daemon.resume_all()
    evidence = await here.daemon.evidence() | await here.daemon.answers()
    leaks = {name.partition("?")[0] for name, said in evidence.items() if marks(said)}
    return leaks >= {"p21d.log", "/v1/cycles", "/v1/dead-letters", "/v1/events"}


@pytest.mark.parametrize("bug", ["crash"])
async def test_a_crash_shows_its_traceback_and_no_secret(bug, tmp_path):
    async with tainted(tmp_path, "location", bug=bug) as here:
        await here.daemon.start(ready=False)
        assert await here.daemon.ended() != 0
        said = here.daemon.log_path.read_bytes()
        assert b"no house can be kept with ***" in said
        assert b"planted.py" in said
        here.no_mark(await here.daemon.evidence())


async def test_what_faulthandler_shows_of_a_dying_daemon_holds_no_secret(tmp_path):
    async with tainted(tmp_path, "location") as here:
        here.daemon.options = ("-X", "faulthandler")
        await here.daemon.start()
        here.daemon.signal(signal.SIGABRT)
        await here.daemon.ended()
        assert b"Fatal Python error: Aborted" in here.daemon.log_path.read_bytes()
        here.no_mark(await here.daemon.evidence())
