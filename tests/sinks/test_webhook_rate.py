from __future__ import annotations

import anyio
import pytest

from p21d.errors import ConfigError
from p21d.sinks.webhook import WebhookOptions, WebhookSink
from p21d.testing import FakeClock
from tests.sinks.test_webhook import batch_of, receiver  # noqa: F401  # a fixture


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def test_calls_to_the_receiver_keep_the_rate(receiver, clock):  # noqa: F811
    sink = WebhookSink(WebhookOptions(url=receiver.url, rate="2/10s"), clock)
    async with anyio.create_task_group() as tasks:
        for number in range(3):
            tasks.start_soon(sink.deliver, batch_of(number), [])
        with anyio.fail_after(5):
            await clock.until_sleeping()
            while len(receiver.batches) < 2:  # noqa: ASYNC110  # the receiver tells nobody
                await anyio.sleep(0.005)
        before = len(receiver.batches)
        clock.advance(11)
    await sink.aclose()
    assert (before, len(receiver.batches)) == (2, 3)


def test_a_rate_of_another_form_is_refused(clock):
    with pytest.raises(ConfigError, match="500/60s"):
        WebhookSink(WebhookOptions(url="http://127.0.0.1/", rate="fast"), clock)
