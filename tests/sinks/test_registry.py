from __future__ import annotations

import pytest

from p21d.errors import ConfigError
from p21d.sinks.jsonl import JsonlSink
from p21d.sinks.registry import build_sink
from p21d.sinks.webhook import WebhookSink
from p21d.testing import FakeClock


async def test_the_type_chooses_the_sink():
    assert isinstance(
        build_sink({"type": "jsonl", "directory": "/tmp", "max_bytes": "1MB"}, FakeClock(), {}), JsonlSink
    )
    assert isinstance(build_sink({"type": "webhook", "url": "http://127.0.0.1/"}, FakeClock(), {}), WebhookSink)


async def test_the_hub_is_built_from_its_own_options():
    block = {"type": "ipaas", "base_url": "https://api.ipaas.com", "api_key": "k", "system_id": 7, "timeout": "90s"}
    sink = build_sink(block, FakeClock(), {})
    assert sink.has_ids
    await sink.aclose()


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"type": "json"}, "sink.type: no such type of sink (did you mean jsonl?)"),
        ({}, "sink.type: no such type of sink (known: ipaas, jsonl, webhook)"),
        ({"type": "jsonl"}, "sink.directory: is required"),
        ({"type": "jsonl", "director": "/"}, "sink.director: unknown key (did you mean directory?)"),
        ({"type": "webhook", "url": "http://h", "timeout": 5}, "sink.timeout: expected a duration such as 30s, 5m"),
        ({"type": "webhook", "url": "http://h", "headers": {"A": 1}}, "sink.headers.A: expected text (write it in"),
    ],
)
async def test_a_wrong_block_is_refused_with_its_path(block, message):
    with pytest.raises(ConfigError) as raised:
        build_sink(block, FakeClock(), {})
    assert str(raised.value).startswith(message)
