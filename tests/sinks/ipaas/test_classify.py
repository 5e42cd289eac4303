from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from p21d.errors import Forbidden, ParentMissing, RecordFailed, RecordRefused, Unauthorized, Unavailable
from p21d.http import HttpAnswer
from p21d.secret import Secret
from p21d.sinks.ipaas.classify import Classifier
from p21d.sinks.ipaas.options import IpaasOptions
from p21d.sinks.ipaas.table import LINES
from p21d.sinks.ipaas.verdicts import BareNotFound, CallUnknown, Duplicate, InactiveTwin, RecordNotFound, Subject

NOW = datetime(2026, 7, 20, 14, tzinfo=UTC)
OPTIONS = IpaasOptions(base_url="https://hub.example", system_id=5120, api_key=Secret("key"))
PAGE = "<!DOCTYPE html><html><body>Bad gateway</body></html>"


def classified(status: int, body: str = "", reason: str = "", **headers: str):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = HttpAnswer(status, reason, named, body.encode())
    return Classifier(OPTIONS).error(answer, Subject(LINES["product"], "Create", "POST product"), NOW)


def forms(code: str) -> list[tuple[str, str]]:
    """Return (body, reason phrase) of one code in every place where the hub may put it."""
    nested = msgspec.json.encode({"errors": [{"info": {"anything": code}}], "title": "Bad"}).decode()
    return [
        (f'{{"code": "{code}", "message": "words"}}', "Bad Request"),
        (f'{{"type": "https://support.example/{code}", "detail": "words [{code}]"}}', ""),
        (nested, ""),
        (f"words [{code}]", ""),
        ("", f"words [{code}]"),
    ]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("AUTH-1001", Unauthorized),
        ("AUTH-1004", Unauthorized),
        ("AUTZ-1002", Forbidden),
        ("VALD-1002", RecordRefused),
        ("VALD-1017", Unauthorized),
        ("VALD-1038", ParentMissing),
        ("BIZL-1001", RecordRefused),
        ("BIZL-1003", Duplicate),
        ("BIZL-1004", Duplicate),
        ("BIZL-1007", Duplicate),
        ("BIZL-1009", InactiveTwin),
        ("NFND-1005", RecordNotFound),
        ("INTL-1002", RecordFailed),
    ],
)
def test_the_code_decides_wherever_it_stands(code, error):
    assert {type(classified(400, body, reason)) for body, reason in forms(code)} == {error}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, Unavailable),
        (401, Unauthorized),
        (402, Forbidden),
        (403, Forbidden),
        (404, BareNotFound),
        (405, CallUnknown),
        (408, RecordFailed),
        (410, BareNotFound),
        (429, Unavailable),
        (500, RecordFailed),
        (502, Unavailable),
        (503, Unavailable),
        (504, Unavailable),
    ],
)
def test_the_status_decides_where_there_is_no_code(status, error):
    assert type(classified(status)) is error


@pytest.mark.parametrize("status", [400, 409, 415, 422])
def test_a_refusal_needs_words_of_the_hub(status):
    assert type(classified(status, "Sku is too long")) is RecordRefused
    assert type(classified(status, reason="Sku is too long")) is RecordRefused
    assert type(classified(status, reason="Bad Request")) is RecordFailed


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_success_is_no_error_even_when_its_data_look_like_a_code(status):
    assert classified(status, '{"id": "1", "sku": "VALD-1001"}') is None


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("Customer Number must be unique, taken by item (ID: 30188)", Duplicate),
        ("Inventory for location 17 already exists (Id: 55010), use PUT", Duplicate),
        ("An inactive product has this Sku, reactivate it", InactiveTwin),
        ("Location 17 does not exist, it must be created first", ParentMissing),
        ("Sku is too long", RecordRefused),
    ],
)
def test_the_words_decide_where_nothing_else_does(words, error):
    assert type(classified(400, reason=words)) is error


@pytest.mark.parametrize(
    ("words", "holder_id"),
    [
        ("must be unique, taken by item (ID: 30188)", "30188"),
        ("already exists (Id: 55010), use PUT", "55010"),
        ("must be unique, Id = 7", "7"),
        ("must be unique (Id: 5f0c2a4e000000000000abcd)", "5f0c2a4e000000000000abcd"),
        ("must be unique", ""),
        ("must be unique, paid: 17", ""),
    ],
)
def test_the_holder_is_read_from_the_words(words, holder_id):
    assert classified(400, reason=words).holder_id == holder_id


@pytest.mark.parametrize("status", [200, 403, 404, 502, 503])
@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "text/plain"])
def test_a_proxys_page_is_an_outage_whatever_its_status(status, content_type):
    assert type(classified(status, PAGE, Content_Type=content_type)) is Unavailable


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({}, 60), ({"Retry_After": "17"}, 17), ({"Retry_After": "Mon, 20 Jul 2026 14:00:30 GMT"}, 30)],
)
def test_a_429_waits_as_long_as_the_hub_asks_or_a_minute(headers, seconds):
    assert classified(429, **headers).retry_after_seconds == seconds


def test_an_unknown_link_table_names_the_setting():
    error = classified(404, '{"code": "NFND-1003", "message": "Table \'product\' does not exist"}')

    assert type(error) is RecordRefused
    assert "sink.tables.product" in error.hint


def test_odd_bytes_in_the_reason_phrase_become_clean_text():
    message = str(classified(400, reason="S\udce3o Paulo \udcff"))

    assert message.encode()


def test_a_long_refusal_is_cut():
    assert len(str(classified(400, "words " * 10_000))) < 600
