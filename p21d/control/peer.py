"""Who is at the other end of the control socket, as the kernel says, and whether they are let in.

The file's mode lets in or keeps out; this check holds when somebody has widened the mode or the folder by mistake.
"""

from __future__ import annotations

import array
import os
import pwd
import socket
import struct
from dataclasses import dataclass
from typing import Protocol

_PEER_GROUPS = 59  # SO_PEERGROUPS of Linux 4.13 and later, not in Python's socket module
_LONGEST_OPTION_BYTES = 1024  # Python's limit for getsockopt: 256 groups
_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid


class Connection(Protocol):
    """The part of a socket asked here; asyncio and uvloop each wrap sockets in a class of their own."""

    def getsockopt(self, level: int, option: int, size: int, /) -> bytes:
        """Return a socket option."""
        ...


@dataclass(frozen=True, slots=True)
class Peer:
    """A process at the other end; `groups` are all groups it was in when it connected."""

    pid: int
    uid: int
    groups: frozenset[int]

    @property
    def name(self) -> str:
        """Return the user's name, or `uid N` for one that this machine does not name."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return f"uid {self.uid}"

    def may_enter(self, socket_group: int | None) -> bool:
        """Return whether it is root, our own user, or in the group of the socket."""
        return self.uid in {0, os.geteuid()} or socket_group in self.groups


def read_peer(connection: Connection) -> Peer:
    """Return who connected; raises OSError where the kernel does not tell."""
    pid, uid, gid = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return Peer(pid, uid, frozenset({gid, *_more_groups(connection)}))


def _more_groups(connection: Connection) -> list[int]:
    try:
        answer = connection.getsockopt(socket.SOL_SOCKET, _PEER_GROUPS, _LONGEST_OPTION_BYTES)
    except OSError:
        return []  # more than 256 groups, or an old kernel: the socket's group must then be the primary one
    return list(array.array("I", answer))
