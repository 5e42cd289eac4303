from __future__ import annotations

from datetime import timedelta

import pytest
from aiohttp import web

from p21d.errors import Unauthorized, Unavailable
from p21d.secret import Secret
from tests.prophet21.conftest import NOON, PASSWORD, connected
from tests.prophet21.rows import ORDERS


async def test_now_is_p21s_own_and_costs_one_sign_in(source, scripted):
    scripted.date = NOON - timedelta(minutes=5)
    assert await source.now() == NOON - timedelta(minutes=5)
    await source.now()
    assert (scripted.minted, len(scripted.reads)) == (1, 0)


async def test_skew_is_shown(source, scripted):
    scripted.date = NOON + timedelta(minutes=5)
    await source.check()
    assert source.statistics().skew_seconds == 300


async def test_low_follows_p21s_now_under_skew(source, scripted):
    scripted.date = NOON + timedelta(minutes=5)
    assert source.low_literal(await source.now()) == "2026-11-02T07:05:00.000-05:00"


async def test_check_refuses_a_wrong_password(sandbox, clock):
    async with sandbox.serve() as url, connected(url, clock, password=Secret("wrong")) as source:
        with pytest.raises(Unauthorized) as raised:
            await source.check()
    assert "prophet21.password" in str(raised.value)
    assert "wrong" not in str(raised.value)


async def test_check_accepts_a_consumer_key(sandbox, clock):
    key = Secret(sandbox.credentials.consumer_key)
    async with sandbox.serve() as url, connected(url, clock, password=None, username="", consumer_key=key) as source:
        await source.check()
    assert sandbox.tokens.minted == 1


async def test_check_tells_an_outage(clock):
    async with connected("http://127.0.0.1:9", clock) as source:
        with pytest.raises(Unavailable):
            await source.check()


async def test_without_a_date_the_time_is_not_guessed(answers, clock):
    answers.post("https://p21.example/api/security/token/v2", payload={"AccessToken": "a"})
    async with connected("https://p21.example", clock) as source:
        with pytest.raises(Unavailable, match="no Date header"):
            await source.now()


async def test_a_token_that_dies_between_pages_is_replaced(sandbox, clock):
    async with sandbox.serve() as url, connected(url, clock, page_rows=4) as source:
        met = 0
        async for page in source.pages(ORDERS):
            met += len(page.rows)
            sandbox.tokens.kill_all()
    assert met == sandbox.database.count("oe_hdr")


async def test_statistics_tell_the_state_of_the_connection(source, scripted, clock):
    assert source.statistics().token_expires_in_seconds is None
    scripted.read = lambda _request: web.json_response({"value": []})
    _ = [page async for page in source.pages(ORDERS)]
    clock.advance(100)
    statistics = source.statistics()
    assert statistics.requests == 1
    assert statistics.failures == 0
    assert statistics.token_age_seconds == 100
    assert statistics.token_expires_in_seconds == 86300
    assert statistics.last_answer_at == NOON
    assert statistics.zone == "America/New_York"


async def test_nothing_shows_a_credential(source):
    await source.check()
    shown = repr(source.statistics()) + repr(vars(source))
    assert PASSWORD not in shown
    assert "token-1" not in shown
