"""From rows to records: whatever a plug-in does, only its own row suffers."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest

from p21d.engine.building import build, is_deleted
from p21d.engine.fate import Fate
from p21d.errors import RecordRefused
from p21d.plugin import DeleteConvention, Parent, Record, Skip
from p21d.prophet21.page import Page, Undecodable
from p21d.prophet21.related import ReadRows
from p21d.testing import FakeClock
from tests.engine.world import Part, part_plan, part_record

NOW = FakeClock().now()


def built(*rows: Part, undecodable: tuple[Undecodable, ...] = (), **changes):
    page = Page(rows=list(rows), undecodable=list(undecodable), read_at=NOW, reached=None, last=True)
    return build(part_plan(**changes), page, ReadRows())


def picky(row, related):
    if row.part_id == 2:
        raise ZeroDivisionError("no price")
    return part_record(row, related)


def test_a_row_for_which_the_plug_in_raises_is_dead_lettered_alone():
    works = built(Part(part_id=1), Part(part_id=2), Part(part_id=3), records=picky)
    assert [work.fate for work in works] == [None, Fate.DEAD_LETTERED, None]
    letter = works[1].letters[0]
    assert (letter.code, letter.error, letter.plugin) == ("plug-in", "ZeroDivisionError: no price", "part.py")


def test_a_row_whose_parents_raise_is_dead_lettered_alone():
    works = built(Part(part_id=1), parents=lambda _row, _related: 1 / 0)
    assert works[0].fate is Fate.DEAD_LETTERED


def test_a_row_that_does_not_decode_is_dead_lettered_under_its_key():
    bad = Undecodable("7", b"{}", "Expected `int`, got `str` - at `$.qty`")
    works = built(Part(part_id=1), undecodable=(bad,))
    assert [(work.key, work.fate) for work in works] == [("7", Fate.DEAD_LETTERED), ("1", None)]
    assert works[0].letters[0].code == "row"


def test_a_related_row_that_does_not_decode_dead_letters_its_parent_with_its_own_words():
    def records(_row, _related):
        raise RecordRefused("row 5 of item_uom does not decode", code="related_row")

    letter = built(Part(part_id=1), records=records)[0].letters[0]
    assert (letter.code, letter.error) == ("related_row", "row 5 of item_uom does not decode")


def test_a_skip_keeps_its_reason():
    work = built(Part(part_id=1), records=lambda _row, _related: Skip("no price"))[0]
    assert (work.fate, work.reason) == (Fate.SKIPPED, "no price")


def test_several_records_of_one_row_keep_their_order():
    def records(row, _related):
        return (Record(external_id={"part_id": f"{row.part_id}-{n}"}, body={}) for n in (1, 2))

    assert [record.external_id for record in built(Part(part_id=1), records=records)[0].records] == ["1-1", "1-2"]


@pytest.mark.parametrize("answer", [[], None, "text", {"name": "x"}, [Skip("one of several")], 7])
def test_an_answer_that_is_no_record_is_a_dead_letter(answer):
    work = built(Part(part_id=1), records=lambda _row, _related: answer)[0]
    assert work.fate is Fate.DEAD_LETTERED


@pytest.mark.parametrize("external_id", [{"part_id": ""}, {"part_id": "   "}, {"other": 1}])
def test_a_record_without_an_external_id_is_a_dead_letter(external_id):
    record = Record(external_id=external_id, body={})
    assert built(Part(part_id=1), records=lambda _row, _related: record)[0].fate is Fate.DEAD_LETTERED


def test_an_external_id_has_one_form_whatever_the_number_looks_like():
    forms = [10, Decimal("10.000000000"), " 10 ", 10.0]
    works = [
        built(Part(part_id=1), records=lambda _row, _related, form=form: Record(external_id={"part_id": form}, body={}))
        for form in forms
    ]
    assert {work[0].records[0].external_id for work in works} == {"10"}


@pytest.mark.parametrize(
    ("convention", "values", "deleted"),
    [
        (DeleteConvention.NONE, {"delete_flag": "Y"}, False),
        (DeleteConvention.DELETE_FLAG, {"delete_flag": "Y"}, True),
        (DeleteConvention.DELETE_FLAG, {"delete_flag": "y "}, True),
        (DeleteConvention.DELETE_FLAG, {"delete_flag": "N"}, False),
        (DeleteConvention.DELETE_FLAG, {"delete_flag": None}, False),
        (DeleteConvention.ROW_STATUS_FLAG, {"row_status_flag": 700}, True),
        (DeleteConvention.ROW_STATUS_FLAG, {"row_status_flag": 704}, False),
        (DeleteConvention.ROW_STATUS, {"row_status": 700}, True),
        (DeleteConvention.ROW_STATUS, {"row_status": None}, False),
    ],
)
def test_each_delete_convention(convention, values, deleted):
    assert is_deleted(part_plan(deleted=convention), Part(part_id=1, **values)) is deleted


UNSENDABLE = {
    "an object": object(),
    "half a letter": "\ud800",
    "a key that is no text": {("a", 1): 2},
    "a number beyond JSON": 2**70,
    "a body within itself": None,
}


@pytest.mark.parametrize("value", UNSENDABLE.values(), ids=UNSENDABLE)
async def test_a_body_that_cannot_be_sent_dead_letters_its_row_alone(make, registry, value):
    usual = registry.entities["location"]
    loop: dict = {}
    loop["again"] = loop

    def records(row, related):
        record = usual.records(row, related)
        odd = loop if value is None else value
        return dataclasses.replace(record, body={**record.body, "odd": odd}) if row.location_id == 20 else record

    entities = {**registry.entities, "location": dataclasses.replace(usual, records=records)}
    engine = make(registry=dataclasses.replace(registry, entities=entities))
    tally = await engine.sweep("location")
    assert (tally.delivered, tally.dead_lettered) == (4, 1) or (value == 2**70 and tally.delivered == 5)
    if tally.dead_lettered:
        assert (await engine.letters())["20"]["code"] == "plug-in"


async def test_a_parent_of_an_unknown_entity_dead_letters_its_row_alone(make, registry):
    usual = registry.entities["location"]

    def parents(row, _related):
        return [Parent(entity="warehouse", key=(1,), external_id={"id": 1})] if row.location_id == 20 else []

    entities = {**registry.entities, "location": dataclasses.replace(usual, parents=parents)}
    engine = make(registry=dataclasses.replace(registry, entities=entities))
    tally = await engine.sweep("location")
    assert (tally.delivered, tally.dead_lettered) == (4, 1)


async def test_a_parent_without_the_values_of_its_template_dead_letters_its_row_alone(make, registry):
    usual = registry.entities["location"]

    def parents(row, _related):
        return [Parent(entity="product", key=(1,), external_id={"id": 1})] if row.location_id == 20 else []

    entities = {**registry.entities, "location": dataclasses.replace(usual, parents=parents)}
    engine = make(registry=dataclasses.replace(registry, entities=entities))
    tally = await engine.sweep("location")
    assert (tally.delivered, tally.dead_lettered) == (4, 1)


async def test_a_row_of_the_wrong_type_is_dead_lettered_and_its_page_goes_on(engine):
    engine.p21.change("inv_mast", {"inv_mast_uid": 7}, item_id=None)
    tally = await engine.sweep("product")
    assert (tally.delivered, tally.dead_lettered) == (19, 1)
    assert (await engine.letters())["7"]["code"] == "row"
    engine.p21.change("inv_mast", {"inv_mast_uid": 7}, item_id="MENDED-7")
    await engine.poll("product")
    assert await engine.letters() == {}
