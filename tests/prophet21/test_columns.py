from __future__ import annotations

from decimal import Decimal

import pytest

from p21d.errors import ConfigError
from p21d.plugin import P21Time, Row
from p21d.prophet21.columns import Kind, columns_of


class Sample(Row, frozen=True, rename={"class_": "class"}):
    number: int
    amount: Decimal | None
    text: str | None
    stamp: P21Time | None
    flag: bool
    either: int | str | None
    class_: str


COLUMNS = columns_of(Sample)


def test_the_select_has_the_names_of_p21():
    assert COLUMNS.select == ("number", "amount", "text", "stamp", "flag", "either", "class")


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("number", "204410", "204410"),
        ("number", 204410, "204410"),
        ("number", Decimal("10.00"), "10"),
        ("amount", "1.50", "1.50"),
        ("text", "204410", "'204410'"),
        ("text", 204410, "'204410'"),
        ("stamp", "2026-11-02T10:00:00-05:00", "2026-11-02T10:00:00-05:00"),
        ("flag", "true", "true"),
        ("either", 12, "12"),
        ("either", "12", "'12'"),
        ("class", "A", "'A'"),
        ("not_in_the_row", "01", "'01'"),
    ],
)
def test_the_declared_type_says_how_a_value_is_written(column, value, text):
    assert COLUMNS.literal(column, value) == text


@pytest.mark.parametrize("value", ["abc", "", "NaN", "Infinity"])
def test_what_is_no_number_cannot_be_asked_for(value):
    with pytest.raises(ValueError, match="not a number"):
        COLUMNS.literal("number", value)


@pytest.mark.parametrize(("one", "other"), [("0012", 12), ("12.0", Decimal(12))])
def test_numbers_compare_whatever_their_form(one, other):
    assert COLUMNS.normal("number", one) == COLUMNS.normal("number", other)


def test_texts_compare_without_padding_and_case():
    assert COLUMNS.normal("text", "  Valve-20 ") == COLUMNS.normal("text", "VALVE-20")


def test_a_row_without_a_needed_column_is_a_fault_of_configuration():
    with pytest.raises(ConfigError, match="Sample has no field for the column oe_hdr_uid"):
        COLUMNS.need(["oe_hdr_uid"], table="oe_hdr")


@pytest.mark.parametrize(("column", "kind"), [("class", Kind.TEXT), ("stamp", Kind.TIME), ("either", Kind.OPEN)])
def test_a_column_has_a_kind(column, kind):
    assert COLUMNS.kind(column) is kind
