"""Scripted faults for the sandbox servers: an ordered list of rules and the middleware that plays them.

Why rules and not code: the same list serves a test, the `--faults FILE` of `p21d sandbox` and another process over
`/_sandbox/faults`, and every fault counts how often it fired, so a test can wait for it instead of sleeping.
"""

from __future__ import annotations

import fnmatch
import random
import re
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from p21d.sandbox.fault import ASKED, WRITE_KINDS, Fault, FaultFile, FaultState, load_faults
from p21d.sandbox.quoting import quoting

__all__ = ["Fault", "FaultFile", "FaultState", "Faults", "load_faults"]

Sleep = Callable[[float], Awaitable[Any]]

_HTML_PAGE = "<!DOCTYPE html><html><head><title>Runtime Error</title></head><body><h1>Server Error</h1></body></html>"
_BROKEN_JSON = '{"value":[{"order_no":"14002'
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


_WRITES = re.compile("/api/v2/transaction(/async)?$", re.IGNORECASE)


class _Rule:
    """One fault at work: its matcher, its own random numbers and its counters."""

    def __init__(self, number: int, fault: Fault) -> None:
        self.state = FaultState(id=number, fault=fault)
        self._path = _compile(fault.path)
        self._query = _compile(fault.query) if fault.query else None
        self._random = random.Random(fault.seed)

    def fires(self, request: web.Request) -> bool:
        """Say whether this request is met now, and count it."""
        fault, state = self.state.fault, self.state
        if not self._matches(request):
            return False
        state.seen += 1
        if state.seen <= fault.after or (fault.times is not None and state.fired >= fault.times):
            return False
        if fault.probability < 1 and self._random.random() >= fault.probability:
            return False
        state.fired += 1
        return True

    def _matches(self, request: web.Request) -> bool:
        fault = self.state.fault
        if fault.kind in WRITE_KINDS and not (request.method == "POST" and _WRITES.search(request.path)):
            return False
        method = fault.method
        if method and method.upper() != request.method:
            return False
        return bool(self._path.search(request.path)) and (
            self._query is None or bool(self._query.search(request.rel_url.query_string))
        )


