from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p21d.cli.keys_file import KeyColumns, UnusableKeys, read_keys
from p21d.keys import key_text

CUSTOMER = KeyColumns(entity="customer", key=["customer_id"])
STOCK = KeyColumns(entity="product_inventory", key=["inv_mast_uid", "location_id"])


def _keys(text, columns=CUSTOMER):
    return list(read_keys(io.StringIO(text), columns))


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("1\n2\n", ["1", "2"]),
        ("1\r\n2\r\n", ["1", "2"]),
        ("\ufeff1\n2", ["1", "2"]),
        ("1\n\n  \n2\n", ["1", "2"]),
        ("# these\n1\n# and\n2\n", ["1", "2"]),
        ("#10-SCREW\n", ["#10-SCREW"]),
        ('"1"\n"2"\n', ["1", "2"]),
        ("1,Acme\n2,Bolt\n", ["1", "2"]),
        ('1/2" BOLT\n3\n', ['1/2" BOLT', "3"]),
        ("customer_id\n1\n", ["1"]),
        ("# note\n\ncustomer_id\n1\n", ["1"]),
        ("Customer_ID\n1\n", ["1"]),
        ("customer_name,customer_id\nAcme,1\n", ["1"]),
        ("customer_name;customer_id\nAcme;1\n", ["1"]),
        ("customer_name\tcustomer_id\nAcme\t1\n", ["1"]),
        ('customer_id,note\n1,"two\nlines"\n2,x\n', ["1", "2"]),
        ("name,key\nAcme,1\n", ["1"]),
        ("old_number,old_name\n1,Acme\n", ["1"]),
        ("customer_id,x\n1,a\n,\n2,b\n", ["1", "2"]),
        ("A|B\n", ["A%7CB"]),
        ("50%OFF\n", ["50%25OFF"]),
        ("A%7CB\n", ["A%7CB"]),
        ("", []),
    ],
)
def test_keys_of_one_column(text, keys):
    assert _keys(text) == keys


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("12|10\n", ["12|10"]),
        ("12,10\n13,10\n", ["12|10", "13|10"]),
        ("12,10,more\n", ["12|10"]),
        ("location_id,inv_mast_uid\n10,12\n", ["12|10"]),
        ("key\n12|10\n", ["12|10"]),
        ("item,key\nBOLT,12|10\n", ["12|10"]),
        ("12, 10\n", ["12|10"]),
    ],
)
def test_keys_of_two_columns(text, keys):
    assert _keys(text, STOCK) == keys


def test_a_header_is_reported_with_the_columns_it_gives():
    met = []
    list(read_keys(io.StringIO("customer_name,customer_id\nAcme,1\n"), CUSTOMER, met_header=met.append))
    assert met[0].key_names == ("customer_id",)


@pytest.mark.parametrize(
    ("text", "columns", "words"),
    [
        ("1\n12\n", STOCK, "line 1"),
        ("12|10\n12|10|9\n", STOCK, "line 2"),
        (",Acme\n", CUSTOMER, "line 1 of the keys has an empty key"),
        ('customer_id,note\n1,"open\n2,x\n', CUSTOMER, "not CSV"),
        ("note,customer_id\nx,1\ny\n", CUSTOMER, "line 3"),
    ],
)
def test_a_line_without_a_key_is_refused_by_its_number(text, columns, words):
    with pytest.raises(UnusableKeys, match=words):
        _keys(text, columns)


def test_a_file_that_is_no_text_is_refused():
    text = io.TextIOWrapper(io.BytesIO("St\u00fcck".encode("latin-1")), "utf-8-sig")
    with pytest.raises(UnusableKeys, match="UTF-8"):
        list(read_keys(text, CUSTOMER))


def test_keys_are_read_one_by_one():
    endless = (f"{number}\n" for number in iter(int, 1))
    assert next(read_keys(endless, CUSTOMER)) == "0"


_cells = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="%|"), min_size=1)


@given(st.lists(st.tuples(_cells, _cells)))
def test_whatever_csv_writes_is_read_back(rows):
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([("inv_mast_uid", "location_id"), *(("x" + one, two) for one, two in rows)])
    assert _keys(text.getvalue(), STOCK) == [key_text(("x" + one, two)) for one, two in rows]
