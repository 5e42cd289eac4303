"""Answers no sandbox gives, made up one by one."""

from __future__ import annotations

import re

import aiohttp
import pytest

from p21d.errors import RecordFailed, RequestTimeout, Unavailable
from p21d.secret import Secret
from p21d.sinks.ipaas import IpaasOptions, build
from p21d.sinks.port import Acknowledged
from tests.sinks.ipaas.records import product

LOOKUP = re.compile(r"https://hub\.example/products/v2/External/LookupSpecial.*")
CREATE = re.compile(r"https://hub\.example/products/v2/Catalog/Product\?.*")
UPDATE = re.compile(r"https://hub\.example/products/v2/Catalog/Product/1\?.*")


@pytest.fixture
async def sink(clock):
    made = build(IpaasOptions(base_url="https://hub.example", system_id=5120, api_key=Secret("key")), clock)
    yield made
    await made.aclose()


async def deliver_one(sink, delivery):
    answers = []
    await sink.deliver([delivery], answers)
    return answers[0]


@pytest.mark.parametrize(
    "body",
    ["[]", "true", '"OK"', "12", "not json", '{"message": "busy"}', '{"id": "2", "sku": "ABC"}', '{"id": ', "\x00"],
)
async def test_rubbish_with_200_is_never_a_success(sink, answers, body):
    answers.answer("PUT", UPDATE, body=body)

    answer = await deliver_one(sink, product(hub_id="1"))

    assert isinstance(answer, RecordFailed)
    assert answer.code == "odd-answer"


async def test_a_page_with_200_is_an_outage(sink, answers):
    answers.answer("PUT", UPDATE, body="<html>sign in</html>", content_type="text/html")

    with pytest.raises(Unavailable):
        await deliver_one(sink, product(hub_id="1"))


@pytest.mark.parametrize("body", ["", "null", "{}", '{"id": 1}', '{"sku": "ABC", "external_ids": null}'])
async def test_an_empty_or_thin_answer_to_a_put_is_a_success(sink, answers, body):
    answers.answer("PUT", UPDATE, body=body)

    assert isinstance(await deliver_one(sink, product(hub_id="1")), Acknowledged)


@pytest.mark.parametrize("body", ["what?", '{"a": 1}', "[1, 2]", "-1", "1.5", "a b"])
async def test_rubbish_from_the_link_table_creates_nothing(sink, answers, body):
    answers.answer("POST", LOOKUP, body=body)

    assert isinstance(await deliver_one(sink, product()), RecordFailed)
    assert len(answers.requests) == 1


async def test_a_create_that_nobody_confirms_is_not_acknowledged(sink, answers):
    answers.answer("POST", LOOKUP, status=404)
    answers.answer("POST", CREATE, status=202)
    answers.answer("POST", LOOKUP, status=404)

    answer = await deliver_one(sink, product())

    assert answer.code == "not-confirmed"


async def test_a_timeout_of_one_call_is_that_records_failure(sink, answers):
    answers.answer("PUT", UPDATE, exception=TimeoutError())

    answer = await deliver_one(sink, product(hub_id="1"))

    assert isinstance(answer, RecordFailed)
    assert answer.code == "timeout"


async def test_a_timeout_of_a_probe_is_told_to_the_engine(sink, answers):
    answers.answer("POST", LOOKUP, exception=TimeoutError())

    with pytest.raises(RequestTimeout):
        await sink.probe(product().route)


async def test_a_reset_connection_is_an_outage(sink, answers):
    answers.answer("PUT", UPDATE, exception=aiohttp.ServerDisconnectedError())

    with pytest.raises(Unavailable):
        await deliver_one(sink, product(hub_id="1"))


async def test_a_link_that_points_nowhere_is_told_not_doubled(sink, answers):
    gone = '{"code": "NFND-1001", "message": "no such product"}'
    answers.answer("PUT", UPDATE, status=404, body=gone)
    answers.answer("POST", LOOKUP, body='"1"')
    answers.answer("GET", UPDATE, status=404, body=gone)

    answer = await deliver_one(sink, product(hub_id="1"))

    assert answer.code == "link-dangling"


async def test_no_header_or_credential_appears_in_an_error(sink, answers):
    answers.answer("PUT", UPDATE, status=400, body="no")

    answer = await deliver_one(sink, product(hub_id="1"))

    assert "Bearer" not in repr(answer) + str(answer)
