"""Each check of the contract has an entity here that must fail it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import count

import msgspec
import pytest

from p21d.plugin import Child, DeleteConvention, Entity, Parent, Record, Related, Route, Row, Skip
from p21d.testing import BrokenContract, check_entity, related_rows, row_of


class Widget(Row, frozen=True):
    widget_uid: int
    note: str | None
    price: Decimal | None
    delete_flag: str | None
    date_last_modified: str | None


class Part(Row, frozen=True):
    part_uid: int
    widget_uid: int | None


class Bolt(Row, frozen=True):
    bolt_uid: int
    part_uid: int


PART = Related(table="part", row=Part, key=("part_uid",), match={"widget_uid": "widget_uid"})
BOLT = Related(table="bolt", row=Bolt, key=("bolt_uid",), match={"part_uid": "part_uid"}, of=PART)
ROW = row_of(Widget, widget_uid=1, note="round")
NUMBERS = count()


def record(**changes):
    return Record(**{"external_id": {"widget_uid": 1}, "body": {"name": "round"}} | changes)


def entity(records, **changes):
    fixed = {
        "name": "widget",
        "row": Widget,
        "table": "widget",
        "key": ("widget_uid",),
        "external_id": "{widget_uid}",
        "route": Route(resource="widget", children={"parts": "part", "addresses": "address"}),
        "related": (PART, BOLT),
    }
    answer = records if callable(records) else lambda _row, _related: records
    return Entity(**fixed | {"records": answer} | changes)


def parent(**changes):
    return Parent(**{"entity": "gadget", "key": (7,), "external_id": {"gadget_uid": 7}} | changes)


def child_entity(*parents, **changes):
    fixed = {"parents": lambda _row, _related: parents, "parent_entities": ("gadget",)}
    return entity(record(), **fixed | changes)


GADGET = entity(record(), name="gadget", external_id="{gadget_uid}")


def refusal(broken, *rows, **given):
    with pytest.raises(BrokenContract) as caught:
        check_entity(broken, *rows or (ROW,), **given)
    return str(caught.value)


def test_a_sound_entity_passes():
    assert check_entity(entity(record()), ROW) == [record()]


def test_a_skipped_row_gives_no_record():
    assert check_entity(entity(Skip("not for sale")), ROW) == []


def test_a_row_may_give_several_records():
    records = [record(), record(external_id={"widget_uid": 2})]
    assert check_entity(entity(records), ROW) == records


def test_a_sound_child_passes():
    assert check_entity(child_entity(parent(member="gadget_id")), ROW, known=[GADGET])


def test_records_that_differ_between_calls_fail():
    assert "two calls with one row differ" in refusal(entity(lambda *_: record(body={"n": next(NUMBERS)})))


def test_parents_that_differ_between_calls_fail():
    broken = child_entity(parents=lambda *_: [parent(key=(next(NUMBERS),))])
    assert "two calls with one row differ" in refusal(broken)


def test_a_skip_without_a_reason_fails():
    assert "a Skip has no reason" in refusal(entity(Skip(" ")))


def test_a_row_without_a_fate_fails():
    assert "the row would have no fate" in refusal(entity([]))


def test_a_faulty_declaration_fails():
    assert "uid is not a field of Widget" in refusal(entity(record(), key=("uid",)))


@pytest.mark.parametrize("values", [{}, {"widget_uid": None}, {"widget_uid": ""}, {"widget_uid": " A"}])
def test_an_external_id_that_is_not_filled_fails(values):
    assert "external id value widget_uid is" in refusal(entity(record(external_id=values)))


def test_two_records_of_one_row_with_one_external_id_fail():
    assert "two records have one external id" in refusal(entity([record(), record()]))


def test_two_rows_with_one_external_id_fail():
    assert "two records have one external id" in refusal(entity(record()), ROW, row_of(Widget, widget_uid=2))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "widget.x is null"),
        ({"y": [None]}, "widget.x.y is null"),
        ({1: "one"}, "widget.x has the key 1"),
        (float("nan"), "JSON cannot carry"),
        (Decimal("NaN"), "an amount needs one form"),
        (Decimal("40.0"), "an amount needs one form"),
        (Decimal("4E+1"), "an amount needs one form"),
        (b"x", "JSON cannot carry"),
        ({"a"}, "JSON cannot carry"),
        ("\ud800", "JSON cannot carry"),
        (ROW, "JSON cannot carry"),
    ],
)
def test_a_body_that_json_cannot_carry_in_one_form_fails(value, told):
    assert told in refusal(entity(record(body={"x": value})))


def test_a_body_of_every_safe_kind_passes():
    body = {"a": "ü", "b": 1, "c": Decimal("1.5"), "d": True, "e": 0.5, "f": [1, {"g": ""}]}
    assert check_entity(entity(record(body=body)), ROW)


@pytest.mark.parametrize("body", [{}, {"sku": ""}, {"sku": "A", "name": "N", "type": "T", "status": "Active"}])
def test_a_required_member_that_is_not_filled_fails(body):
    assert "filled" in refusal(entity(record(body=body), route=Route(resource="product")))


def test_a_member_filled_by_a_required_parent_counts():
    route = Route(resource="inventory")
    links = parent(member="parent_id"), parent(member="location_id")
    assert check_entity(child_entity(*links, route=route), ROW)


def test_a_member_filled_by_an_optional_parent_does_not_count():
    links = parent(member="parent_id"), parent(member="location_id", required=False)
    assert "inventory needs location_id filled" in refusal(child_entity(*links, route=Route(resource="inventory")))


def test_children_that_the_route_does_not_have_fail():
    assert "children bins are not in the route" in refusal(entity(record(children={"bins": []})))


@pytest.mark.parametrize("ids", [("1", "1"), ("",), (" ",)])
def test_children_without_an_id_of_their_own_fail(ids):
    children = {"parts": [Child(id=id_, body={}) for id_ in ids]}
    assert "ids of parts are empty or repeat" in refusal(entity(record(children=children)))


def test_a_child_that_json_cannot_carry_fails():
    children = {"parts": [Child(id="1", body={"x": None})]}
    assert "part.x is null" in refusal(entity(record(children=children)))


def test_a_child_without_its_required_members_fails():
    children = {"addresses": [Child(id="1", body={"city": "Dayton"})]}
    assert "address needs first_name, last_name, address_1" in refusal(entity(record(children=children)))


def test_a_parent_that_is_not_declared_fails():
    assert "parent gadget is not in parent_entities" in refusal(child_entity(parent(), parent_entities=()))


def test_a_parent_that_does_not_exist_fails():
    assert "parent gadget does not exist" in refusal(child_entity(parent()), known=[entity(record())])


def test_an_optional_parent_that_is_required_fails():
    assert "parent gadget is optional, yet required" in refusal(child_entity(parent(), optional_parents=("gadget",)))


def test_a_parents_key_of_other_parts_fails():
    assert "the key of parent gadget" in refusal(child_entity(parent(key=(7, 8))), known=[GADGET])


def test_a_parent_whose_external_id_is_not_filled_fails():
    broken = child_entity(parent(external_id={"gadget_no": 7}))
    assert "parent gadget: external id value gadget_uid is None" in refusal(broken, known=[GADGET])


def test_a_deleted_row_may_be_skipped():
    assert check_entity(entity(lambda row, _: Skip("deleted") if row.delete_flag == "Y" else record()), ROW)


def test_a_deleted_row_with_another_external_id_fails():
    broken = entity(lambda row, _: record(external_id={"widget_uid": 2 if row.delete_flag == "Y" else 1}))
    assert "a deleted row gives other external ids" in refusal(broken)


def test_a_table_without_deletes_is_not_tried_deleted():
    sound = entity(lambda row, _: record(external_id={"widget_uid": 2 if row.delete_flag == "Y" else 1}))
    assert check_entity(replace(sound, deleted=DeleteConvention.NONE), ROW)


def test_a_related_table_that_is_not_declared_fails():
    asking = entity(lambda row, related: record(body={"n": len(related.rows(PART, row))}), related=())
    assert "part is asked for but not declared" in refusal(asking)


def test_a_related_table_asked_with_the_wrong_row_fails():
    asking = entity(lambda row, related: record(body={"n": len(related.rows(BOLT, row))}))
    assert "bolt belongs to Part" in refusal(asking)


def test_related_rows_come_by_match_and_in_key_order():
    parts = [row_of(Part, part_uid=uid, widget_uid=widget) for uid, widget in ((3, 1), (2, 1), (1, 9), (4, None))]
    found = related_rows({PART: parts}).rows(PART, ROW)
    assert [part.part_uid for part in found] == [2, 3]


def test_related_rows_of_a_related_row_are_found():
    part = row_of(Part, part_uid=3, widget_uid=1)
    bolt = row_of(Bolt, bolt_uid=9, part_uid=3)
    assert related_rows({BOLT: [bolt]}).first(BOLT, part) == bolt


def test_a_related_table_that_is_not_given_is_empty():
    assert related_rows().first(PART, ROW) is None


def test_a_row_is_null_where_nothing_is_given():
    assert (ROW.price, ROW.delete_flag) == (None, None)


def test_a_row_without_a_value_that_p21_always_has_is_refused():
    with pytest.raises(msgspec.ValidationError, match="widget_uid"):
        row_of(Widget)


def test_a_row_with_a_value_p21_cannot_send_is_refused():
    with pytest.raises(msgspec.ValidationError, match="widget_uid"):
        row_of(Widget, widget_uid="one")


def test_a_row_with_a_value_that_is_no_column_is_refused():
    with pytest.raises(TypeError, match="Widget has no field colour"):
        row_of(Widget, widget_uid=1, colour="red")
