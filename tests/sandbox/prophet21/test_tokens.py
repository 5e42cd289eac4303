from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

V2 = "/api/security/token/v2"
V1 = "/api/security/token"
LOGIN = {"username": "p21d", "password": "sandbox-password"}


async def test_a_password_mints_a_bearer_token_with_its_lifetime(stranger):
    body = (await stranger.call("POST", V2, json=LOGIN)).json
    assert (body["TokenType"], body["ExpiresInSeconds"]) == ("Bearer", 86400)
    assert body["AccessToken"].startswith("eyJ")


async def test_the_old_call_takes_the_password_from_headers(stranger):
    for path in (V1, f"{V1}/"):
        assert (await stranger.call("POST", path, headers=LOGIN, data=b"{}")).json["AccessToken"]


async def test_a_consumer_key_mints_a_token_that_ends_in_twenty_years(stranger, sandbox):
    asked = {"ClientSecret": sandbox.credentials.consumer_key, "GrantType": "client_credentials"}
    body = (await stranger.call("POST", V2, json=asked)).json
    assert (body["ExpiresIn"], body["Scope"], body["AppKey"]) == (630720000, "/api", None)
    stranger.token = body["AccessToken"]
    assert (await stranger.table("company", top="1")).status == 200


async def test_an_unknown_consumer_key_is_a_500(stranger):
    answer = await stranger.call("POST", V2, json={"ClientSecret": "no", "GrantType": "client_credentials"})
    assert (answer.status, answer.json["ErrorType"]) == (500, "P21.Business.Common.TokenException")


async def test_a_wrong_password_is_a_401(stranger):
    answer = await stranger.call("POST", V2, json={"username": "p21d", "password": "wrong"})
    assert (answer.status, answer.json["error"]) == (401, "invalid_grant")


@pytest.mark.parametrize("accept", [None, "*/*"])
async def test_a_token_comes_as_xml_unless_json_is_asked_for(stranger, accept):
    answer = await stranger.call("POST", V2, json=LOGIN, accept=accept)
    assert ET.fromstring(answer.text).findtext("TokenType") == "Bearer"


async def test_xml_may_come_although_json_was_asked_for(stranger, sandbox):
    sandbox.settings.always_xml = True
    assert (await stranger.call("POST", V2, json=LOGIN)).text.startswith("<TokenResponse")


async def test_the_xml_may_be_namespaced(stranger, sandbox):
    sandbox.settings.namespaced_xml = True
    root = ET.fromstring((await stranger.call("POST", V2, json=LOGIN, accept=None)).text)
    assert root.findtext("TokenType") is None
    assert root.findtext("{*}TokenType") == "Bearer"


@pytest.mark.parametrize("key", ["ExpiresIn", "ExpiresInSeconds"])
async def test_the_lifetime_has_either_name(stranger, sandbox, key):
    sandbox.settings.lifetime_key = key
    assert key in (await stranger.call("POST", V2, json=LOGIN)).json


async def test_the_lifetime_may_be_missing(stranger, sandbox):
    sandbox.settings.lifetime_key = "none"
    assert not {"ExpiresIn", "ExpiresInSeconds"} & set((await stranger.call("POST", V2, json=LOGIN)).json)


async def test_a_token_opens_nothing_after_its_lifetime(stranger, sandbox):
    sandbox.settings.token_lifetime_seconds = 0
    await stranger.log_in()
    assert (await stranger.table("company", top="1")).status == 401


async def test_a_new_token_leaves_the_older_alive_by_default(client):
    await client.call("POST", V2, json=LOGIN)
    assert (await client.table("company", top="1")).status == 200


async def test_a_new_token_kills_the_older_where_so_set(client, sandbox):
    sandbox.settings.mint_kills_older = True
    await client.call("POST", V2, json=LOGIN)
    assert (await client.table("company", top="1")).status == 401


@pytest.mark.parametrize("header", ["", "bearer {}", "Bearer  {}", "Bearer", "{}", "Basic {}"])
@pytest.mark.parametrize("path", ["/odataservice/odata/table/company", "/api/ui/router/v1/", "/nowhere"])
async def test_every_path_refuses_a_missing_or_malformed_bearer(client, path, header):
    value = header.format(client.token)
    client.token = ""
    answer = await client.call("GET", path, headers={"Authorization": value} if value else {})
    assert (answer.status, answer.json["Error"]) == (401, "invalid_request")


async def test_an_unknown_token_is_a_401(client):
    client.token = "eyJ.unknown"
    assert (await client.table("company", top="1")).status == 401


async def test_the_case_of_a_path_does_not_matter(stranger):
    assert (await stranger.call("POST", "/API/Security/Token/V2", json=LOGIN)).status == 200


async def test_no_secret_is_seen_in_the_credentials_text(sandbox):
    assert "sandbox-password" not in repr(sandbox.credentials)
