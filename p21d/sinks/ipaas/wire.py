"""The paced, counted way to the hub that login and data calls share."""

from __future__ import annotations

from collections.abc import Mapping

from p21d.clock import Clock
from p21d.errors import Unavailable
from p21d.http import HttpAnswer, HttpClient
from p21d.sinks.rate import Pace


class Wire:
    """Makes calls at the configured rate and keeps the numbers for status."""

    def __init__(self, client: HttpClient, pace: Pace, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self.pace = pace
        self.calls = 0
        self.failures = 0
        self.last_answer_at = ""

    async def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> HttpAnswer:
        """Make one call; raises Unavailable or RequestTimeout where there is no complete answer."""
        await self.pace.wait()
        self.calls += 1
        try:
            answer = await self._client.request(method, url, headers=headers, body=body)
        except Unavailable:
            self.failures += 1
            raise
        self.last_answer_at = self._clock.now().isoformat(timespec="seconds")
        return answer

    def count_failure(self) -> None:
        """Count an answer that turned out to be a refusal; a miss of the link table is none."""
        self.failures += 1

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
