"""What the tests of backfills share: small pages, and a P21 of a few items."""

from __future__ import annotations

from urllib.parse import unquote_plus

import pytest

from p21d.errors import Unavailable
from p21d.sandbox.faults import Fault

DAY = 86_400.0
LONG_AGO = "2020-01-02T03:04:05"
ITEMS = 32
SMALL_PAGES = {"page_rows": 3}


async def backfill(engine, entity="product", **options):
    await engine.runner(entity).backfills.request(**options)
    return await engine.runner(entity).backfills.run()


def forget_stamps(engine, table="inv_mast"):
    """Let every row of the table look as if nobody had touched it for years."""
    engine.p21.change(table, {}, stamp=False, date_last_modified=LONG_AGO)


def calls(engine):
    return engine.connection.sink.statistics().calls


async def is_active(engine, uid, entity="product"):
    (record,) = (await engine.store.read.delivered.by_keys(entity, [str(uid)]))[str(uid)]
    return record.active


async def skipped(engine, *uids, entity="product"):
    return await engine.store.read.skipped.by_keys(entity, [str(uid) for uid in uids])


def delivered_uids(engine):
    rows = engine.p21.rows("inv_mast", {"delete_flag": "N"})
    return [row["inv_mast_uid"] for row in rows]


def queries(engine, table="inv_mast"):
    return [unquote_plus(query) for query in engine.reads_of(table)]


async def last_cycle(engine, entity="product"):
    return (await engine.store.read.cycles.latest(entity=entity, limit=1))[0]


async def vanish_many(engine, count=12):
    await backfill(engine)
    uids = delivered_uids(engine)[:count]
    for uid in uids:
        engine.p21.delete("inv_mast", {"inv_mast_uid": uid})
    return uids


async def interrupt(engine, pages):
    """Begin a backfill that P21 breaks off after so many reads of the table."""
    engine.served.p21.faults.add(Fault(kind="status", path="*inv_mast", after=pages))
    with pytest.raises(Unavailable):
        await backfill(engine)
    engine.served.p21.faults.clear()
