from __future__ import annotations

import pytest
from multidict import CIMultiDict

from p21d.errors import Forbidden, PageError, ReadRefused, Unauthorized, Unavailable
from p21d.http import HttpAnswer
from p21d.prophet21.classify import read_error

PAGE = "<!DOCTYPE html><html><body>Not Found: IIS</body></html>"
DENIED = "You are not authorized to access API. Please contact administrator to get access."
TYPES = "A binary operator with incompatible types was detected. Found operand types 'Edm.Decimal' and 'Edm.String'"


def answer(status: int, body: str = "", **headers: str) -> HttpAnswer:
    return HttpAnswer(status, "Reason", CIMultiDict(headers), body.encode())


@pytest.mark.parametrize(
    ("status", "body", "error", "says"),
    [
        (302, "", Unavailable, "https"),
        (307, "", Unavailable, "elsewhere"),
        (400, '{"error":{"code":"400","message":"too complex"}}', ReadRefused, "too complex"),
        (401, DENIED, Forbidden, "Allow OData API Service"),
        (403, DENIED, Forbidden, "Dataservice Permission for oe_hdr"),
        (403, "", Forbidden, "scope"),
        (401, '{"Error":"invalid_request"}', Unauthorized, "invalid_request"),
        (404, "", ReadRefused, "Refresh OData API service"),
        (404, "  ", ReadRefused, "is oe_hdr a table and not a view"),
        (404, "Could not find a property named 'x' on type 'dbo.oe_hdr'", ReadRefused, "no such column"),
        (404, TYPES, ReadRefused, "wrong type"),
        (404, "Failed to convert parameter value from a String to a Decimal.", ReadRefused, "one column with another"),
        (404, "Syntax error at position 17", ReadRefused, "date_literal"),
        (404, "something new", ReadRefused, "something new"),
        (404, PAGE, Unavailable, "api_url"),
        (408, "", Unavailable, "cannot answer now"),
        (413, "", ReadRefused, "413"),
        (414, "", ReadRefused, "not accepted"),
        (429, "", Unavailable, "cannot answer now"),
        (500, "", Unavailable, "cannot answer now"),
        (502, PAGE, Unavailable, "a web page"),
        (503, "", Unavailable, "cannot answer now"),
        (504, "", Unavailable, "cannot answer now"),
        (200, PAGE, PageError, "a web page"),
        (200, "<feed/>", PageError, "XML"),
    ],
)
def test_each_answer_has_one_meaning(status, body, error, says):
    found = read_error(answer(status, body), "oe_hdr")
    assert type(found) is error
    assert says in str(found)


def test_a_good_page_is_no_error():
    assert read_error(answer(200, '{"value":[]}'), "oe_hdr") is None


def test_no_message_holds_a_whole_page_of_markup():
    assert "<" not in str(read_error(answer(503, PAGE), "oe_hdr"))


def test_a_redirect_names_its_target_without_the_query():
    found = read_error(answer(301, Location="https://elsewhere.example/login?from=secret"), "oe_hdr")
    assert "https://elsewhere.example/login" in str(found)
    assert "secret" not in str(found)


@pytest.mark.parametrize("status", [401, 404])
def test_the_table_is_named(status):
    found = read_error(answer(status, DENIED if status == 401 else ""), "oe_hdr")
    assert "oe_hdr" in str(found)
