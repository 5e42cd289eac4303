"""Asks a running daemon over its control socket; every failure is a P21dError with the exit code to end with."""

from __future__ import annotations

import contextlib
import errno
import grp
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
from yarl import URL

from p21d.clock import SystemClock
from p21d.control.answers import (
    CycleAnswer,
    CyclesAnswer,
    DeadLetterAnswer,
    DeadLetterRequest,
    DeadLettersAnswer,
    DoneAnswer,
    EntitiesAnswer,
    EntityStatus,
    LogLevelRequest,
    PauseRequest,
    ReadyAnswer,
    Refusal,
    ReloadAnswer,
    Status,
    SyncAnswer,
    SyncRequest,
)
from p21d.control.order_answers import (
    AdoptRequest,
    DismissRequest,
    OrderDetailAnswer,
    OrderRequest,
    OrdersAnswer,
    OrdersSyncAnswer,
    OrdersSyncRequest,
)
from p21d.errors import P21dError, PermissionRefused, Unavailable

NOT_RUNNING_HINT = (
    "is the daemon running? systemctl status p21d; "
    "the socket's path comes from --socket, P21D_SOCKET or control.socket in the configuration"
)
ANSWER_SECONDS = 60.0
RELOAD_SECONDS = 300.0
"""A reload tries changed addresses and credentials, each with its own time-outs."""
SYNC_SECONDS = 24 * 3600.0
"""A sync that is waited for takes as long as its rows take; a daemon that ends closes the connection by itself."""
CONNECT_TRIES = 50
CONNECT_AGAIN_SECONDS = 0.1
_FULL = frozenset({errno.EAGAIN, errno.ENOTCONN})
"""A socket with a full backlog, so that nothing was sent; the second is what asyncio makes of the first."""
T = TypeVar("T", bound=msgspec.Struct)


class RefusedByDaemon(P21dError):
    """The daemon refuses what was asked; `exit_code` is the one it names."""

    def __init__(self, refusal: Refusal) -> None:
        path = f"{refusal.path}: " if refusal.path and not refusal.error.startswith(refusal.path) else ""
        super().__init__(path + refusal.error, hint=refusal.hint)
        self.exit_code = refusal.exit_code  # type: ignore[misc]  # here the daemon decides, not the class
        self.refusal = refusal


