"""The contract, run over every row of the sandbox's distributor."""

from __future__ import annotations

import json
from collections import Counter

import msgspec
import pytest

from p21d.plugin import Skip
from p21d.registry import load_entities
from p21d.sandbox.prophet21 import P21Sandbox
from p21d.testing import check_entity, related_rows

COMPANY = "01"  # the bare customer id of the hub's own integration is not unique over several companies
ENTITIES = load_entities().entities
KNOWN_REASONS = {
    "no e-mail",
    "no first or last name",
    "item deleted",
    "quote",
    "no tracking number",
    "cancelled",
}


@pytest.fixture(scope="module")
def distributor():
    with P21Sandbox(rows=120, seed=5) as sandbox:
        yield sandbox


def rows_of(sandbox, table, row):
    found = sandbox.database.rows(table.removeprefix("p21_view_"))
    found = [values for values in found if values.get("company_id") in (None, COMPANY)]
    read = [{name: values.get(name) for name in row.__struct_fields__} for values in found]
    return msgspec.json.decode(json.dumps(read), type=list[row])


def related_of(sandbox, entity):
    return {related: rows_of(sandbox, related.table, related.row) for related in entity.related}


@pytest.mark.parametrize("name", list(ENTITIES))
def test_every_row_of_a_distributor_passes_the_contract(distributor, name):
    entity = ENTITIES[name]
    rows = rows_of(distributor, entity.table, entity.row)
    assert check_entity(entity, *rows, related=related_of(distributor, entity), known=list(ENTITIES.values()))


@pytest.mark.parametrize("name", list(ENTITIES))
def test_rows_are_skipped_for_known_reasons_only(distributor, name):
    entity = ENTITIES[name]
    related = related_rows(related_of(distributor, entity))
    answers = [entity.records(row, related) for row in rows_of(distributor, entity.table, entity.row)]
    reasons = Counter(answer.reason for answer in answers if isinstance(answer, Skip))
    assert reasons.keys() <= KNOWN_REASONS
    assert reasons.total() < len(answers) / 2
