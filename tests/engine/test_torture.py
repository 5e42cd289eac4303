"""Whatever fails, in whatever order: in the end the hub has what P21 has, once."""

from __future__ import annotations

import random

import anyio
import pytest

from p21d.errors import P21dError
from p21d.sandbox.faults import Fault

CALLS = "re:Catalog|External|api"


def break_everything_a_little(engine, seed: int) -> None:
    faults = [
        Fault(kind="drop_after", path=CALLS, probability=0.08, seed=seed),
        Fault(kind="drop_before", path=CALLS, probability=0.05, seed=seed + 1),
        Fault(kind="status", status=500, path=CALLS, probability=0.05, seed=seed + 2),
        Fault(kind="status", status=503, path=CALLS, probability=0.05, seed=seed + 3),
        Fault(kind="truncate", path=CALLS, probability=0.03, seed=seed + 4),
        Fault(kind="empty", path=CALLS, method="PUT", probability=0.03, seed=seed + 5),
    ]
    for fault in faults:
        engine.hub.faults.add(fault)
    engine.served.p21.faults.add(Fault(kind="truncate", path="*odata*", probability=0.05, seed=seed + 6))


async def tried(run) -> None:
    try:
        await run()
    except P21dError:
        return


async def one_round(engine, rng: random.Random) -> None:
    async with anyio.create_task_group() as tasks:
        for entity in ("location", "product", "product_inventory"):
            for kind in ("sweep", "poll"):
                tasks.start_soon(tried, lambda entity=entity, kind=kind: engine.windows(entity).run(kind))
            tasks.start_soon(tried, engine.releases(entity).run_due)
        for _ in range(6):
            change_something(engine, rng)
            await anyio.sleep(0.005)


def change_something(engine, rng: random.Random) -> None:
    uid = rng.randint(1, 20)
    engine.p21.change("inv_mast", {"inv_mast_uid": uid}, item_desc=f"name {rng.randint(1, 3)} of {uid}")
    engine.p21.change("inv_loc", {"inv_mast_uid": uid}, qty_on_hand=f"{rng.randint(1, 3)}.000000000")
    place = rng.choice([10, 20, 30, 40, 50])
    engine.p21.change("location", {"location_id": place}, location_name=f"Place {place} {rng.randint(1, 3)}")


@pytest.mark.parametrize("seed", [1, 2])
async def test_after_any_mix_of_faults_the_hub_ends_as_p21_is(make, seed):
    engine, rng = make(batch_rows=3, prophet21={"page_rows": 7}), random.Random(seed)
    await engine.sweep_all("location", "product")
    break_everything_a_little(engine, seed)
    for _ in range(4):
        await one_round(engine, rng)
    assert sum(state.fired for state in engine.hub.faults.list()) > 10
    engine.hub.faults.clear()
    engine.served.p21.faults.clear()
    engine.clock.advance(200)
    for entity in ("location", "product", "product_inventory"):
        await engine.sweep(entity)  # one that was interrupted goes on behind what it has passed: that is the poll's
        await engine.windows(entity).run("poll")
    await engine.release_all()
    assert await engine.letters() == {}
    assert await engine.store.read.waiting.counts() == {}
    check_that_the_hub_has_what_p21_has(engine)


def check_that_the_hub_has_what_p21_has(engine) -> None:
    assert engine.hub.duplicates() == {}
    items = {row["item_id"].strip(): row["item_desc"] or row["item_id"] for row in engine.p21.rows("inv_mast")}
    assert {record["sku"]: record["name"] for record in engine.hub.records("product")} == items
    places = sorted(row["location_name"] for row in engine.p21.rows("location"))
    assert sorted(record["name"] for record in engine.hub.records("location")) == places
    stock = sorted(float(row["qty_on_hand"]) for row in engine.p21.rows("inv_loc") if row["delete_flag"] != "Y")
    assert sorted(float(record["qty_on_hand"]) for record in engine.hub.records("inventory")) == stock