class Faults:
    """Hold the rules of one server, in order: every `slow` that fires delays, the first other one decides.

    Those of `WRITE_KINDS` are left to the endpoint and decide nothing here.
    """

    def __init__(self, faults: list[Fault] | None = None, *, sleep: Sleep = anyio.sleep) -> None:
        self._rules: list[_Rule] = []
        self._next_id = 1
        self.sleep = sleep
        """How a fault waits; it may be set to real time where the clock is not."""
        self._last_answers: dict[str, tuple[int, bytes, str]] = {}
        for fault in faults or []:
            self.add(fault)

    def add(self, fault: Fault) -> int:
        """Append a rule and return its id."""
        rule = _Rule(self._next_id, fault)
        self._rules.append(rule)
        self._next_id += 1
        return rule.state.id

    def remove(self, fault_id: int) -> None:
        """Drop one rule; an unknown id is no error."""
        self._rules = [rule for rule in self._rules if rule.state.id != fault_id]

    def clear(self) -> None:
        """Drop all rules."""
        self._rules.clear()
        self._last_answers.clear()

    def list(self) -> list[FaultState]:
        """Return every rule with its counters, in order."""
        return [rule.state for rule in self._rules]

    def fired(self, fault_id: int) -> int:
        """Return how often the rule with this id has fired; 0 when it is unknown."""
        return next((rule.state.fired for rule in self._rules if rule.state.id == fault_id), 0)

    @property
    def middleware(self) -> Middleware:
        """Return the aiohttp middleware that plays the rules; `/_sandbox/` is never met."""

        @web.middleware
        async def play(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not self._rules or request.path.startswith("/_sandbox"):
                return await handler(request)
            await request.read()  # a client that leaves during a fault has sent its request all the same
            fault = await self._delay_and_choose(request)
            return await (handler(request) if fault is None else self._play(fault, request, handler))

        return play

    async def _delay_and_choose(self, request: web.Request) -> Fault | None:
        for rule in list(self._rules):
            fault = rule.state.fault
            if not rule.fires(request):
                continue
            if fault.kind in WRITE_KINDS:
                request.setdefault(ASKED, []).append(fault)
            elif fault.kind == "slow":
                await self.sleep(fault.seconds)
            else:
                return fault
        return None

    async def _play(self, fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
        fault = await quoting(fault, request)
        if fault.kind in {"status", "html"}:
            return _scripted_answer(fault)
        if fault.kind in {"drop_before", "hang"}:
            await self.sleep(fault.seconds)
            return _closed(request)
        answer = await handler(request)
        if fault.kind in {"drop_after", "hang_after"}:
            await self.sleep(fault.seconds)
            return _closed(request)
        if fault.kind == "status_after":
            return _scripted_answer(fault)
        return await self._spoil(fault, request, answer)

    async def _spoil(self, fault: Fault, request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
        body = _body_of(answer)
        if fault.kind == "repeat_page":
            return self._last_answer(request, answer, body)
        if fault.kind == "drip":
            return await self._drip(fault, request, answer, body)
        if fault.kind == "empty":
            return web.Response(status=answer.status)
        if fault.kind == "bad_json":
            text = _BROKEN_JSON if fault.body is None else fault.body
            return web.Response(status=answer.status, text=text, content_type=fault.content_type or "application/json")
        return await _cut_short(fault, request, answer, body)

    async def _drip(
        self, fault: Fault, request: web.Request, answer: web.StreamResponse, body: bytes
    ) -> web.StreamResponse:
        dripping = _announced(answer, len(body))
        await dripping.prepare(request)
        for number in range(len(body)):
            await self.sleep(fault.seconds)
            if request.transport is None or request.transport.is_closing():
                break
            await dripping.write(body[number : number + 1])
        return dripping

    def _last_answer(self, request: web.Request, answer: web.StreamResponse, body: bytes) -> web.StreamResponse:
        status, old_body, content_type = self._last_answers.setdefault(
            request.path, (answer.status, body, answer.headers.get("Content-Type", "application/json"))
        )
        return web.Response(status=status, body=old_body, headers={"Content-Type": content_type})


async def _cut_short(fault: Fault, request: web.Request, answer: web.StreamResponse, body: bytes) -> web.StreamResponse:
    part = body[: int(len(body) * fault.cut)]
    if fault.kind == "reset" and not part:
        return _closed(request, reset=True)
    if fault.kind == "truncate" and fault.honest:
        content_type = answer.headers.get("Content-Type", "application/json")
        return web.Response(status=answer.status, body=part, headers={"Content-Type": content_type})
    lying = _announced(answer, len(body))
    await lying.prepare(request)
    await lying.write(part)
    _closed(request, reset=fault.kind == "reset")
    return lying


def _announced(answer: web.StreamResponse, length: int) -> web.StreamResponse:
    """Return an answer of which only the head stands: what it says of its length may come late, or never."""
    content_type = answer.headers.get("Content-Type", "application/json")
    head = web.StreamResponse(status=answer.status, headers={"Content-Type": content_type})
    head.content_length = length
    return head


def _compile(pattern: str) -> re.Pattern[str]:
    source = pattern[3:] if pattern.startswith("re:") else fnmatch.translate(pattern)
    return re.compile(source, re.IGNORECASE)


def _scripted_answer(fault: Fault) -> web.Response:
    status = 200 if fault.kind == "html" else fault.status
    text = fault.body if fault.body is not None else (_HTML_PAGE if fault.kind == "html" else "")
    content_type = fault.content_type or ("text/html" if text.startswith("<") else "application/json")
    return web.Response(status=status, reason=fault.reason, text=text, content_type=content_type, headers=fault.headers)


def _closed(request: web.Request, *, reset: bool = False) -> web.Response:
    """Close the connection under the answer, which then reaches nobody."""
    transport = request.transport
    if transport is not None:
        if reset:
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            transport.abort()
        else:
            transport.close()
    return web.Response(status=500)


def _body_of(answer: web.StreamResponse) -> bytes:
    body = getattr(answer, "body", None)
    return bytes(body) if isinstance(body, bytes | bytearray) else b""
