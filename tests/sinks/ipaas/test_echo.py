from __future__ import annotations

from decimal import Decimal

import pytest

from p21d.sinks.ipaas.bodies import same
from p21d.sinks.ipaas.echo import match_children


def item(hub_id, street, *external_ids, system_id=5120):
    links = [{"system_id": system_id, "external_id": external_id} for external_id in external_ids]
    return {"id": hub_id, "address_1": street, "external_ids": links}


def matched(sent, items, known=()):
    found = match_children(
        {key: {"address_1": street} for key, street in sent.items()}, items, dict(known), 5120, by_position=True
    )
    return {external_id: of["id"] for external_id, of in found.items()}


def test_our_external_id_comes_before_position_and_content():
    assert matched({"a": "1 Main St", "b": "2 Oak St"}, [item(1, "1 Main St", "b"), item(2, "2 Oak St", "a")]) == {
        "a": 2,
        "b": 1,
    }


def test_a_known_id_comes_before_content():
    assert matched({"a": "1 Main St"}, [item(1, "1 Main St"), item(2, "9 New St")], {"a": "2"}) == {"a": 2}


def test_content_tells_children_without_links():
    assert matched({"a": "1 Main St", "b": "2 Oak St"}, [item(2, "2 oak st "), item(1, "1 Main St"), item(3, "x")]) == {
        "a": 1,
        "b": 2,
    }


def test_equal_children_are_told_by_position():
    assert matched({"a": "1 Main St", "b": "1 Main St"}, [item(1, "1 Main St"), item(2, "1 Main St")]) == {
        "a": 1,
        "b": 2,
    }


def test_an_item_with_another_key_of_ours_is_never_taken():
    assert matched({"a": "1 Main St"}, [item(1, "1 Main St", "z")]) == {}


def test_an_item_linked_by_another_system_only_may_be_ours():
    assert matched({"a": "1 Main St"}, [item(1, "1 Main St", "z", system_id=7)]) == {"a": 1}


def test_children_that_cannot_be_told_are_left_out():
    assert matched({"a": "1 Main St"}, [item(1, "x"), item(2, "y")]) == {}


def lines(*numbers, shipped=0, **members):
    return [{"id": 10 + n, "sequence_number": n, "type": "Product", "qty_shipped": shipped, **members} for n in numbers]


def placed(sent, items):
    named = {f"line {line['sequence_number']}": line for line in sent}
    found = match_children(named, items, {}, 5120, by_position=False)
    return {external_id: of["id"] for external_id, of in found.items()}


def test_a_line_that_lost_its_link_and_has_changed_since_is_told_by_its_number():
    assert placed(lines(1, 2, shipped=4), lines(2, 1)) == {"line 1": 11, "line 2": 12}


def test_a_line_that_any_system_has_linked_is_not_told_by_its_number():
    linked = [{"system_id": 7, "external_id": "x"}]
    assert placed(lines(1, shipped=4), lines(1, external_ids=linked)) == {}


def test_two_lines_of_one_number_are_not_told_by_it():
    assert placed(lines(1, shipped=4), [*lines(1), *lines(1)]) == {}


def test_a_unit_that_lost_its_link_and_has_changed_since_is_told_by_its_name():
    sent = [{"name": "EA", "conversion": 2}, {"name": "CS", "conversion": 12}]
    shown = [{"id": 11, "name": "cs", "conversion": 24}, {"id": 12, "name": "EA", "conversion": 1}]
    found = match_children({unit["name"]: unit for unit in sent}, shown, {}, 5120, by_position=False)
    assert {name: of["id"] for name, of in found.items()} == {"EA": 12, "CS": 11}


def test_a_child_without_type_and_name_has_no_place():
    assert matched({"a": "1 Main St", "b": "2 Oak St"}, [item(1, "x")]) == {}


@pytest.mark.parametrize(
    ("sent", "found", "alike"),
    [
        (17, "17", True),
        (Decimal("12.50"), 12.5, True),
        (100, "100", True),
        ("Ann@Acme.example ", "ann@acme.example", True),
        ("", None, False),
        (True, 1, False),
        ("007", 7, False),
    ],
)
def test_values_are_compared_by_meaning(sent, found, alike):
    assert same(sent, found) is alike
