from __future__ import annotations

PATH = "/api/ui/router/v1"


async def test_the_router_names_the_ui_server(client):
    assert (await client.call("GET", f"{PATH}/?urlType=external")).json == {"Url": f"{client.url}/uiserver0"}


async def test_the_router_without_its_slash_redirects(client):
    answer = await client.call("GET", f"{PATH}?urlType=external")
    assert (answer.status, answer.headers["Location"]) == (307, f"{client.url}{PATH}/?urlType=external")


async def test_the_router_answers_xml_unless_json_is_asked_for(client):
    answer = await client.call("GET", f"{PATH}/?urlType=external", accept=None)
    assert f"<Url>{client.url}/uiserver0</Url>" in answer.text


async def test_the_ui_server_tells_its_version(client):
    assert (await client.call("GET", "/uiserver0/ui/common/v1/serverinfo")).json["Version"].startswith("26.1")


async def test_an_empty_500_comes_without_accept_where_so_set(client, sandbox):
    sandbox.settings.empty_500_without_accept = True
    answer = await client.call("GET", f"{PATH}/", accept=None)
    assert (answer.status, answer.body) == (500, b"")
