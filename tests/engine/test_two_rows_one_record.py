"""Two rows of P21 that lead to one record of the hub: the second is refused before any call, naming both."""

from __future__ import annotations

from dataclasses import replace


def twin(engine, uid: int, of: int) -> None:
    """Let an item have the id of another one, but for a blank."""
    name = next(row["item_id"] for row in engine.p21.rows("inv_mast") if row["inv_mast_uid"] == of)
    engine.p21.change("inv_mast", {"inv_mast_uid": uid}, item_id=f"{name} ", item_desc="the twin")


async def test_the_second_row_is_dead_lettered_naming_both(engine):
    twin(engine, 8, of=1)
    await engine.sweep("product")
    letters = await engine.letters("product")
    assert list(letters) == ["8"]
    assert "product 1 " in letters["8"]["error"]
    assert "product 8 " in letters["8"]["error"]


async def test_the_second_row_of_one_batch_makes_no_call(make):
    engine = make(batch_rows=100, concurrent_batch_executions=1)
    twin(engine, 8, of=1)
    tally = await engine.sweep("product")
    assert engine.hub.writes == tally.delivered
    assert all(record["name"] != "the twin" for record in engine.hub.records("product"))


async def test_the_second_row_in_another_batch_makes_no_call(make):
    engine = make(batch_rows=1, concurrent_batch_executions=10)
    twin(engine, 8, of=1)
    tally = await engine.sweep("product")
    assert tally.dead_lettered == 1
    assert engine.hub.writes == tally.delivered


async def test_both_rows_meet_again_without_a_call(engine):
    twin(engine, 8, of=1)
    await engine.sweep("product")
    calls = len(engine.hub.requests)
    tally = await engine.sweep("product")
    assert (tally.dead_lettered, tally.delivered) == (1, 0)
    assert len(engine.hub.requests) == calls


async def test_the_second_row_is_delivered_once_it_has_an_id_of_its_own(engine):
    twin(engine, 8, of=1)
    await engine.sweep("product")
    engine.p21.change("inv_mast", {"inv_mast_uid": 8}, item_id="OWN-8")
    assert (await engine.poll("product")).delivered == 1
    assert await engine.letters("product") == {}


async def test_a_template_from_the_configuration_that_is_not_unique_refuses_all_but_one(make):
    engine = make(entities={"location": {"external_id": "{company_id}"}})
    tally = await engine.sweep("location")
    assert (tally.delivered, tally.dead_lettered) == (2, 3)
    assert engine.hub.writes == 2


async def test_a_row_that_takes_anothers_id_does_not_push_its_owner_out(make):
    engine = make(batch_rows=100, concurrent_batch_executions=1)
    await engine.sweep("product")
    twin(engine, 1, of=8)
    engine.p21.change("inv_mast", {"inv_mast_uid": 8}, item_desc="still mine")
    tally = await engine.poll("product")
    assert (tally.delivered, list(await engine.letters("product"))) == (1, ["1"])
    assert [record["name"] for record in engine.hub.records("product")].count("still mine") == 1


async def test_a_link_found_under_the_key_without_its_padding_is_the_rows_own(engine):
    contacts = [row["id"] for row in engine.p21.rows("contacts") if row["email_address"] and row["delete_flag"] != "Y"]
    padded = next(id_ for id_ in contacts if id_ != id_.strip())
    await engine.releases("customer").run("sync", [padded])
    name = padded.strip()
    known = await engine.store.read.links.by_external_id("customer", [name])
    async with engine.store.transaction() as tables:
        await tables.links.record([replace(known[name], key=name)])  # as a look-up for an order of it writes it
    engine.p21.change("contacts", {"id": padded}, first_name="Renamed")
    cycle = await engine.releases("customer").run("sync", [padded])
    assert cycle.tally.delivered == 1
    assert await engine.letters() == {}
