from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import anyio
import anyio.lowlevel
import pytest

from p21d.cli.bulk import Bulk, sync_keys
from p21d.cli.bulk_progress import Lines, Pace
from p21d.control.answers import SyncAnswer
from p21d.engine.fate import Tally
from p21d.errors import StoreFull


def _requests(daemon):
    return [asked[1] for asked in daemon.asked if asked[0] == "sync"]


def test_keys_on_the_command_line_are_asked_for(p21d, daemon):
    ended = p21d("sync", "customer", "1", "2", "--force")
    request = _requests(daemon)[0]
    assert (ended.code, request.keys, request.force, request.wait) == (0, ["1", "2"], True, False)


def test_a_sync_without_keys_is_the_whole_look_back(p21d, daemon):
    p21d("sync", "customer")
    request = _requests(daemon)[0]
    assert (request.keys, request.since, request.days) == ([], None, None)


def test_since_is_an_instant(p21d, daemon):
    p21d("sync", "customer", "--since", "2026-12-01T10:00:00-05:00")
    assert _requests(daemon)[0].since == datetime(2026, 12, 1, 15, tzinfo=UTC)


def test_a_since_that_is_no_time_is_wrong_usage(p21d, daemon):
    assert p21d("sync", "customer", "--since", "yesterday").code == 64


def test_keys_and_days_together_are_wrong_usage(p21d, daemon):
    assert p21d("sync", "customer", "1", "--days", "2").code == 64


def test_waiting_prints_what_became_of_the_keys(p21d, daemon):
    ended = p21d("sync", "customer", "1", "2", "--wait")
    assert ended.out.startswith("customer: completed, 2 read: 2 delivered, in ")


@pytest.mark.parametrize(
    ("fate", "code"), [("unchanged", 0), ("skipped", 0), ("waiting", 0), ("dead_lettered", 1), ("unfinished", 1)]
)
def test_the_exit_code_says_whether_all_have_a_good_end(p21d, daemon, fate, code):
    daemon.fates = {"1": fate}
    assert p21d("sync", "customer", "1", "--wait").code == code


def test_a_key_that_p21_does_not_have_exits_1_and_is_named(p21d, daemon):
    daemon.not_in_p21 = {"2"}
    ended = p21d("sync", "customer", "1", "2", "--wait")
    assert (ended.code, ended.err) == (1, "P21 does not have: 2\n")


@pytest.fixture
def keys_file(tmp_path):
    path = tmp_path / "keys.csv"
    path.write_text("customer_name,customer_id\n" + "".join(f"Acme {key},{key}\n" for key in range(1200)))
    return path


def test_a_file_goes_in_chunks_of_500_and_is_summed(p21d, daemon, keys_file):
    ended = p21d("sync", "customer", "--keys-from", str(keys_file))
    assert (ended.code, ended.out) == (0, "1,200 keys: 1200 read: 1200 delivered\n")
    assert sorted(len(request.keys) for request in _requests(daemon)) == [200, 500, 500]


def test_every_chunk_waits_for_its_fates(p21d, daemon, keys_file):
    p21d("sync", "customer", "--keys-from", str(keys_file))
    assert all(request.wait for request in _requests(daemon))


def test_a_header_is_announced(p21d, daemon, keys_file):
    assert "keys from: customer_id" in p21d("sync", "customer", "--keys-from", str(keys_file)).err


def test_missing_keys_are_counted_and_the_first_20_listed(p21d, daemon, keys_file):
    daemon.not_in_p21 = {str(key) for key in range(150)}
    ended = p21d("sync", "customer", "--keys-from", str(keys_file))
    assert (ended.code, "150 of them: 0, 1, 2" in ended.err, "19 and 130 more" in ended.err) == (1, True, True)


def test_a_bad_line_is_refused_before_anything_is_sent(p21d, daemon, keys_file):
    keys_file.write_text(keys_file.read_text() + "Acme,\n")
    ended = p21d("sync", "customer", "--keys-from", str(keys_file))
    assert (ended.code, _requests(daemon)) == (65, [])


def test_two_columns_make_one_key(p21d, daemon, tmp_path):
    path = tmp_path / "stock.csv"
    path.write_text("location_id,inv_mast_uid\n10,12\n")
    p21d("sync", "product_inventory", "--keys-from", str(path))
    assert _requests(daemon)[0].keys == ["12|10"]


