from __future__ import annotations

from urllib.parse import unquote

import pytest

from p21d.errors import ConfigError
from p21d.plugin import Related, Trigger
from p21d.prophet21.odata import MAX_URL_CHARS, encoded_length
from p21d.prophet21.reading import Reading
from tests.prophet21.rows import CONTACTS, ENTITY, ITEMS, LINES, ORDERS, Item


def test_an_entity_is_read_with_all_its_filters():
    reading = Reading.of_entity(ENTITY, ["01", "02"], "location_id eq 10 or location_id eq 11")
    assert reading.filter == (
        "(rma_flag eq 'N') and (location_id eq 10 or location_id eq 11) and (company_id eq '01' or company_id eq '02')"
    )


def test_without_companies_all_are_read():
    assert Reading.of_entity(ENTITY).filter == "rma_flag eq 'N'"


def test_an_entity_pages_by_its_own_column():
    reading = Reading.of_entity(ENTITY)
    assert (reading.key, reading.page_by) == (("order_no",), ("oe_hdr_uid",))


def test_a_page_is_asked_for_by_condition_and_key():
    assert unquote(ORDERS.url(ORDERS.since("2026-11-02T10:00:00.000-05:00"), top=1000, after_key=(7,))) == (
        "/odataservice/odata/table/oe_hdr?$select=oe_hdr_uid,order_no,customer_id,po_no,date_last_modified"
        "&$filter=(date_last_modified ge 2026-11-02T10:00:00.000-05:00) and (oe_hdr_uid gt 7)"
        "&$orderby=oe_hdr_uid&$top=1000"
    )


def test_a_text_key_is_quoted():
    assert "id gt 'O''B'" in unquote(CONTACTS.url(top=3, after_key=("O'B",)))


def test_without_low_there_is_no_time_condition():
    assert ORDERS.since(None) == ""
    assert CONTACTS.since("2026-11-02") == ""


def test_a_row_without_the_key_is_refused():
    with pytest.raises(ConfigError, match="Item has no field for the column line_no of oe_line"):
        Reading.of_related(Related(table="oe_line", row=Item, key=("line_no",), match={}))


def test_a_row_without_the_match_is_refused():
    with pytest.raises(ConfigError, match="order_no"):
        Reading.of_related(Related(table="inv_mast", row=Item, key=("item_id",), match={"order_no": "order_no"}))


def test_a_related_table_has_no_time_condition():
    assert Reading.of_related(LINES).modified == ""


@pytest.mark.parametrize("reading", [ORDERS, CONTACTS, Reading.of_entity(ENTITY, ["01"])])
def test_a_chain_that_fills_its_room_fits_with_its_second_page(reading):
    chain = "x" * reading.room(1000)
    assert len(reading.url(chain, top=1000, after_key=("9" * 38,))) <= MAX_URL_CHARS
    assert encoded_length(chain) > 1000


def test_a_trigger_is_read_by_its_key_and_its_way_up():
    hop = Related(table="oe_line", row=ITEMS.row, key=("inv_mast_uid",), match={"inv_mast_uid": "item_uid"})
    reading = Reading.of_trigger(Trigger(table="inv_mast", key=("inv_mast_uid",), hops=(hop,)), ENTITY)
    assert reading.columns.select == ("inv_mast_uid", "item_uid", "date_last_modified")
    assert "inv_mast_uid gt 5" in unquote(reading.url(top=1, after_key=(5,)))
