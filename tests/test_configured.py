from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Literal

import pytest

from p21d.config import EntityConfig
from p21d.configured import configured, with_options
from p21d.declaration import find_faults
from p21d.engine.plan import Plan
from p21d.errors import ConfigError
from p21d.plugin import Options, Record
from p21d.prophet21.reading import Reading
from tests.engine.world import part_entity


class PartOptions(Options, frozen=True, kw_only=True):
    prefix: str = ""
    grade: Literal["fine", "coarse"] = "fine"
    age: float = 60.0


def part_record(options, row, _related):
    return Record(external_id={"part_id": row.part_id}, body={"name": options.prefix + (row.name or "")})


def rebuild(options):
    if options.prefix == "odd":
        raise ValueError("odd is no prefix")
    if options.prefix == "broken":
        raise KeyError("prefix")
    return replace(PART, records=partial(part_record, options))


PART = part_entity(records=partial(part_record, PartOptions()), options=PartOptions, with_options=rebuild)


def refusal(entity, **options):
    with pytest.raises(ConfigError) as caught:
        with_options(entity, EntityConfig(options=options))
    return caught.value


def body(entity):
    return entity.records(entity.row(part_id=1, name="nut"), None).body


def test_without_options_the_entity_is_as_declared():
    assert with_options(PART, EntityConfig()) is PART


def test_an_option_reaches_the_records():
    assert body(with_options(PART, EntityConfig(options={"prefix": "x-"}))) == {"name": "x-nut"}


def test_an_unknown_option_is_refused_with_its_path_and_the_nearest():
    error = refusal(PART, prefx="x")
    assert (error.path, error.hint) == ("entities.part.options.prefx", "did you mean prefix?")


def test_a_value_that_is_no_choice_is_refused():
    assert refusal(PART, grade="rough").path == "entities.part.options.grade"


def test_a_duration_is_written_as_everywhere():
    seen = []
    entity = replace(PART, with_options=lambda options: seen.append(options.age) or PART)
    with_options(entity, EntityConfig(options={"age": "5m"}))
    assert seen == [300.0]


def test_null_is_the_default():
    assert body(with_options(PART, EntityConfig(options={"prefix": None}))) == {"name": "nut"}


def test_options_of_an_entity_without_any_are_refused():
    assert "has no options" in refusal(part_entity(), prefix="x").message


def test_a_plug_in_refuses_a_value_in_its_own_words():
    assert refusal(PART, prefix="odd").message == "entities.part.options: odd is no prefix"


def test_an_error_inside_the_plug_in_refuses_the_configuration():
    assert refusal(PART, prefix="broken").message == "entities.part.options: KeyError: 'prefix'"


@pytest.mark.parametrize(
    "changes", [{"name": "other"}, {"key": ("name",)}, {"parent_entities": ("part",)}, {"optional_parents": ("part",)}]
)
def test_options_may_not_make_another_entity_of_it(changes):
    entity = replace(PART, with_options=lambda _options: replace(PART, **changes))
    assert next(iter(changes)) in refusal(entity, prefix="x").message


def test_options_that_break_the_declaration_are_refused():
    entity = replace(PART, with_options=lambda _options: replace(PART, external_id="none"))
    assert "is not a template" in refusal(entity, prefix="x").message


def test_what_is_no_entity_at_all_is_refused():
    assert "by its options" in refusal(replace(PART, with_options=lambda _options: None), prefix="x").message


def test_columns_are_added_to_what_the_options_built():
    entity = configured(PART, EntityConfig(options={"prefix": "x-"}, columns=("class_1id",)))
    assert "class_1id" in entity.row.__struct_fields__
    assert body(entity) == {"name": "x-nut"}


def plan(**settings):
    entity_settings = EntityConfig(**settings)
    entity = configured(PART, entity_settings)
    return Plan(entity=entity, settings=entity_settings, reading=Reading.of_entity(entity), plugin="part.py")


def test_changed_options_change_the_mapping_and_not_what_is_read():
    before, after = plan(options={"prefix": "a"}), plan(options={"prefix": "b"})
    assert before.mapping != after.mapping
    assert before.signature == after.signature


class Wanting(Options, frozen=True, kw_only=True):
    must: str


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"with_options": None}, "do not go together"),
        ({"options": None}, "do not go together"),
        ({"options": PartOptions()}, "do not go together"),
        ({"options": dict}, "do not go together"),
        ({"options": Wanting}, "must of its options has no default"),
    ],
)
def test_a_declaration_of_options_that_cannot_work_is_refused(changes, words):
    messages = [message for message, _ in find_faults(replace(PART, **changes))]
    assert any(words in message for message in messages)


def test_a_sound_declaration_of_options_has_no_fault():
    assert list(find_faults(PART)) == []
