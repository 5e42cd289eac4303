"""One bad record among many: it alone waits or is dead-lettered, with the words of who refused it; the others pass."""

from __future__ import annotations

import pytest

from p21d.sandbox.faults import Fault
from tests.faults.comparison import assert_in_step, living

REFUSAL = '{"code":"VALD-1010","message":"default_price is not to our taste"}'
HOUR_SECONDS = 3600.0


def sku_of(row) -> str:
    return row["item_id"].strip()


def hub_id_of(on, row) -> str:
    return next(record["id"] for record in on.hub.records("product") if record["sku"] == sku_of(row))


def meets_product(on, row, **fault) -> Fault:
    """Return a fault that meets the writes of this product."""
    return Fault(path=f"*/Product/{hub_id_of(on, row)}", **fault)


async def letters_by_key(on) -> dict[str, dict[str, object]]:
    return {letter["key"]: letter for letter in await on.letters()}


async def test_one_poison_record_among_the_others_is_dead_lettered_with_the_hubs_words(on):
    bad = living(on.p21, "inv_mast")[7]
    on.hub.faults.add(meets_product(on, bad, kind="status", status=400, body=REFUSAL))
    on.change(501)

    await on.clock.pass_time(300)

    letters = await letters_by_key(on)
    assert list(letters) == [str(bad["inv_mast_uid"])]
    letter = letters[str(bad["inv_mast_uid"])]
    assert letter["code"] == "VALD-1010"
    assert "default_price is not to our taste" in letter["error"]
    assert sku_of(bad) in letter["body"]
    product = await on.entity("product")
    assert (product.state, product.waiting, product.dead_letters) == ("in step", 0, 1)
    on.hub.faults.clear()
    await on.sync("product", list(letters))
    assert await on.letters() == []
    assert_in_step(on.p21, on.hub, "product", "company")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "status", "status": 500}, "500"),
        ({"kind": "status", "status": 408}, "408"),
        ({"kind": "hang", "seconds": 30.0}, "did not answer within"),
        ({"kind": "bad_json", "body": '"busy"'}, "200 with something that is not the record: busy"),
    ],
    ids=["always 500", "always 408", "always times out", "always rubbish"],
)
async def test_one_record_that_always_fails_while_the_others_pass_has_five_attempts_over_ten_minutes(
    fault, words, monkeypatch, staged
):
    monkeypatch.setattr("p21d.sinks.ipaas.options.DATABASE_WAIT_SECONDS", 0.0)
    on = await staged(prophet21={"settle": 0}, sink={"timeout": "0.4s"})
    await on.until_in_step()
    bad = living(on.p21, "inv_mast")[7]
    number = on.hub.faults.add(meets_product(on, bad, **fault))
    began_at = on.clock.now()
    on.change(502)

    await on.clock.pass_time(300)

    waiting = await on.store.read.waiting.by_keys("product", [str(bad["inv_mast_uid"])])
    assert words in waiting[str(bad["inv_mast_uid"])].error
    assert (await on.entity("product")).state == "in step"
    assert await on.letters() == []

    async def dead_lettered() -> bool:
        on.change(int(on.clock.monotonic()) + 600)  # the others go on to pass
        return bool(await on.letters())

    assert await on.clock.pass_until(dead_lettered, HOUR_SECONDS, leap=30.0)
    letter = (await letters_by_key(on))[str(bad["inv_mast_uid"])]
    assert words in letter["error"]
    assert letter["attempts"] >= 5
    assert (on.clock.now() - began_at).total_seconds() >= 600
    assert on.hub.faults.fired(number) <= 60
    on.hub.faults.clear()
    await on.sync("product", [letter["key"]])
    assert await on.letters() == []


async def test_one_undecodable_row_among_a_thousand_is_dead_lettered_alone_and_comes_once_mended(thousand):
    on = thousand
    bad = living(on.p21, "inv_mast")[507]["inv_mast_uid"]
    on.p21.database.change("inv_mast", {"inv_mast_uid": bad}, price1="true")

    async def swept() -> bool:
        return (await on.entity("product")).watermark is not None

    assert await on.clock.pass_until(swept, HOUR_SECONDS)

    letters = await letters_by_key(on)
    assert list(letters) == [str(bad)]
    assert "price1" in letters[str(bad)]["error"]
    product = await on.entity("product")
    assert product.delivered == len(living(on.p21, "inv_mast")) - 1 >= 999
    on.p21.database.change("inv_mast", {"inv_mast_uid": bad}, price1="1.500000000")
    await on.sync("product", list(letters))
    assert await on.letters() == []
    assert (await on.entity("product")).delivered == len(living(on.p21, "inv_mast"))
