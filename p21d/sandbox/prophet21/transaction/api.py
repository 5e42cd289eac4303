"""Answers `/uiserver0/api/v2/`: the Transaction API with its services, definitions, writes and reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from p21d.sandbox.fault import ASKED, Fault
from p21d.sandbox.prophet21 import answers
from p21d.sandbox.prophet21.transaction import definition
from p21d.sandbox.prophet21.transaction.background import BackgroundWrites
from p21d.sandbox.prophet21.transaction.pool import NoSession, SessionPool
from p21d.sandbox.prophet21.transaction.reading import WindowReader, read_query
from p21d.sandbox.prophet21.transaction.request import BadBody, TransactionSet, read_set
from p21d.sandbox.prophet21.transaction.service import DIRTY_SESSION, OrderService, Write, answer_of

if TYPE_CHECKING:
    from p21d.clock import Clock
    from p21d.sandbox.prophet21.database import Database
    from p21d.sandbox.prophet21.settings import Settings

_BAD_REQUEST = "https://tools.ietf.org/html/rfc9110#section-15.5.1"


_DOCUMENTS = {
    "definition": definition.definition_document,
    "defaults": definition.defaults_document,
    "basics": definition.basics_document,
}


class TransactionApi:
    """The Transaction API of one simulated P21.

    `pool` shows who works and who waits; `background.catch_up` is to be called before each request is answered.
    """

    def __init__(self, database: Database, settings: Settings, clock: Clock, user: str) -> None:
        self.pool = SessionPool(settings, clock)
        self.background = BackgroundWrites(self._perform, settings, clock, database.time)
        self._settings = settings
        self._clock = clock
        self._orders = OrderService(database, settings, user)
        self._reader = WindowReader(database)

    @property
    def writes(self) -> list[Write]:
        """Return the latest writes that reached a window, oldest first, with the order numbers they made."""
        self.background.catch_up()
        return list(self._orders.writes)

    async def answer(self, request: web.Request, rest: str) -> web.Response:
        """Answer whatever lies under `/uiserver0/api/v2/`; 401 without permission, IIS's page for an unknown path."""
        if not self._settings.may_write_orders and self._settings.no_permission == "api":
            return answers.forbidden()
        head, _, tail = rest.strip("/").partition("/")
        try:
            if head.lower() == "transaction":
                return await self._transaction(request, tail.lower())
        except BadBody as bad:
            return _problem(str(bad))
        return self._document(request, head.lower(), tail)

    async def _transaction(self, request: web.Request, tail: str) -> web.Response:
        if (request.method, tail) == ("GET", "async"):
            return self._tell(request)
        if request.method != "POST" or tail not in {"", "get", "async"}:
            return answers.iis_not_found()
        body = await request.read()
        if tail == "get":
            return self._show(request, "WindowResponse", self._reader.read(read_query(body)))
        sent = read_set(body)
        odd = self._odd_answer(sent)
        if odd is not None:
            return odd
        return await self._write(request, sent) if not tail else self._take(request, sent)

    async def _write(self, request: web.Request, sent: TransactionSet) -> web.Response:
        faults: list[Fault] = request.get(ASKED, [])
        try:
            async with self.pool.session():
                await self._clock.sleep(self._settings.save_seconds)
                answer = self._perform(sent, faults)
        except NoSession:
            return self._no_session()
        if any(fault.kind in {"window_before", "window_after"} and fault.status == 500 for fault in faults):
            return _aggregate_exception(answer["Messages"][0])
        return self._show(request, "TransactionResponse", answer)

    def _perform(self, sent: TransactionSet, faults: list[Fault]) -> dict[str, Any]:
        return answer_of(sent, self._orders.perform(sent, faults))

    def _take(self, request: web.Request, sent: TransactionSet) -> web.Response:
        taken = self.background.take(sent, request.get(ASKED, []))
        answer = self._show(request, "AsyncRequest", taken)
        answer.set_status(self._settings.async_status)
        return answer

    def _tell(self, request: web.Request) -> web.Response:
        found = self.background.find(request.query.get("id", ""))
        if found is None:
            return answers.json_answer(_error("Request not found.", "P21.Soa.RequestNotFoundException"), status=404)
        return self._show(request, "AsyncRequest", found)

    def _document(self, request: web.Request, kind: str, service: str) -> web.Response:
        if request.method != "GET":
            return answers.iis_not_found()
        if kind == "services" and not service:
            return answers.json_answer(definition.services_document())
        if kind not in _DOCUMENTS:
            return answers.iis_not_found()
        if service.lower() != definition.SERVICE.lower():
            return web.Response(status=500)
        return self._show(request, kind.title(), _DOCUMENTS[kind]())

    def _show(self, request: web.Request, root: str, body: dict[str, Any]) -> web.Response:
        return answers.json_or_xml(request, root, body, self._settings)

    def _odd_answer(self, sent: TransactionSet) -> web.Response | None:
        """Return the answer to a body that reaches no window, None for any other."""
        if sent.name.lower() != definition.SERVICE.lower():
            return web.Response(status=500)
        if all(transaction.status == "New" for transaction in sent.transactions):
            return None
        if self._settings.wrong_status_answer == 500:
            return answers.json_answer(_error(DIRTY_SESSION, "System.NullReferenceException"), status=500)
        return _problem("The value of Transactions.Status is not valid.")

    def _no_session(self) -> web.Response:
        seconds = self._settings.session_wait_seconds
        words = f"Unable to obtain a session from the pool within {seconds:g} seconds."
        body = _error(words, "P21.UI.Service.SessionPoolTimeoutException")
        return answers.json_answer(body, status=self._settings.no_session_status)


def _problem(detail: str) -> web.Response:
    body = {"type": _BAD_REQUEST, "title": "Bad Request", "status": 400, "detail": detail}
    return web.Response(status=400, body=msgspec.json.encode(body), content_type="application/problem+json")


def _aggregate_exception(words: str) -> web.Response:
    error = _error("One or more errors occurred.", "System.AggregateException", words)
    return answers.json_answer(error, status=500)


def _error(message: str, kind: str, inner: str | None = None) -> dict[str, Any]:
    return {"ErrorMessage": message, "ErrorType": kind, "InnerException": inner}
