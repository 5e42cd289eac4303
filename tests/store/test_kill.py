"""A daemon killed in the middle of its transactions leaves only whole ones."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

ROWS = 20

WRITER = """
    import sys
    from datetime import UTC, datetime, timedelta
    from pathlib import Path
    import anyio
    from p21d.store.database import Store
    from p21d.store.delivered import DeliveredRecord
    from p21d.store.link import StoredLink

    NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)

    async def main():
        async with Store(Path(sys.argv[1])) as store:
            for number in range(1, 100_000):
                keys = [f"{number}-{part}" for part in range(int(sys.argv[2]))]
                at = NOON + timedelta(seconds=number)
                async with store.transaction() as tables:
                    records = [DeliveredRecord(key, key, b"f" * 16, True, at) for key in keys]
                    await tables.delivered.acknowledge("customer", records, at)
                    await tables.links.record([StoredLink("Customer", key, key, "customer", key) for key in keys])
                    await tables.checkpoints.move_watermark("customer", at, str(number))
                print(number, flush=True)

    anyio.run(main)
"""


@pytest.mark.parametrize("wanted", [1, 25, 60])
def test_what_is_left_are_whole_transactions_and_all_that_were_committed(start_python, path, wanted):
    process = start_python(WRITER, path, ROWS)
    for _ in range(wanted):
        committed = int(process.stdout.readline())
    process.kill()
    process.wait(10)
    committed = max([committed, *(int(line) for line in process.stdout if line.endswith("\n"))])
    with closing(sqlite3.connect(path)) as left:
        assert left.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        (number,) = left.execute("SELECT watermark_text FROM checkpoint").fetchone()
        assert int(number) >= committed
        assert left.execute("SELECT count(*) FROM delivered").fetchone() == (int(number) * ROWS,)
        assert left.execute("SELECT count(*) FROM link").fetchone() == (int(number) * ROWS,)
