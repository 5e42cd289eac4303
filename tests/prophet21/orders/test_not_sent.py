from __future__ import annotations

import pytest
from aiohttp import web

from p21d.errors import NotSent, Unavailable
from p21d.http import HttpClient
from p21d.prophet21.session import Session


async def test_a_post_to_a_closed_port_raises_that_nothing_was_sent():
    client = HttpClient("Prophet 21", timeout_seconds=5, ca_file=None, ca_key="prophet21.ca_file", connections=1)
    with pytest.raises(NotSent):
        await client.request("POST", "http://127.0.0.1:9/", body=b"{}")
    with pytest.raises(NotSent):
        await client.request("POST", "http://no-such-host.invalid/", body=b"{}")
    await client.aclose()


async def test_a_post_that_is_cut_off_is_not_called_unsent(scripted):
    def cut(request):
        request.transport.close()
        return web.Response()

    scripted.read = cut
    client = HttpClient("Prophet 21", timeout_seconds=5, ca_file=None, ca_key="prophet21.ca_file", connections=1)
    with pytest.raises(Unavailable) as raised:
        await client.request("POST", scripted.url, body=b"{}")
    assert not isinstance(raised.value, NotSent)
    assert len(scripted.reads) == 1
    await client.aclose()


def test_a_session_has_no_other_way_to_write():
    assert [name for name in vars(Session) if not name.startswith("_")] == ["get", "peek", "ask", "post"]
