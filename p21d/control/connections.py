"""Bounds the connections of the control socket, so that they never take the descriptors of the store, P21 and the sink.

Beyond the bound the connection that has stood longest without a request makes room for the new one; where all are at
work, the new one is turned away. So neither an open door nor a full one keeps an operator out for longer than a moment.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

MOST_CONNECTIONS = 128
"""Far below any limit of descriptors (the shipped unit has 4,096); those waiting for their first request count."""


class Connections:
    """Makes the protocol of each new connection; `busy` holds the transports whose request is being answered."""

    def __init__(self, server: Any, most: int) -> None:
        self.busy: set[object] = set()
        self._server = server
        self._most = most

    def __call__(self) -> Any:
        """Return the protocol for a connection that was just accepted, as an event loop asks for it."""
        standing = [handler for handler in self._server.connections if handler.transport is not None]
        if len(standing) >= self._most:
            idle = next((handler for handler in standing if handler.transport not in self.busy), None)
            if idle is None:
                return _TurnedAway()
            idle.force_close()
        return self._server()


class BoundedRunner(web.AppRunner):
    """An AppRunner whose sites accept through `connections`."""

    connections: Connections

    async def setup_bounded(self, most: int) -> None:
        """Set up, with at most so many connections at a time."""
        await self.setup()
        self.connections = Connections(super().server, most)

    @property
    def server(self) -> Any:
        """Return what a site hands to the event loop."""
        return self.connections


class _TurnedAway:
    """A protocol that closes its connection; the loop asks for no more than these methods."""

    def connection_made(self, transport: Any) -> None:
        transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        """Nothing is left to do."""

    def data_received(self, data: bytes) -> None:
        """Nothing is listened to."""

    def eof_received(self) -> None:
        """Nothing is listened to."""

    def pause_writing(self) -> None:
        """Nothing is written."""

    def resume_writing(self) -> None:
        """Nothing is written."""
