from __future__ import annotations

import os
import socket
import stat

import pytest

from p21d.control.server import ControlServer
from p21d.errors import AlreadyRunning, ConfigError


def _bind(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    return listener


async def _refused(path, operations, type_):
    with pytest.raises(type_) as caught:
        async with ControlServer(path, operations):
            pass
    return caught.value


async def test_the_socket_is_for_owner_and_group_only(server, socket_path):
    assert stat.S_IMODE(socket_path.stat().st_mode) == 0o660


async def test_the_mask_of_the_process_is_given_back(socket_path, operations):
    before = os.umask(0o022)
    try:
        async with ControlServer(socket_path, operations):
            assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)


async def test_the_file_is_gone_after_the_end(socket_path, operations):
    async with ControlServer(socket_path, operations):
        pass
    assert not socket_path.exists()


async def test_what_a_killed_daemon_left_is_replaced(socket_path, operations):
    _bind(socket_path).close()
    async with ControlServer(socket_path, operations):
        with socket.socket(socket.AF_UNIX) as probe:
            assert probe.connect_ex(str(socket_path)) == 0


async def test_a_second_daemon_is_refused_by_name_of_the_socket(server, socket_path, operations):
    error = await _refused(socket_path, operations, AlreadyRunning)
    assert str(socket_path) in error.message


async def test_a_refused_second_daemon_leaves_the_first_ones_socket(server, socket_path, operations, client):
    await _refused(socket_path, operations, AlreadyRunning)
    assert (await client.status()).pid == 1


async def test_a_plain_file_is_left_alone(socket_path, operations):
    socket_path.write_text("precious")
    error = await _refused(socket_path, operations, ConfigError)
    assert (error.path, socket_path.read_text()) == ("control.socket", "precious")


async def test_a_link_is_left_alone(socket_path, operations, tmp_path):
    socket_path.symlink_to(tmp_path / "elsewhere")
    assert (await _refused(socket_path, operations, ConfigError)).path == "control.socket"


async def test_a_missing_folder_is_named_with_a_hint(tmp_path, operations):
    error = await _refused(tmp_path / "no" / "control.sock", operations, ConfigError)
    assert "mkdir" in error.hint


async def test_a_path_that_linux_cannot_hold_is_refused(tmp_path, operations):
    error = await _refused(tmp_path / ("x" * 108), operations, ConfigError)
    assert error.path == "control.socket"


async def test_a_socket_that_another_daemon_put_there_meanwhile_stays(socket_path, operations):
    async with ControlServer(socket_path, operations):
        socket_path.unlink()
        other = _bind(socket_path)
    other.close()
    assert socket_path.exists()
