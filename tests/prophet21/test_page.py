from __future__ import annotations

import msgspec
import pytest

from p21d.errors import PageError
from p21d.prophet21.page import decode_page
from tests.prophet21.rows import ORDERS, order


def body(*rows, **envelope):
    return msgspec.json.encode({**envelope, "value": list(rows)})


def test_rows_come_with_their_page_keys():
    decoded = decode_page(ORDERS, body(order(1), order(2)))
    assert [row.order_no for row in decoded.rows] == ["1", "2"]
    assert decoded.keys == [(1,), (2,)]


@pytest.mark.parametrize("context", [{}, {"@odata.context": None}, {"@odata.context": [1]}, {"odata.metadata": "x"}])
def test_the_context_does_not_matter(context):
    assert decode_page(ORDERS, body(order(1), **context)).size == 1


@pytest.mark.parametrize(("value", "count"), [(5, 5), ("5", 5), (None, None), ("many", None)])
def test_the_count_is_read_in_any_form(value, count):
    assert decode_page(ORDERS, body(**{"@odata.count": value})).count == count


def test_a_byte_order_mark_does_not_matter():
    assert decode_page(ORDERS, b"\xef\xbb\xbf" + body(order(1))).size == 1


def test_a_whole_number_may_be_printed_as_a_decimal():
    text = body(order(1)).replace(b'"oe_hdr_uid":1', b'"oe_hdr_uid":1.0')
    assert decode_page(ORDERS, text).keys == [(1,)]


def test_one_bad_row_is_named_and_its_page_goes_on():
    decoded = decode_page(ORDERS, body(order(1), order(2, customer_id="none"), order(3)))
    assert [row.oe_hdr_uid for row in decoded.rows] == [1, 3]
    assert [bad.key for bad in decoded.undecodable] == ["2"]
    assert "customer_id" in decoded.undecodable[0].error
    assert msgspec.json.decode(decoded.undecodable[0].raw)["customer_id"] == "none"
    assert decoded.keys == [(1,), (2,), (3,)]


@pytest.mark.parametrize("bad", [None, 5, [], {}, {"order_no": None}])
def test_a_row_without_a_key_is_named_by_a_question_mark(bad):
    decoded = decode_page(ORDERS, body(order(1), bad))
    assert [bad.key for bad in decoded.undecodable] == ["?"]
    assert (decoded.size, decoded.keys) == (2, [(1,)])


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b'{"value":[{"oe_hdr_uid":1', b"{}", b"[]", b"null", b'{"value":null}', b'{"value":{}}', b"\xff"],
)
def test_what_is_no_whole_answer_is_a_broken_page(text):
    with pytest.raises(PageError, match="oe_hdr"):
        decode_page(ORDERS, text)


def test_amounts_stay_exact():
    from p21d.prophet21.reading import Reading
    from tests.prophet21.rows import LINES

    text = b'{"value":[{"oe_line_uid":1,"order_no":"1","line_no":1,"inv_mast_uid":1,"unit_price":0.100000001}]}'
    assert str(decode_page(Reading.of_related(LINES), text).rows[0].unit_price) == "0.100000001"
