"""The sink that appends each record as one line of `ENTITY.jsonl`, for trying p21d out and for files as a hand-over.

A batch is one write and one sync per entity, in a worker thread; it is acknowledged when it is on the disk. A disk
that cannot be written is an outage, never an error of the record.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

import anyio
import anyio.to_thread
from msgspec import Struct

from p21d.clock import Clock
from p21d.errors import ConfigError, PermissionRefused, Unavailable
from p21d.plugin import Route
from p21d.sinks.document import document, encode, table_of
from p21d.sinks.jsonl_file import append
from p21d.sinks.port import Acknowledged, Answer, Delivery, SinkStatistics
from p21d.sizes import Size

SYSTEM = "jsonl"


class JsonlOptions(Struct, frozen=True, kw_only=True):
    """The keys of `sink` under `type: jsonl`."""

    directory: Path
    max_bytes: Size = 100_000_000


class JsonlSink:
    """Writes files; it has no ids of its own."""

    has_ids = False
    whole_pages = True
    inbox = None

    def __init__(self, options: JsonlOptions, clock: Clock) -> None:
        """Open nothing yet."""
        self._options = options
        self._clock = clock
        self._locks: dict[str, anyio.Lock] = {}
        self._calls = 0
        self._failures = 0
        self._last_answer_at = ""

    def identity(self) -> str:
        """Return the folder."""
        return f"jsonl {self._options.directory.absolute()}"

    def link_table(self, route: Route, member: str = "") -> str:
        """Return a name for the links of this route's records; the sink itself keeps none."""
        return table_of(route, member)

    async def deliver(self, batch: Sequence[Delivery], answers: list[Answer]) -> None:
        """Append the batch and acknowledge it; raises Unavailable where the disk refuses."""
        for entity, run in groupby(batch, key=lambda delivery: delivery.entity):
            deliveries = list(run)
            lines = b"".join(encode(document(delivery)) + b"\n" for delivery in deliveries)
            async with self._locks.setdefault(entity, anyio.Lock()):
                await self._append(entity, lines)
            answers.extend([Acknowledged()] * len(deliveries))

    async def find(
        self,
        route: Route,  # noqa: ARG002  # the port's signature
        external_id: str,  # noqa: ARG002
        *,
        of_type: bool = False,  # noqa: ARG002
    ) -> str | None:
        """Return None: files are not asked."""
        return None

    async def probe(self, route: Route) -> None:  # noqa: ARG002  # every route writes to the same folder
        """Return if a file can be written; raise Unavailable if not."""
        await self._counted(self._try_write)

    async def check(self) -> None:
        """Make the folder and write to it once; raise ConfigError or PermissionRefused where that cannot be."""
        await anyio.to_thread.run_sync(self._make_folder)
        await self.probe(Route(resource=""))

    async def aclose(self) -> None:
        """Return at once: no file is open between batches."""

    def statistics(self) -> SinkStatistics:
        """Return the folder and the counts of writes."""
        return SinkStatistics(
            target=str(self._options.directory),
            calls=self._calls,
            failures=self._failures,
            last_answer_at=self._last_answer_at,
        )

    async def _append(self, entity: str, lines: bytes) -> None:
        await self._counted(lambda: self._write(self._options.directory / f"{entity}.jsonl", lines))

    def _write(self, file: Path, lines: bytes) -> None:
        try:
            append(file, lines, self._options.max_bytes)
        except FileNotFoundError:  # the folder is made at the first write, and again when somebody cleared it away
            self._options.directory.mkdir(mode=0o750)
            append(file, lines, self._options.max_bytes)

    async def _counted(self, work: Callable[[], None]) -> None:
        self._calls += 1
        try:
            # not abandoned on cancel: a write under way is finished and the file stays whole
            await anyio.to_thread.run_sync(work)
        except OSError as error:
            self._failures += 1
            raise self._unavailable(error) from error
        self._last_answer_at = self._clock.now().isoformat()

    def _try_write(self) -> None:
        with tempfile.TemporaryFile(dir=self._options.directory) as probe:
            probe.write(b"\n")
            probe.flush()
            os.fsync(probe.fileno())

    def _make_folder(self) -> None:
        folder = self._options.directory
        hint = f"user {os.geteuid()} must be able to write there; under systemd only StateDirectory is writable"
        try:
            folder.mkdir(mode=0o750, exist_ok=True)
        except FileNotFoundError as error:
            raise ConfigError(f"{folder.parent} does not exist", path="sink.directory", hint="make it") from error
        except (FileExistsError, NotADirectoryError) as error:
            raise ConfigError(f"{folder} is not a folder", path="sink.directory") from error
        except OSError as error:
            raise PermissionRefused(f"{folder} cannot be made: {error.strerror}", hint=hint) from error
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionRefused(f"{folder} is not writable", hint=hint)

    def _unavailable(self, error: OSError) -> Unavailable:
        folder = self._options.directory
        hint = f"see that {folder} exists and is writable for user {os.geteuid()}"
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            hint = f"free some disk under {folder}; records wait until then"
        return Unavailable(f"{folder} cannot be written: {error.strerror}", system=SYSTEM, hint=hint)
