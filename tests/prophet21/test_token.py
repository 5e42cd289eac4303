from __future__ import annotations

import msgspec
import pytest
from aiohttp import web

from p21d.errors import Unauthorized, Unavailable
from p21d.http import HttpClient
from p21d.prophet21.parallel import each
from p21d.prophet21.server_clock import ServerClock
from p21d.prophet21.token import TokenSource
from p21d.prophet21.token_answer import read_token
from p21d.secret import Secret
from tests.prophet21.conftest import NOON, PASSWORD, config_of

KEY = "5f0e8a4c-7f0b-4a51-9a63-1f4be2a6d1c7"
XML = (
    '<TokenResponse xmlns="http://schemas.example/P21"><a:AccessToken xmlns:a="x">eyJ.a</a:AccessToken>'
    "<TokenType>Bearer</TokenType><ExpiresIn>600</ExpiresIn></TokenResponse>"
)


@pytest.fixture
async def http():
    client = HttpClient("Prophet 21", timeout_seconds=5, ca_file=None, ca_key="prophet21.ca_file", connections=5)
    yield client
    await client.aclose()


@pytest.fixture
def tokens(http, clock, scripted):
    return TokenSource(config_of(scripted.url), http, ServerClock(clock), clock)


def with_key(http, clock, url, **changes):
    return TokenSource(config_of(url, consumer_key=Secret(KEY), **changes), http, ServerClock(clock), clock)


def refuse(_request):
    return web.json_response({"error": "invalid_grant", "error_description": f"not {PASSWORD}"}, status=401)


async def test_the_first_use_signs_in_and_later_ones_do_not(tokens, scripted):
    first = await tokens.current()
    assert await tokens.current() is first
    assert scripted.minted == 1


async def test_a_token_is_renewed_five_minutes_early(tokens, scripted, clock):
    await tokens.current()
    clock.advance(86400 - 301)
    await tokens.current()
    assert scripted.minted == 1
    clock.advance(2)
    await tokens.current()
    assert scripted.minted == 2


async def test_a_failed_early_renewal_leaves_the_old_token_at_work(tokens, scripted, clock):
    first = await tokens.current()
    clock.advance(86400 - 299)
    scripted.mint = lambda _request: web.Response(status=503)
    assert await tokens.current() is first
    clock.advance(300)
    with pytest.raises(Unavailable):
        await tokens.current()


async def test_ten_tasks_meeting_a_dead_token_make_one_call(tokens, scripted):
    dead = await tokens.current()
    fresh = await each(tokens.renew, [dead] * 10)
    assert {token.text for token in fresh} == {"token-2"}
    assert scripted.minted == 2


async def test_ten_tasks_at_the_start_make_one_call(tokens, scripted):
    await each(lambda _: tokens.current(), range(10))
    assert scripted.minted == 1


async def test_a_sign_in_teaches_the_time_of_p21(http, clock, scripted):
    server = ServerClock(clock)
    await TokenSource(config_of(scripted.url), http, server, clock).current()
    assert server.now() == NOON


async def test_a_wrong_password_names_the_keys_and_no_credential(tokens, scripted):
    scripted.mint = refuse
    with pytest.raises(Unauthorized) as raised:
        await tokens.current()
    assert "prophet21.username and prophet21.password" in raised.value.hint
    assert PASSWORD not in str(raised.value)


async def test_a_refused_sign_in_is_not_repeated_before_a_growing_pause(tokens, scripted, clock):
    scripted.mint = refuse
    calls = []
    for _ in range(200):
        with pytest.raises(Unauthorized):
            await tokens.current()
        calls.append(len(scripted.mints))
        clock.advance(30)
    # 100 minutes: at once, after 1, 3, 7, 15, 31 and 63 minutes.
    assert calls[-1] == 7


async def test_the_pause_says_the_same_as_the_refusal(tokens, scripted):
    scripted.mint = refuse
    words = []
    for _ in range(2):
        with pytest.raises(Unauthorized) as raised:
            await tokens.current()
        words.append(str(raised.value))
    assert words[0] == words[1]
    assert len(scripted.mints) == 1


async def test_a_right_password_after_the_pause_is_accepted(tokens, scripted, clock):
    scripted.mint = refuse
    with pytest.raises(Unauthorized):
        await tokens.current()
    scripted.mint = scripted.good_token
    clock.advance(61)
    assert (await tokens.current()).text == "token-1"


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
async def test_a_server_in_trouble_is_no_refusal(tokens, scripted, status):
    scripted.mint = lambda _request: web.Response(status=status)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await tokens.current()
    assert len(scripted.mints) == 2


