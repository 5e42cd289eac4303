"""`p21d sync` against a real daemon: keys, times, and a long list that holds keys P21 does not have."""

from __future__ import annotations

import json

from tests.faults.comparison import assert_in_step
from tests.faults.world import world

NOTHING_BY_ITSELF = {"poll_search_days": 0}
UNKNOWN = 15


async def test_a_file_of_1200_keys_is_delivered_once_and_the_unknown_are_named(tmp_path):
    async with world(tmp_path, "product", rows=1_185, entity=NOTHING_BY_ITSELF) as here:
        await here.daemon.start()
        await here.daemon.until_in_step()
        keys = [row["inv_mast_uid"] for row in here.p21.database.rows("inv_mast")]
        file = tmp_path / "keys.txt"
        file.write_text("\n".join(map(str, keys + [900_000 + number for number in range(UNKNOWN)])) + "\n")
        deleted = here.p21.database.count("inv_mast", {"delete_flag": "Y"})

        first = await here.daemon.command("sync", "product", "--keys-from", str(file), "--json")
        second = await here.daemon.command("sync", "product", "--keys-from", str(file), "--json")

        assert first.returncode == second.returncode == 1, first.stderr + second.stderr
        done, again = json.loads(first.stdout), json.loads(second.stdout)
        assert done["keys"] == again["keys"] == 1_185 + UNKNOWN
        assert done["missing_count"] == again["missing_count"] == UNKNOWN
        assert done["tally"]["delivered"] == again["tally"]["unchanged"] == 1_185 - deleted
        assert again["tally"]["delivered"] == 0
        assert_in_step(here.p21, here.hub, "product")


async def test_keys_and_times_say_which_rows_are_read(tmp_path):
    async with world(tmp_path, "product", rows=40, entity=NOTHING_BY_ITSELF) as here:
        await here.daemon.start()
        await here.daemon.until_in_step()
        alive = [row["inv_mast_uid"] for row in here.p21.database.rows("inv_mast") if row["delete_flag"] == "N"]

        by_key = await here.daemon.command("sync", "product", str(alive[0]), str(alive[1]), "--wait", "--json")
        by_days = await here.daemon.command("sync", "product", "--days", "3650", "--wait", "--json")
        by_time = await here.daemon.command("sync", "product", "--since", "2020-01-01", "--wait", "--json")
        unknown = await here.daemon.command("sync", "product", "987654", "--wait", "--json")

        assert by_key.returncode == by_days.returncode == by_time.returncode == 0, by_time.stderr
        assert json.loads(by_key.stdout)["tally"]["delivered"] == 2
        assert json.loads(by_days.stdout)["tally"]["delivered"] == len(alive) - 2
        assert json.loads(by_time.stdout)["tally"]["delivered"] == 0
        assert json.loads(by_time.stdout)["tally"]["unchanged"] == len(alive)
        assert unknown.returncode == 1
        assert json.loads(unknown.stdout)["missing"] == ["987654"]


async def test_an_unknown_entity_is_refused_by_name(tmp_path):
    async with world(tmp_path, "product", rows=5, entity=NOTHING_BY_ITSELF) as here:
        await here.daemon.start()
        answer = await here.daemon.command("sync", "prodct", "--wait")
        off = await here.daemon.command("sync", "customer", "--wait")

        assert answer.returncode == 78
        assert "there is no entity 'prodct'" in answer.stderr
        assert off.returncode == 78
        assert "entities.customer" in off.stderr
