"""Every row arrives once, with its content, and nothing is sent again without need."""

from __future__ import annotations

from tests.faults.comparison import assert_in_step
from tests.faults.world import ENTITIES, world


async def test_every_row_arrives_once_and_a_second_cycle_writes_nothing(tmp_path):
    async with world(tmp_path, rows=80) as here:
        await here.daemon.start()
        await here.daemon.until_in_step()
        assert_in_step(here.p21, here.hub)
        writes = here.hub.writes

        for entity in ENTITIES:
            answer = await here.daemon.sync(entity)
            assert answer.tally.delivered == 0
            assert answer.tally.read == answer.tally.unchanged + answer.tally.skipped

        assert here.hub.writes == writes
        assert await here.daemon.stop() == 0


async def test_as_many_writes_as_rows_that_changed(tmp_path):
    async with world(tmp_path, "product", rows=60) as here:
        await here.daemon.start()
        await here.daemon.until_in_step()
        writes = here.hub.writes
        living = [row for row in here.p21.database.rows("inv_mast") if row["delete_flag"] == "N"]
        for number, row in enumerate(living[10:17]):
            key = {"inv_mast_uid": row["inv_mast_uid"]}
            here.p21.database.change("inv_mast", key, price1=f"{100 + number}.500000000")

        answer = await here.daemon.sync("product")

        assert answer.tally.delivered == 7
        assert here.hub.writes == writes + 7
        assert_in_step(here.p21, here.hub, "product")
