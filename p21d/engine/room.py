"""Whether the store can remember more: it is whole, and its disk has room; else reading stops (P2)."""

from __future__ import annotations

import shutil

from p21d.engine.connection import Connection
from p21d.errors import AlreadyRunning, StoreFull
from p21d.sizes import size_text


def check_room(connection: Connection) -> None:
    """Raise StoreFull where the disk of the store has less free than `store.min_free`.

    Raises StoreDamaged where the store is, and AlreadyRunning while it is being checked after an unclean stop.
    """
    condition = connection.store.condition
    condition.refuse_damage()
    if condition.unchecked:
        raise AlreadyRunning(condition.words, hint="p21d status tells when it is done")
    folder = connection.store.path.parent
    if connection.min_free_bytes and shutil.disk_usage(folder).free < connection.min_free_bytes:
        raise StoreFull(
            f"less than {size_text(connection.min_free_bytes)} free on the disk of {folder}, reading waits",
            hint="free disk space, or lower store.min_free; nothing is lost, and it goes on by itself",
        )