async def test_an_unknown_consumer_key_is_a_refusal(http, clock, scripted):
    body = {"ErrorType": "P21.Business.Common.TokenException", "InnerException": f"no consumer {KEY}"}
    scripted.mint = lambda _request: web.json_response(body, status=500)
    with pytest.raises(Unauthorized) as raised:
        await with_key(http, clock, scripted.url).current()
    assert "prophet21.consumer_key" in raised.value.hint
    assert KEY not in str(raised.value)


@pytest.mark.parametrize("status", [404, 405])
async def test_without_v2_the_old_call_is_made(tokens, scripted, status):
    def mint(request):
        if request.path.endswith("v2"):
            return web.Response(status=status)
        assert request.headers["username"] == "p21d"
        assert request.headers["password"] == PASSWORD
        return scripted.good_token(request)

    scripted.mint = mint
    assert (await tokens.current()).text == "token-1"


async def test_a_refused_password_is_not_tried_the_old_way_too(tokens, scripted):
    scripted.mint = refuse
    with pytest.raises(Unauthorized):
        await tokens.current()
    assert len(scripted.mints) == 1


async def test_no_token_service_at_all_is_a_wrong_address(tokens, scripted):
    scripted.mint = lambda _request: web.Response(status=404)
    with pytest.raises(Unavailable, match=r"prophet21\.api_url"):
        await tokens.current()


async def test_what_is_sent_with_a_consumer_key(answers, http, clock):
    sent = []

    def record(_url, **options):
        sent.append(msgspec.json.decode(options["data"]))

    answers.post("https://p21.example/api/security/token/v2", payload={"AccessToken": "a"}, callback=record)
    await with_key(http, clock, "https://p21.example/", username="buyer").current()
    assert sent == [{"ClientSecret": KEY, "GrantType": "client_credentials", "username": "buyer"}]


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ('{"AccessToken":"eyJ.a","ExpiresInSeconds":600,"TokenType":"Bearer"}', 600),
        ('{"AccessToken":"eyJ.a","ExpiresIn":600,"AppKey":null}', 600),
        ('{"AccessToken":"eyJ.a","ExpiresIn":"600"}', 600),
        ('{"AccessToken":"eyJ.a"}', 86400),
        ('{"AccessToken":"eyJ.a","ExpiresIn":0}', 86400),
        ('{"AccessToken":"eyJ.a","ExpiresIn":null}', 86400),
        ('{"AccessToken":"eyJ.a","ExpiresIn":9e99}', 10 * 365 * 86400),
        (XML, 600),
    ],
)
async def test_every_known_form_of_a_token_is_read(answers, http, clock, body, seconds):
    answers.post("https://p21.example/api/security/token/v2", body=body)
    token = await TokenSource(config_of("https://p21.example"), http, ServerClock(clock), clock).current()
    assert (token.text, token.expires_at - token.minted_at) == ("eyJ.a", seconds)


@pytest.mark.parametrize(
    "body", ["<html>Welcome</html>", "{}", "[]", '{"access":"s3cret-token"}', "", '{"AccessToken":"a\\nb"}']
)
async def test_an_answer_without_a_token_is_shown_to_nobody(answers, http, clock, body):
    answers.post("https://p21.example/api/security/token/v2", body=body)
    with pytest.raises(Unavailable, match="holds no token") as raised:
        await TokenSource(config_of("https://p21.example"), http, ServerClock(clock), clock).current()
    assert "s3cret" not in str(raised.value)


async def test_a_short_life_is_renewed_halfway(answers, http, clock):
    answers.post("https://p21.example/api/security/token/v2", payload={"AccessToken": "a", "ExpiresIn": 60})
    token = await TokenSource(config_of("https://p21.example"), http, ServerClock(clock), clock).current()
    assert token.renew_at() == token.minted_at + 30


async def test_no_token_shows_itself(tokens):
    assert "token-1" not in repr(await tokens.current())


def test_a_token_answer_is_read_without_a_server():
    from p21d.http import HttpAnswer

    assert read_token(HttpAnswer(200, "OK", {}, b'{"AccessToken":"x"}'), minted_at=0).expires_at == 86400
