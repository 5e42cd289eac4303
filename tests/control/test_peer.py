from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from p21d.control.peer import Peer, read_peer

ASK = """
import os, socket, sys
path, uid, group = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
os.setgroups([group] if group else []); os.setgid(uid); os.setuid(uid)
s = socket.socket(socket.AF_UNIX); s.connect(path)
s.sendall(b"GET /v1/status HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
print(s.recv(100).split()[1].decode())
"""
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="changes its user")


def test_a_peer_is_who_the_kernel_says():
    ours, _theirs = socket.socketpair()
    peer = read_peer(ours)
    assert (peer.pid, peer.uid) == (os.getpid(), os.getuid())
    ours.close()
    _theirs.close()


def test_root_may_enter():
    assert Peer(1, 0, frozenset()).may_enter(None)


def test_our_own_user_may_enter():
    assert Peer(1, os.geteuid(), frozenset()).may_enter(None)


def test_a_member_of_the_sockets_group_may_enter():
    assert Peer(1, 65533, frozenset({7})).may_enter(7)


def test_anybody_else_may_not_enter():
    assert not Peer(1, 65533, frozenset({8})).may_enter(7)


def test_nobody_enters_by_group_when_the_socket_has_none():
    assert not Peer(1, 65533, frozenset({8})).may_enter(None)


async def _status_as(server_path, uid, group):
    import anyio

    command = [sys.executable, "-c", ASK, str(server_path), str(uid), str(group)]
    done = await anyio.run_process(command, stderr=subprocess.STDOUT)
    return done.stdout.decode().strip()


@pytest.fixture
def open_path(server, socket_path, tmp_path_factory):
    """The socket, widened by mistake, and its folders open, so that only the check keeps somebody out."""
    base = tmp_path_factory.getbasetemp()
    folders = [socket_path.parent, base, base.parent, base.parent.parent]  # with parallel workers one level more
    modes = [folder.stat().st_mode for folder in folders]
    for folder in folders:
        folder.chmod(0o755)
    socket_path.chmod(0o666)
    os.chown(socket_path, 0, 4242)
    yield socket_path
    for folder, mode in zip(folders, modes, strict=True):
        folder.chmod(mode)


@root_only
async def test_a_stranger_is_kept_out_even_when_the_mode_is_too_wide(open_path):
    assert await _status_as(open_path, 65533, 0) == "403"


@root_only
async def test_a_stranger_in_the_sockets_group_is_let_in(open_path):
    assert await _status_as(open_path, 65533, 4242) == "200"
