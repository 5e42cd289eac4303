"""Certificates and addresses: nothing is sent to a side that cannot prove its name, and the way out is named."""

from __future__ import annotations

import ast
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from p21d.errors import ConfigError, NotSent
from p21d.http import HttpClient
from p21d.sandbox.hub import HubSandbox
from tests.faults.comparison import assert_in_step
from tests.faults.world import World, world

CERTIFICATES = Path(__file__).parent / "certificates"
"""Of the tests' own keys, for localhost and 127.0.0.1 but for one; their names say what is odd about them."""
PACKAGE = Path(__file__).parent.parent.parent / "p21d"


def certificate(name: str) -> str:
    return str(CERTIFICATES / f"{name}.pem")


def server_context(name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(name), CERTIFICATES / f"{name}.key.pem")
    return context


async def refused(name: str, ca_file: str | None, ca_key: str = "sink.ca_file") -> NotSent:
    """Call a server with this certificate and return why the call failed; the server has met no request."""
    hub = HubSandbox()
    client = HttpClient("hub", timeout_seconds=5, ca_file=ca_file, ca_key=ca_key, connections=1)
    async with hub.serve(tls=server_context(name)) as url:
        with pytest.raises(NotSent) as raised:
            await client.request("POST", f"{url}/sso/login", body=b"a password")
    await client.aclose()
    assert hub.requests == []
    hub.close()
    return raised.value


@pytest.mark.parametrize("ca_key", ["prophet21.ca_file", "sink.ca_file"])
async def test_a_self_signed_certificate_is_refused_with_the_key_to_set(ca_key):
    error = await refused("self-signed", None, ca_key)
    assert re.fullmatch(
        r"hub cannot be reached: the certificate of 127\.0\.0\.1:\d+ is not trusted: self-signed certificate",
        error.message,
    )
    assert error.hint.endswith(f"or its own if it is self-signed, into a file named by {ca_key}")


@pytest.mark.parametrize(
    ("name", "words", "hint"),
    [
        ("other-name", "is for another name: IP address mismatch", "the address in the block sink with the name"),
        ("expired", "has expired", "must be renewed on that side"),
        ("early", "is not valid yet", "check the time of this machine"),
    ],
)
async def test_a_certificate_that_is_trusted_and_wrong_is_refused_for_what_is_wrong(name, words, hint):
    error = await refused(name, certificate(name))
    assert words in error.message
    assert hint in error.hint


async def test_a_certificate_of_another_authority_than_the_file_s_is_refused():
    error = await refused("self-signed", certificate("other-name"))
    assert "is not trusted" in error.message


async def test_a_side_without_tls_behind_https_is_told_so():
    hub = HubSandbox()
    client = HttpClient("hub", timeout_seconds=5, ca_file=None, ca_key="sink.ca_file", connections=1)
    async with hub.serve() as url:
        with pytest.raises(NotSent, match="no TLS with 127") as raised:
            await client.request("GET", url.replace("http:", "https:"))
    await client.aclose()
    hub.close()
    assert "check https and the port" in raised.value.hint


@pytest.mark.parametrize("host", ["nowhere.invalid", "nowhere..invalid", f"{'a' * 70}.example"])
async def test_a_name_that_does_not_resolve_is_told_and_nothing_was_sent(host):
    client = HttpClient("hub", timeout_seconds=5, ca_file=None, ca_key="sink.ca_file", connections=1)
    with pytest.raises(NotSent) as raised:
        await client.request("GET", f"http://{host}/")
    await client.aclose()
    assert "check the host in the address in the block sink" in raised.value.hint


def test_there_is_no_way_to_turn_the_verification_off():
    names = {"CERT_NONE", "CERT_OPTIONAL", "_create_unverified_context", "check_hostname", "verify_mode", "Fingerprint"}
    texts = {path: path.read_text() for path in PACKAGE.rglob("*.py")}
    speaking = {path: text for path, text in texts.items() if "ssl" in text}
    assert {path: found for path, text in speaking.items() if (found := words_against(text, names))} == {}