def test_stdin_is_read_to_its_end(p21d, daemon, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbf1\r\n2\r\n")))
    ended = p21d("sync", "customer", "--keys-from", "-", "--json")
    assert (ended.code, json.loads(ended.out)["tally"]["delivered"]) == (0, 2)


def test_a_file_that_is_not_there_is_wrong_usage(p21d, daemon, tmp_path):
    assert p21d("sync", "customer", "--keys-from", str(tmp_path / "none")).code == 64


class _TryLaterAfter:
    """Syncs `good` chunks, then says try later."""

    def __init__(self, good):
        self.good = good

    async def __call__(self, request):
        if self.good == 0:
            raise StoreFull("the store is full")
        self.good -= 1
        return SyncAnswer(entity="customer", status="completed", tally=Tally(read=len(request.keys)))


class _InPairs:
    """Ends a chunk only when another is under way beside it; counts how many are under way together."""

    def __init__(self):
        self.under_way, self.most, self._pair = 0, 0, anyio.Event()

    async def __call__(self, request):
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        if self.under_way == 2:
            self._pair.set()
        with anyio.fail_after(5):
            await self._pair.wait()
        await anyio.lowlevel.checkpoint()
        self.under_way -= 1
        return SyncAnswer(entity="customer", status="completed")


async def _bulk(sync, keys):
    bulk = Bulk()
    await sync_keys(bulk, iter(keys), sync, entity="customer", force=False, progressed=lambda: None)
    return bulk


async def test_two_chunks_are_under_way_and_never_more():
    sync = _InPairs()
    await _bulk(sync, map(str, range(5000)))
    assert sync.most == 2


async def test_a_failed_chunk_stops_the_reading():
    keys = iter(map(str, range(1_000_000)))
    bulk = await _bulk(_TryLaterAfter(2), keys)
    assert (bulk.keys, bulk.error.exit_code, int(next(keys)) < 5000) == (1000, 75, True)


def test_try_later_exits_75_and_says_how_far_it_came(p21d, daemon, keys_file):
    daemon.sync_error = StoreFull("the store is full", hint="free some disk")
    ended = p21d("sync", "customer", "--keys-from", str(keys_file))
    assert (ended.code, "stopped after 0 of 1,200 keys" in ended.err, "unchanged" in ended.err) == (75, True, True)


@pytest.fixture
def _ctrl_c_heard():
    """A shell starts what runs in its background with SIGINT ignored, and a child would inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_ctrl_c_heard")
@pytest.mark.parametrize("keys", [100, 500], ids=["in the first chunk", "between two chunks"])
def test_ctrl_c_says_how_far_it_came_while_the_pipe_is_open(keys, daemon, tmp_path):
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "p21d", "sync", "customer", "--keys-from", "-"]
    with subprocess.Popen(command, stdin=reader, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        os.close(reader)
        os.write(writer, b"customer_id\n" + b"1\n" * keys)
        line = process.stderr.readline()
        while keys == 500 and not _requests(daemon):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        try:
            _out, err = process.communicate(timeout=30)
        finally:
            os.close(writer)  # not before: at the end of the keys the command is done, and no signal stops it
    assert "header" in line
    assert (process.returncode, "run the same command again" in err) == (130, True)


class _Clock:
    seconds = 0.0

    def monotonic(self):
        return self.seconds


def test_pace_tells_rate_and_time_left():
    clock = _Clock()
    pace = Pace(40_000, clock)
    clock.seconds = 5.0
    assert pace.text(1500) == "1,500 of 40,000 keys, 300 a second, 2m left"


def test_pace_without_a_total_tells_no_time_left():
    clock = _Clock()
    pace = Pace(None, clock)
    clock.seconds = 5.0
    assert pace.text(1500) == "1,500 keys, 300 a second"


def test_lines_are_said_every_few_seconds_only(capsys):
    clock = _Clock()
    lines = Lines(1000, clock)
    for done in range(100):
        clock.seconds += 0.1
        lines.update(done)
    assert len(capsys.readouterr().err.splitlines()) in {1, 2}
