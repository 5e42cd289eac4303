"""What must hold of a store at any moment, and of both sides once they are in step: plain functions over an engine.

The store is read with plain SQL and compared with both sandboxes, without any code of the engine.
"""

from __future__ import annotations

from p21d.torture.comparison import differences
from p21d.torture.found import repeated
from tests.engine.world import Engine
from tests.faults.dead_store import DeadStore


def wrongs(engine: Engine) -> list[str]:
    """Return in words what the store says and that is not so."""
    return DeadStore(engine.store.path, engine.served).wrong()


def check_store(engine: Engine) -> None:
    """Assert that no watermark or key reached is ahead of a row without a fate, and that what is delivered is there."""
    found = wrongs(engine)
    assert not found, "\n".join(found)


def check_in_step(engine: Engine, *entities: str) -> None:
    """Assert that the hub has what P21 has: nothing missing, nothing more, nothing else, nothing twice."""
    check_store(engine)
    found = differences(engine.served.p21, engine.served.hub, *entities)
    assert not found, "\n".join(map(str, found))
    assert repeated(engine.served.hub) == []
