"""The engine over a sink that gives no ids: parents are known by their own delivery."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from p21d.assembly import assemble
from p21d.engine.watch import Watch
from tests.engine.world import Engine


@pytest.fixture
async def files(make, tmp_path):
    engine = make()
    config = engine.assembly.config
    config = msgspec.structs.replace(config, sink={"type": "jsonl", "directory": str(tmp_path / "out")})
    assembly = assemble(config, engine.assembly.registry, engine.store, engine.clock, Watch(engine.clock))
    one = Engine(engine.served, assembly, engine.store, engine.clock)
    yield one
    await one.close()


def lines(tmp_path, entity: str) -> list[dict]:
    return [msgspec.json.decode(line) for line in (tmp_path / "out" / f"{entity}.jsonl").read_bytes().splitlines()]


async def test_each_record_is_one_line_and_unchanged_rows_add_none(files, tmp_path):
    await files.sweep_all()
    await files.release_all()
    before = {name: len(lines(tmp_path, name)) for name in ("location", "product", "product_inventory")}
    assert before == {"location": 5, "product": 20, "product_inventory": 50}
    await files.sweep_all()
    assert {name: len(lines(tmp_path, name)) for name in before} == before


async def test_a_row_waits_for_a_parent_that_was_not_delivered(files, tmp_path):
    long_ago = files.p21.time.now() - timedelta(days=30)
    files.p21.change("inv_mast", {"inv_mast_uid": 1}, date_last_modified=long_ago)
    await files.sweep_all("location", "product")
    tally = await files.sweep("product_inventory")
    assert tally.waiting == 3
    await files.release_all()
    assert len(lines(tmp_path, "product_inventory")) == 50
