"""Mapping without code: more columns, other members, a filter, and errors that name the key."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from p21d.config import EntityConfig
from p21d.errors import ConfigError, ReadRefused
from p21d.mapping import Fields, fields_of, with_columns
from p21d.prophet21.page import decode_page
from p21d.prophet21.reading import Reading
from p21d.settings import read_settings
from tests.engine.world import Part, part_entity, part_plan


def mapped(**settings: Any) -> Fields:
    checked = EntityConfig(**settings)
    return fields_of(with_columns(part_entity(), checked), checked)


def row(**values: object) -> Part:
    return Part(part_id=7, **values)


def test_a_member_takes_a_column_a_constant_or_nothing():
    fields = mapped(fields={"title": "name", "kind": {"const": "Part"}, "size": None})
    body = {"title": "from the plug-in", "size": 3, "stays": True}
    assert fields.laid_over(body, row(name="Valve  ")) == {"title": "Valve", "kind": "Part", "stays": True}


def test_a_null_column_leaves_its_member_out():
    assert mapped(fields={"title": "name"}).laid_over({"title": "old"}, row(name=None)) == {}


@pytest.mark.parametrize(("given", "sent"), [(True, True), (0, 0), (1.50, Decimal("1.5")), ("", "")])
def test_a_constant_is_sent_as_it_is(given, sent):
    assert mapped(fields={"x": {"const": given}}).laid_over({}, row()) == {"x": sent}


def test_a_page_decodes_straight_into_the_row_with_its_columns():
    settings = EntityConfig(columns=("class_1id", "weight", "lot_no"))
    reading = Reading.of_entity(with_columns(part_entity(), settings))
    body = b'{"value":[{"part_id":1,"class_1id":"WEB ","weight":2.500,"lot_no":null},{"part_id":"2x"},{"part_id":3}]}'
    decoded = decode_page(reading, body)
    assert [(r.class_1id, r.weight, r.lot_no) for r in decoded.rows] == [("WEB ", Decimal("2.500"), None), (None,) * 3]
    assert isinstance(decoded.rows[0], Part)
    assert len(decoded.undecodable) == 1
    assert {"class_1id", "weight", "lot_no"} <= set(reading.columns.select)


def test_columns_restart_a_window_that_is_open():
    wider = with_columns(part_entity(), EntityConfig(columns=("class_1id",)))
    assert part_plan().signature != part_plan(row=wider.row).signature


REFUSED = [
    ({"columns": ["name"]}, "entities.part.columns[0]"),
    ({"columns": ["class_1id", "class_1id"]}, "entities.part.columns[1]"),
    ({"columns": ["x eq 1"]}, "entities.part.columns[0]"),
    ({"fields": {"title": "nmae"}}, "entities.part.fields.title"),
    ({"fields": {"title": {"value": 1}}}, "entities.part.fields.title"),
    ({"fields": {"title": ["name"]}}, "entities.part.fields.title"),
    ({"fields": {"title": {"const": None}}}, "entities.part.fields.title.const"),
    ({"fields": {"title": {"const": [1]}}}, "entities.part.fields.title.const"),
    ({"fields": {"title": {"const": float("nan")}}}, "entities.part.fields.title.const"),
]


@pytest.mark.parametrize(("settings", "path"), REFUSED)
def test_a_wrong_mapping_is_refused_by_its_key(settings, path):
    with pytest.raises(ConfigError) as refused:
        mapped(**settings)
    assert refused.value.path == path


def test_a_misspelt_column_is_met_with_the_nearest():
    with pytest.raises(ConfigError, match="did you mean name"):
        mapped(fields={"title": "nmae"})


def test_a_member_with_children_is_not_for_a_column(registry):
    company = registry.entities["company"]
    with pytest.raises(ConfigError, match="holds children"):
        fields_of(company, EntityConfig(fields={"addresses": "customer_name"}))


async def test_start_and_check_refuse_a_wrong_mapping(served, tmp_path):
    path = tmp_path / "p21d.yaml"
    path.write_text(served.config(tmp_path).replace("entities:\n", "entities:\n  product: {fields: {name: no_such}}\n"))
    path.chmod(0o600)
    with pytest.raises(ConfigError) as refused:
        read_settings(path)
    assert refused.value.path == "entities.product.fields.name"


async def test_a_mapped_record_reaches_the_hub(make):
    settings = {
        "filter": "location_id eq 10",
        "columns": ["default_branch_id"],
        "fields": {"name": "default_branch_id"},
    }
    engine = make(entities={"location": settings})
    engine.p21.change("location", {"location_id": 10}, default_branch_id="EAST")
    await engine.sweep("location")
    assert [record["name"] for record in engine.hub.records("location")] == ["EAST"]


async def test_what_is_mapped_is_part_of_the_fingerprint(make):
    await make().sweep("location")
    plain = await make().sweep("location")
    changed = {"entities": {"location": {"fields": {"code": {"const": "P21"}}}}}
    other = await make(**changed).sweep("location")
    assert (plain.delivered, other.delivered) == (0, other.read)
    assert (await make(**changed).sweep("location")).delivered == 0


async def test_a_configured_column_that_p21_lacks_names_the_key(make):
    engine = make(entities={"location": {"columns": ["no_such_column"]}})
    with pytest.raises(ReadRefused, match=r"no column no_such_column in location, which entities\.location\.columns"):
        await engine.runner("location").sync_keys([], force=False)


async def test_a_filter_is_applied_by_p21(make):
    engine = make(entities={"location": {"filter": "location_id eq 10"}})
    assert (await engine.sweep("location")).read == 1
    assert all("location_id eq 10" in query.replace("%20", " ") for query in engine.reads_of("location"))


async def test_a_filter_that_p21_does_not_understand_names_the_table(make):
    engine = make(entities={"location": {"filter": "location_id eq 'ten'"}})
    with pytest.raises(ReadRefused, match="location"):
        await engine.runner("location").sync_keys([], force=False)


def test_a_row_keeps_its_fast_decoder():
    wide = with_columns(part_entity(), EntityConfig(columns=("class_1id",))).row
    assert msgspec.json.decode(b'{"part_id":1,"class_1id":"A"}', type=wide).class_1id == "A"
