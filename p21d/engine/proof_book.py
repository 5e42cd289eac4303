"""The proofs of P21 in the store."""

from __future__ import annotations

from p21d.clock import Clock
from p21d.store.database import Store


class StoreBook:
    """A ProofBook in the store's table `proof`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def known(self, name: str, build: str) -> str | None:
        """Return the result kept for this build, None where there is none."""
        return await self._store.read.proofs.result(name, build)

    async def keep(self, results: dict[str, str], build: str) -> None:
        """Keep results by name, in one transaction."""
        if results:
            async with self._store.transaction() as tables:
                await tables.proofs.keep(results, build, self._clock.now())
