"""The reference: one per hub order, never shortened, and rendered so that P21 gives it back unchanged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p21d.engine.orders.reference import check_reference, length_of, reference_of, referred_in, render_reference
from p21d.errors import ConfigError, RecordRefused

TEMPLATE = "{buyer_po} {ref}"
IDS = st.from_regex(r"[1-9][0-9]{0,17}|[0-9a-f]{24}", fullmatch=True) | st.uuids().map(str)
FIELDS = st.sampled_from(["po_no", "job_name", "udf_hub"])
TEMPLATES = st.sampled_from(["{buyer_po} {ref}", "{ref}/{buyer_po}", "{ref}", "{buyer_po}-{ref}", "{ref}-{buyer_po}"])


def rendered(hub_id: str, po: str, field: str = "po_no", template: str = TEMPLATE) -> str:
    return render_reference(template, field, hub_id=hub_id, buyer_po=po)


@given(IDS, st.text(max_size=80), FIELDS, TEMPLATES)
def test_the_whole_reference_stands_in_a_text_that_fits(hub_id, po, field, template):
    try:
        text = rendered(hub_id, po, field, template)
    except RecordRefused:
        assert len(reference_of(hub_id)) + len(template) - len("{ref}") > length_of(field) - len("{buyer_po}")
        return
    assert reference_of(hub_id) in text
    assert len(text) <= length_of(field)
    assert text == text.strip()
    assert text.isascii()
    assert text.isprintable()
    assert "  " not in text


@given(IDS, IDS, st.text(max_size=30))
def test_two_hub_orders_of_one_buyer_po_have_two_texts(one, other, po):
    assert (rendered(one, po) == rendered(other, po)) == (one == other)


@given(IDS, st.from_regex(r"[0-9A-Za-z ]{0,12}", fullmatch=True), TEMPLATES)
def test_the_hub_order_is_read_back_from_the_text(hub_id, po, template):
    assert hub_id in referred_in(rendered(hub_id, po, template=template))


def test_no_longer_id_is_taken_for_a_shorter_one():
    assert "14" not in referred_in("PO 1 HUB-149")


def test_the_buyer_s_po_is_shortened_and_not_the_reference():
    text = rendered("149049", "a very long purchase order number of a buyer who writes much")
    assert text.endswith(" HUB-149049")
    assert text.startswith("a very long purchase order number of a")


def test_it_is_the_same_however_the_hub_spaces_the_po():
    assert rendered("1", " PO\t 7 \n") == rendered("1", "PO 7") == "PO 7 HUB-1"


def test_letters_that_p21_may_not_keep_are_written_without_their_marks():
    assert rendered("1", "M\u00fcller \u2013 7 \U0001f600") == "Muller 7 HUB-1"


def test_a_buyer_s_braces_are_no_template():
    assert rendered("1", "{ref} {0}") == "{ref} {0} HUB-1"


@pytest.mark.parametrize("template", ["{buyer_po}", "{ref} {ref}", "{ref} {other}", "{ref", "{ref:>9}", "{}"])
def test_a_template_without_one_whole_reference_is_refused(template):
    with pytest.raises(ConfigError):
        check_reference(template, "po_no")


def test_a_template_that_leaves_no_room_for_the_longest_reference_is_refused():
    check_reference("{buyer_po} {ref}", "job_name")
    with pytest.raises(ConfigError, match="no room"):
        check_reference("{buyer_po} web: {ref}", "job_name")
