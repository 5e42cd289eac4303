"""What holds for every built-in entity."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import msgspec
import pytest

from p21d.registry import builtin_dir, load_entities
from p21d.sandbox.prophet21 import schema

ENTITIES = load_entities().entities
FILES = sorted(builtin_dir().glob("*.py"))
SECRET_OR_PRIVATE = re.compile(r"credit_card_|ups_olt_|home_|birthday")


def tables():
    for entity in ENTITIES.values():
        yield entity.table, entity.row
        for related in entity.related:
            yield related.table.removeprefix("p21_view_"), related.row


@pytest.mark.parametrize(("table", "row"), list(tables()))
def test_every_column_exists_in_p21(table, row):
    columns = Path(schema.__file__).with_name("columns.txt").read_text().partition(f"\n{table}\n")[2]
    known = re.findall(r"(\w+):[SDITB](?!\*)", re.split(r"\n\w", columns)[0])
    assert set(row.__struct_fields__) <= set(known)


@pytest.mark.parametrize(("table", "row"), list(tables()))
def test_no_secret_or_private_column_is_read(table, row):
    assert not [field for field in row.__struct_fields__ if SECRET_OR_PRIVATE.match(field)]


@pytest.mark.parametrize("entity", list(ENTITIES.values()), ids=lambda entity: entity.name)
def test_pages_decode_into_the_row(entity):
    assert msgspec.json.decode(b"[]", type=list[entity.row]) == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_plug_in_imports_the_plug_in_module_and_the_standard_library_only(file):
    imported = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ImportFrom | ast.Import)]
    modules = {getattr(node, "module", None) or node.names[0].name for node in imported}
    assert {module for module in modules if module.split(".")[0] not in sys.stdlib_module_names} <= {"p21d.plugin"}


@pytest.mark.parametrize("name", sorted(ENTITIES))
def test_a_plug_in_is_a_short_file_of_the_common_shape(name):
    source = (builtin_dir() / f"{name}.py").read_text()
    assert 40 <= len(source.splitlines()) <= 250
    marks = ["(Row, frozen=True)", "def records(", "ENTITY = Entity(", "def p21d_entities()"]
    assert sorted(marks, key=source.index) == marks


def test_each_file_declares_the_entity_of_its_name():
    assert sorted(ENTITIES) == [file.stem for file in FILES if "p21d_entities" in file.read_text()]
