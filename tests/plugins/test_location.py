from __future__ import annotations

from p21d.plugin import Skip
from p21d.testing import check_entity, related_rows, row_of
from plugins.location import ENTITY, Location


def location(**values):
    return row_of(Location, **{"location_id": 10, "company_id": "01", "location_name": "Dayton"} | values)


def test_a_location_has_its_name():
    [record] = check_entity(ENTITY, location())
    assert record.body == {"name": "Dayton"}


def test_a_location_is_known_by_its_id():
    [record] = check_entity(ENTITY, location())
    assert record.external_id["location_id"] == 10


def test_blank_padding_is_cut_off():
    [record] = check_entity(ENTITY, location(location_name="Dayton   ", company_id="01 "))
    assert (record.body["name"], record.external_id["company_id"]) == ("Dayton", "01")


def test_a_name_in_any_script_passes():
    [record] = check_entity(ENTITY, location(location_name="Zürich 倉庫"))
    assert record.body == {"name": "Zürich 倉庫"}


def test_a_location_without_a_name_is_skipped():
    assert ENTITY.records(location(location_name="  "), related_rows()) == Skip("no location name")


def test_a_location_with_a_null_name_is_skipped():
    assert ENTITY.records(location(location_name=None), related_rows()) == Skip("no location name")


def test_a_location_without_a_company_is_sent():
    [record] = check_entity(ENTITY, location(company_id=None))
    assert record.external_id == {"location_id": 10, "company_id": ""}
