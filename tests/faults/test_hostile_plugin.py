"""A hostile plug-in beside the built-in ones, in a real daemon: fused off and named, while the others go on."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.faults.world import Daemon, World, world

PLUGIN = """
from __future__ import annotations

from p21d.plugin import Entity, P21Time, Record, Route, Row, hookimpl

class Item(Row, frozen=True):
    inv_mast_uid: int
    delete_flag: str | None
    date_last_modified: P21Time | None

def records(row, related):
    {body}

ENTITY = Entity(
    name="hostile",
    row=Item,
    table="inv_mast",
    key=("inv_mast_uid",),
    external_id="H{{inv_mast_uid}}",
    records=records,
    route=Route(resource="location"),
)

@hookimpl
def p21d_entities():
    return [ENTITY]
"""
GOOD = 'return Record(external_id={"inv_mast_uid": row.inv_mast_uid}, body={"name": "item " + str(row.inv_mast_uid)})'
HOSTILE = {
    "raises": ("raise KeyError('price')", "it fails for 50 rows and more in a row", "KeyError: 'price'"),
    "answers rubbish": ("return [row, None]", "it fails for 50 rows and more in a row", "records() must return"),
    "ends the process": ("raise SystemExit(3)", "it fails for 50 rows and more in a row", "SystemExit: 3"),
    "loops": ("\n    while True: pass", "3 times it did not come back", "NotComingBack"),
}
SHORT = """
import sys
from pathlib import Path
import p21d.daemon
from p21d.engine import interrupt
interrupt.LOOP_SECONDS = 0.2
sys.exit(p21d.daemon.run(Path(sys.argv[1])))
"""


def write_plugin(folder: Path, body: str) -> Path:
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    path = folder / "hostile.py"
    path.write_text(PLUGIN.format(body=body))
    path.chmod(0o644)
    return path


def letters(daemon: Daemon) -> int:
    with sqlite3.connect(f"file:{daemon.store}?mode=ro", uri=True) as store:
        count = store.execute("SELECT count(*) FROM dead_letter WHERE entity = 'hostile'").fetchone()[0]
    store.close()
    return int(count)


def taken(here: World) -> int:
    return sum(record["name"].startswith("item ") for record in here.hub.records("location"))


@pytest.mark.parametrize("how", HOSTILE)
async def test_a_hostile_plug_in_is_fused_off_and_the_others_go_on(tmp_path, monkeypatch, how):
    body, what, first = HOSTILE[how]
    plugin = write_plugin(tmp_path / "plugins", body)
    async with world(tmp_path, "location", "hostile", rows=60, plugin_dirs=[str(plugin.parent)]) as here:
        daemon = here.daemon
        daemon.write(entities={"hostile": {"poll_search_days": 3650}})
        # by uvloop, as installed; only the time that a loop is given is shorter
        command = daemon._command
        monkeypatch.setattr(daemon, "_command", lambda *words: short(command(*words)))
        await daemon.start()

        held = await daemon.until_held("hostile", what)

        assert str(plugin) in held.reason
        assert first in held.reason
        assert held.hint.startswith("mend it, then p21d reload")
        await daemon.until_in_step("location")
        assert letters(daemon) < 50
        assert taken(here) == 0
        assert (await daemon.entity("hostile")).watermark is None

        write_plugin(plugin.parent, GOOD)
        monkeypatch.undo()
        reloaded = await daemon.command("reload")
        assert reloaded.returncode == 0, reloaded.stderr
        await daemon.until_in_step("hostile", "location")
        assert taken(here) == sum(row["delete_flag"] != "Y" for row in here.p21.database.rows("inv_mast"))
        assert {record["writes"] for record in here.hub.records("location")} == {1}


def short(command: list[str]) -> list[str]:
    """Return the command of a daemon that gives a loop little time."""
    config = next(word.partition("=")[2] for word in command if word.startswith("--config="))
    return [command[0], "-c", SHORT, config]