class ControlClient:
    """One connection pool to the daemon at `socket_path`: `async with ControlClient(path) as client`.

    Every method raises Unavailable (nobody listens), PermissionRefused, or RefusedByDaemon.
    """

    def __init__(self, socket_path: Path, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._path = socket_path
        self._answer_seconds = answer_seconds
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.UnixConnector(path=str(self._path))
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def status(self) -> Status:
        """Return the status screen."""
        return await self._ask(Status, "GET", "/v1/status")

    async def entities(self) -> list[EntityStatus]:
        """Return the entities of the status screen."""
        return (await self._ask(EntitiesAnswer, "GET", "/v1/entities")).entities

    async def ready(self) -> ReadyAnswer:
        """Return whether every entity has finished its first window."""
        return await self._ask(ReadyAnswer, "GET", "/ready", also_status=503)

    async def cycles(self, *, entity: str = "", limit: int = 100) -> list[CycleAnswer]:
        """Return finished cycles, the newest first."""
        query = {"entity": entity, "limit": str(limit)}
        return (await self._ask(CyclesAnswer, "GET", "/v1/cycles", query=query)).cycles

    async def dead_letters(
        self, *, entity: str = "", key: str = "", limit: int = 100, before: int = 0
    ) -> list[DeadLetterAnswer]:
        """Return open dead letters, the newest first, from before that id."""
        query = {"entity": entity, "key": key, "limit": str(limit), "before": str(before)}
        return (await self._ask(DeadLettersAnswer, "GET", "/v1/dead-letters", query=query)).dead_letters

    async def sync(self, request: SyncRequest) -> SyncAnswer:
        """Ask for a sync; with `wait` return when it has ended."""
        seconds = SYNC_SECONDS if request.wait else self._answer_seconds
        return await self._ask(SyncAnswer, "POST", "/v1/sync", body=request, seconds=seconds)

    async def reload(self) -> ReloadAnswer:
        """Ask for a reload; a refused one is an answer, not an error."""
        return await self._ask(ReloadAnswer, "POST", "/v1/reload", seconds=RELOAD_SECONDS, also_status=409)

    async def pause(self, entity: str, because: str = "") -> DoneAnswer:
        """Pause an entity."""
        return await self._ask(
            DoneAnswer, "POST", f"/v1/entities/{quote(entity, safe='')}/pause", body=PauseRequest(because=because)
        )

    async def resume(self, entity: str) -> DoneAnswer:
        """Resume an entity."""
        return await self._ask(DoneAnswer, "POST", f"/v1/entities/{quote(entity, safe='')}/resume")

    async def replay(self, request: DeadLetterRequest) -> SyncAnswer:
        """Read the rows of dead letters again and deliver them; returns when they have a fate."""
        return await self._ask(SyncAnswer, "POST", "/v1/dead-letters/replay", body=request, seconds=SYNC_SECONDS)

    async def discard(self, request: DeadLetterRequest) -> DoneAnswer:
        """Close dead letters without delivering them."""
        return await self._ask(DoneAnswer, "POST", "/v1/dead-letters/discard", body=request)

    async def orders(self, *, state: str = "", everything: bool = False, limit: int = 200) -> OrdersAnswer:
        """Return how orders stand, and those in a state, or that are not done with, or `everything`."""
        query = {"state": state, "all": str(everything).lower(), "limit": str(limit)}
        return await self._ask(OrdersAnswer, "GET", "/v1/orders", query=query)

    async def order(self, id_: str) -> OrderDetailAnswer:
        """Return all there is about one order, by the hub's id or number."""
        return await self._ask(OrderDetailAnswer, "GET", f"/v1/orders/{quote(id_, safe='')}")

    async def sync_orders(self, request: OrdersSyncRequest) -> OrdersSyncAnswer:
        """Read the inbox now, or take up hub orders past its rules."""
        return await self._ask(OrdersSyncAnswer, "POST", "/v1/orders/sync", body=request, seconds=RELOAD_SECONDS)

    async def retry_order(self, id_: str) -> DoneAnswer:
        """Try a held or refused order again."""
        return await self._ask(DoneAnswer, "POST", "/v1/orders/retry", body=OrderRequest(id=id_))

    async def adopt_order(self, id_: str, order_no: str) -> DoneAnswer:
        """Take an order that P21 has for the hub order."""
        request = AdoptRequest(id=id_, order_no=order_no)
        return await self._ask(DoneAnswer, "POST", "/v1/orders/adopt", body=request, seconds=RELOAD_SECONDS)

    async def dismiss_order(self, id_: str, because: str) -> DoneAnswer:
        """Never write an order."""
        return await self._ask(DoneAnswer, "POST", "/v1/orders/dismiss", body=DismissRequest(id=id_, because=because))

    async def acknowledge_order(self, id_: str) -> DoneAnswer:
        """Take note of how the order in P21 differs."""
        return await self._ask(DoneAnswer, "POST", "/v1/orders/acknowledge", body=OrderRequest(id=id_))

    async def take_over_orders(self) -> DoneAnswer:
        """Make this daemon's store the one that writes the hub's orders."""
        return await self._ask(DoneAnswer, "POST", "/v1/orders/take-over")

    async def set_log_level(self, level: Any) -> DoneAnswer:
        """Change the log level until the next start; the daemon refuses a level it does not know."""
        return await self._ask(DoneAnswer, "POST", "/v1/log-level", body=LogLevelRequest(level=level))

    async def _ask(
        self,
        type_: type[T],
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: msgspec.Struct | None = None,
        seconds: float | None = None,
        also_status: int = 200,
    ) -> T:
        status, raw = await self._exchange(method, path, query, body, seconds or self._answer_seconds)
        try:
            if status == also_status:
                with contextlib.suppress(msgspec.ValidationError):  # this status may carry a Refusal as well
                    return msgspec.json.decode(raw, type=type_)
            if status != 200:
                raise RefusedByDaemon(msgspec.json.decode(raw, type=Refusal))
            return msgspec.json.decode(raw, type=type_)
        except msgspec.DecodeError as error:
            hint = "the daemon is of another version, or something else listens there; restart it"
            raise Unavailable(f"no p21d answers on {self._path}", system="p21d", hint=hint) from error

    async def _exchange(
        self, method: str, path: str, query: dict[str, str] | None, body: msgspec.Struct | None, seconds: float
    ) -> tuple[int, bytes]:
        if self._session is None:
            raise RuntimeError("use `async with ControlClient(...)`")
        data = msgspec.json.encode(body) if body is not None else None
        timeout = aiohttp.ClientTimeout(total=seconds)
        url = URL(f"http://p21d{path}", encoded=True).with_query(query)
        for left in reversed(range(CONNECT_TRIES)):
            try:
                async with self._session.request(method, url, data=data, timeout=timeout) as response:
                    return response.status, await response.read()
            except TimeoutError as error:
                hint = "journalctl -u p21d shows what it does"
                message = f"the daemon did not answer within {seconds:g} s"
                raise Unavailable(message, system="p21d", hint=hint) from error
            except (aiohttp.ClientError, OSError) as error:
                if not left or getattr(error, "errno", None) not in _FULL:
                    raise unreached(self._path, error) from error
            await SystemClock().sleep(CONNECT_AGAIN_SECONDS)
        raise AssertionError("the last try returns or raises")


def unreached(path: Path, error: Exception) -> P21dError:
    """Return what a failed connection to the daemon means."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, PermissionError):
        return PermissionRefused(
            f"user is not allowed to use {path}", hint=f"run it with sudo, or as a member of the group {_group(path)}"
        )
    if isinstance(error, (aiohttp.ClientConnectorError, OSError)) and not isinstance(cause, ConnectionResetError):
        return Unavailable(f"nobody listens on {path}", system="p21d", hint=NOT_RUNNING_HINT)
    return Unavailable("the daemon ended before it answered", system="p21d", hint=NOT_RUNNING_HINT)


def _group(path: Path) -> str:
    """Return the name of the group that may use the socket, or of its folder where even that does not show."""
    for place in (path, *path.parents):
        try:
            return grp.getgrgid(place.stat().st_gid).gr_name
        except (OSError, KeyError):
            continue
    return "p21d"