def test_the_search_finds_a_verification_that_is_turned_off():
    assert words_against("connector = TCPConnector(ssl=False)", set())
    assert words_against("context.verify_mode = ssl.CERT_NONE", {"CERT_NONE"})


def words_against(text: str, names: set[str]) -> list[str]:
    """Return what turns the verification off: one of these names, or `ssl=False`."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute | ast.Name):
            found += [name for name in names if name == getattr(node, "attr", getattr(node, "id", ""))]
        if isinstance(node, ast.keyword) and node.arg in {"ssl", "verify_ssl"}:
            found += ["off"] if isinstance(node.value, ast.Constant) and node.value.value is False else []
    return found


@asynccontextmanager
async def https(here: World) -> AsyncIterator[None]:
    """Serve both sides over TLS beside the plain ones, and write those addresses into the configuration."""
    tls = server_context("self-signed")
    async with here.p21.serve(tls=tls) as p21_url, here.hub.serve(tls=tls) as hub_url:
        here.daemon.write(prophet21={"api_url": p21_url}, sink={"base_url": hub_url})
        yield


async def trust(here: World, block: str) -> None:
    """Name the certificate in a block, let the daemon reload, and let held entities ask again."""
    here.daemon.write(**{block: {"ca_file": certificate("self-signed")}})
    reloaded = await here.daemon.command("reload")
    assert reloaded.returncode == 0, reloaded.stderr
    await here.daemon.resume_all()


async def test_a_daemon_waits_for_the_authority_of_each_side_and_then_works(tmp_path):
    async with world(tmp_path, "location", rows=10) as here, https(here):
        await here.daemon.start()
        await here.daemon.until_held("location", "is not trusted: self-signed certificate", "prophet21.ca_file")
        assert list(here.p21.requests) == []

        await trust(here, "prophet21")
        await here.daemon.until_held("location", "is not trusted: self-signed certificate", "sink.ca_file")
        status = await here.daemon.status()
        assert here.hub.requests == []
        assert (status.prophet21.state, status.sink.state) == ("answers", "held")

        await trust(here, "sink")
        await here.daemon.until_in_step()
        assert_in_step(here.p21, here.hub, "location")
        assert (await here.daemon.entity("location")).dead_letters == 0


@pytest.mark.parametrize(("block", "content"), [("prophet21", b"\x00certificate\xff"), ("sink", None)])
async def test_a_file_of_authorities_that_cannot_be_read_refuses_the_start(block, content, tmp_path):
    path = tmp_path / "authority.pem"
    if content is not None:
        path.write_bytes(content)
    async with world(tmp_path, "location", rows=1, **{block: {"ca_file": str(path)}}) as here:
        ended = await here.daemon.command("run")
    assert ended.returncode == 78, ended.stderr
    assert f"{block}.ca_file: no certificates can be read from {path}" in ended.stderr


@pytest.mark.parametrize("content", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nMIIB\n"])
def test_whatever_is_no_certificate_is_refused_with_its_key(content, tmp_path):
    path = tmp_path / "authority.pem"
    path.write_bytes(content)
    for unreadable in (path, tmp_path):
        with pytest.raises(ConfigError, match=r"sink\.ca_file: no certificates can be read"):
            HttpClient("hub", timeout_seconds=1, ca_file=str(unreadable), ca_key="sink.ca_file", connections=1)


def test_a_file_of_authorities_may_hold_several(tmp_path):
    both = tmp_path / "both.pem"
    both.write_text(Path(certificate("self-signed")).read_text() + Path(certificate("early")).read_text())
    HttpClient("hub", timeout_seconds=1, ca_file=str(both), ca_key="sink.ca_file", connections=1)


async def test_a_daemon_says_which_name_does_not_resolve(monkeypatch, tmp_path):
    monkeypatch.setenv("RES_OPTIONS", "timeout:1 attempts:1")
    async with world(tmp_path, "location", rows=10) as here:
        here.daemon.write(prophet21={"api_url": "http://nowhere.invalid:1"})
        await here.daemon.start()
        held = await here.daemon.until_held("location", "nowhere.invalid does not resolve", "in the block prophet21")
        assert held.dead_letters == 0
