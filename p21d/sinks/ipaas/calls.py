"""Makes one data call: bearer, renewal, tracking guid, and the answer's meaning."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from p21d.clock import Clock
from p21d.errors import Forbidden, P21dError, RecordError, Unauthorized, Unavailable
from p21d.http import HttpAnswer
from p21d.sinks.ipaas.classify import Classifier, Kind
from p21d.sinks.ipaas.directory import Directory
from p21d.sinks.ipaas.session import Session
from p21d.sinks.ipaas.verdicts import Subject
from p21d.sinks.ipaas.wire import Wire

_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Call:
    """One data call: what to send where, and what it is about."""

    method: str
    url: str
    subject: Subject
    body: Any = None


class Calls:
    """Makes data calls under the session's bearer."""

    def __init__(
        self, directory: Directory, session: Session, wire: Wire, classifier: Classifier, clock: Clock
    ) -> None:
        self._directory = directory
        self._session = session
        self._wire = wire
        self._classifier = classifier
        self._clock = clock
        self.tracking_guid = str(uuid.uuid4())
        """The guid under which the hub's activity log keeps all calls of this sink."""

    async def make(self, call: Call) -> HttpAnswer:
        """Make a call and return its good answer (any 2xx); raises what `Classifier` says of any other."""
        answer, error = await self.ask(call)
        if error is not None:
            self._wire.count_failure()
            try:
                raise error
            finally:
                del error  # its traceback holds this frame: together they would wait for the collector
        return answer

    async def ask(self, call: Call) -> tuple[HttpAnswer, P21dError | None]:
        """Make a call and return its answer with its error; raises only what concerns the whole sink."""
        answer, headers = await self._admitted(call)
        error = self._classifier.error(answer, call.subject, self._clock.now())
        if isinstance(error, Unauthorized):
            self._wire.count_failure()
            if self._session.was_accepted(headers):
                raise Unavailable(f"{error.message}, again and again although it signs in", system=error.system)
            self._session.refuse(error.message, hint=error.hint)
        if isinstance(error, Forbidden):
            self._session.forget_roles()
        elif error is None or isinstance(error, RecordError):
            self._session.accept(headers)
        return answer, error

    async def _admitted(self, call: Call) -> tuple[HttpAnswer, Mapping[str, str]]:
        """Send the call, again with a renewed bearer where the hub refuses the first, and with one of a new login."""
        url = self._tracked(call.url)
        body = None if call.body is None else _encoder.encode(call.body)
        for by_login in (False, True):
            headers = await self._session.headers()
            answer = await self._wire.request(call.method, url, headers, body)
            if self._classifier.kind(answer) is not Kind.TOKEN:
                return answer, headers
            self._wire.count_failure()
            await self._session.renew(headers, by_login=by_login)
        headers = await self._session.headers()
        return await self._wire.request(call.method, url, headers, body), headers

    def _tracked(self, url: str) -> str:
        name = self._directory.query["tracking_guid"]
        return f"{url}{'&' if '?' in url else '?'}{name}={self.tracking_guid}" if name else url
