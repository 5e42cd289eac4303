from __future__ import annotations

import errno
import json
import os
import resource
import signal

import anyio
import pytest

from p21d.errors import ConfigError, PermissionRefused, Unavailable
from p21d.plugin import Route
from p21d.sinks.jsonl import JsonlOptions, JsonlSink
from p21d.sinks.jsonl_file import append
from p21d.sinks.port import Acknowledged, Delivery
from p21d.testing import FakeClock

ROUTE = Route(resource="customer")


def delivery(number, entity="customer", **changes):
    body = {"number": number}
    return Delivery(entity=entity, key=str(number), external_id=str(number), route=ROUTE, body=body, **changes)


def sink_in(folder, max_bytes=0):
    return JsonlSink(JsonlOptions(directory=folder, max_bytes=max_bytes), FakeClock())


def numbers(file):
    return [json.loads(line)["record"]["number"] for line in file.read_text().splitlines()]


async def deliver(sink, *batch):
    answers = []
    await sink.deliver(batch, answers)
    return answers


async def test_each_record_is_one_line_of_its_entitys_file(tmp_path):
    await deliver(sink_in(tmp_path), delivery(1), delivery(2), delivery(3, entity="product"))
    assert numbers(tmp_path / "customer.jsonl") == [1, 2]
    assert numbers(tmp_path / "product.jsonl") == [3]


async def test_each_record_is_acknowledged_without_an_id(tmp_path):
    assert await deliver(sink_in(tmp_path), delivery(1), delivery(2)) == [Acknowledged(), Acknowledged()]


async def test_a_line_has_the_four_members(tmp_path):
    await deliver(sink_in(tmp_path), delivery(1))
    assert list(json.loads((tmp_path / "customer.jsonl").read_text())) == ["entity", "key", "external_id", "record"]


async def test_an_inactive_record_says_so(tmp_path):
    await deliver(sink_in(tmp_path), delivery(1, active=False))
    assert json.loads((tmp_path / "customer.jsonl").read_text())["active"] is False


async def test_batches_at_once_leave_whole_lines(tmp_path):
    sink = sink_in(tmp_path)
    async with anyio.create_task_group() as group:
        for start in range(0, 500, 50):
            group.start_soon(deliver, sink, *(delivery(start + number) for number in range(50)))
    assert sorted(numbers(tmp_path / "customer.jsonl")) == list(range(500))


@pytest.mark.parametrize("torn", ['{"entity":"cus', '{"a":' + "x" * 200_000])
async def test_a_line_torn_by_a_crash_is_cut_off(tmp_path, torn):
    file = tmp_path / "customer.jsonl"
    await deliver(sink_in(tmp_path), delivery(1))
    with file.open("a") as broken:
        broken.write(torn)
    await deliver(sink_in(tmp_path), delivery(2))
    assert numbers(file) == [1, 2]


async def test_a_file_of_nothing_but_a_torn_line_begins_anew(tmp_path):
    (tmp_path / "customer.jsonl").write_text('{"entity":')
    await deliver(sink_in(tmp_path), delivery(2))
    assert numbers(tmp_path / "customer.jsonl") == [2]


async def test_a_full_file_is_put_aside_and_none_is_deleted(tmp_path):
    sink = sink_in(tmp_path, max_bytes=1)
    for number in range(12):
        await deliver(sink, delivery(number))
    kept = [numbers(tmp_path / f"customer.jsonl.{index}") for index in range(1, 12)]
    assert [*kept, numbers(tmp_path / "customer.jsonl")] == [[number] for number in range(12)]


async def test_a_file_moved_away_is_begun_anew(tmp_path):
    sink = sink_in(tmp_path)
    await deliver(sink, delivery(1))
    (tmp_path / "customer.jsonl").rename(tmp_path / "taken.jsonl")
    await deliver(sink, delivery(2))
    assert numbers(tmp_path / "customer.jsonl") == [2]


def test_a_write_cut_short_leaves_no_part_of_a_line(tmp_path):
    file = tmp_path / "customer.jsonl"
    append(file, b"whole\n", 0)
    with pytest.raises(OSError, match=os.strerror(errno.EFBIG)), file_size_limit(1024):
        append(file, b"x" * 2048 + b"\n", 0)
    assert file.read_bytes() == b"whole\n"


async def test_a_disk_without_room_is_an_outage_with_a_hint(tmp_path):
    (tmp_path / "customer.jsonl").symlink_to("/dev/full")
    with pytest.raises(Unavailable, match="free some disk"):
        await deliver(sink_in(tmp_path), delivery(1))


async def test_the_folder_is_made_at_the_first_write(tmp_path):
    await deliver(sink_in(tmp_path / "records"), delivery(1))
    assert len((tmp_path / "records" / "customer.jsonl").read_bytes().splitlines()) == 1


async def test_a_disk_that_went_away_is_an_outage(tmp_path):
    sink = sink_in(tmp_path / "unmounted" / "records")
    with pytest.raises(Unavailable, match="cannot be written"):
        await deliver(sink, delivery(1))
    assert (sink.statistics().calls, sink.statistics().failures) == (1, 1)


async def test_check_makes_the_folder(tmp_path):
    await sink_in(tmp_path / "records").check()
    assert (tmp_path / "records").is_dir()


async def test_check_leaves_nothing_behind(tmp_path):
    await sink_in(tmp_path).check()
    assert list(tmp_path.iterdir()) == []


async def test_check_refuses_a_folder_in_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match=r"sink\.directory"):
        await sink_in(tmp_path / "a" / "b").check()


async def test_check_refuses_a_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="not a folder"):
        await sink_in(tmp_path / "file").check()


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
async def test_check_refuses_a_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionRefused):
        await sink_in(tmp_path).check()


async def test_nothing_is_found_in_files(tmp_path):
    assert await sink_in(tmp_path).find(ROUTE, "1") is None


class file_size_limit:  # noqa: N801  # reads as a statement
    """Makes the kernel refuse to write past a size, as a full disk does."""

    def __init__(self, size_bytes):
        self._size_bytes = size_bytes

    def __enter__(self):
        self._signal = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        self._limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self._size_bytes, self._limits[1]))

    def __exit__(self, *_):
        resource.setrlimit(resource.RLIMIT_FSIZE, self._limits)
        signal.signal(signal.SIGXFSZ, self._signal)
