"""Whether the disk of the store has room for more; without it reading stops, so that remembering need not (P2)."""

from __future__ import annotations

import shutil

from p21d.engine.connection import Connection
from p21d.errors import StoreFull
from p21d.sizes import size_text


def check_room(connection: Connection) -> None:
    """Raise StoreFull where the disk of the store has less free than `store.min_free`."""
    folder = connection.store.path.parent
    if connection.min_free_bytes and shutil.disk_usage(folder).free < connection.min_free_bytes:
        raise StoreFull(
            f"less than {size_text(connection.min_free_bytes)} free on the disk of {folder}, reading waits",
            hint="free disk space, or lower store.min_free; nothing is lost, and it goes on by itself",
        )
