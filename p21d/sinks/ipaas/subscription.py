"""Keeps the name of the one writer of orders in the subscription's persistent data, where a second daemon sees it."""

from __future__ import annotations

from typing import Any, NoReturn

from p21d.errors import Forbidden, P21dError, RecordError, RecordRefused, Unavailable
from p21d.http import HttpAnswer
from p21d.sinks.ipaas.answers import decoded
from p21d.sinks.ipaas.calls import Call, Calls
from p21d.sinks.ipaas.directory import Directory
from p21d.sinks.ipaas.table import SUBSCRIPTION
from p21d.sinks.ipaas.verdicts import SYSTEM, BareNotFound, CallUnknown, Subject

WRITER_KEY = "p21d_order_writer"
"""The name of the persistent item."""


class Subscription:
    """Reads and writes persistent data of our own subscription (facts 9: paths known, use optional)."""

    def __init__(self, calls: Calls, directory: Directory, system_id: int) -> None:
        self._calls = calls
        self._directory = directory
        self._system_id = system_id

    async def writer(self) -> str | None:
        """Return the store id that is named, None where none is; raises Forbidden where the hub has no place for it."""
        url = self._directory.subscription_url("subscription", self._system_id)
        subject = Subject(SUBSCRIPTION, "View", f"GET subscription {self._system_id} with its persistent data")
        record = decoded(await self._made(Call("GET", url, subject)))
        if not isinstance(record, dict):
            raise Unavailable(f"hub: {subject.doing}: the answer is not a subscription", system=SYSTEM)
        named = [_value(item) for item in _items(record) if item.get("name") == WRITER_KEY]
        return next((value for value in named if value), None)

    async def set_writer(self, store_id: str) -> None:
        """Name a store and read that back; raises Forbidden where the hub did not keep it."""
        url = self._directory.subscription_url("persistent_data", self._system_id)
        subject = Subject(SUBSCRIPTION, "Edit", f"persistent data {WRITER_KEY} of subscription {self._system_id}")
        body = {"name": WRITER_KEY, "value": store_id, "expiration_date_time": None, "editable_in_ui": False}
        await self._made(Call("POST", url, subject, body))
        if await self.writer() is None:
            self._refuse(f"hub: {subject.doing}: it was taken, and is not there")

    async def _made(self, call: Call) -> HttpAnswer:
        try:
            return await self._calls.make(call)
        except (Forbidden, BareNotFound, CallUnknown, RecordRefused) as error:
            self._refuse(error.message, error)
        except RecordError as error:
            raise Unavailable(error.message, system=SYSTEM, hint=error.hint) from error

    def _refuse(self, message: str, cause: P21dError | None = None) -> NoReturn:
        hint = (
            f"give the account the permission {SUBSCRIPTION.permission}: View and Edit, or check "
            "sink.paths.subscription and sink.paths.persistent_data; else set orders.sole_writer: true, and see to it "
            "that no second daemon writes orders"
        )
        raise Forbidden(message, system=SYSTEM, resource=SUBSCRIPTION.name, hint=hint) from cause


def _items(record: dict[str, Any]) -> list[dict[str, Any]]:
    items = record.get("persistent_data")
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _value(item: dict[str, Any]) -> str:
    value = item.get("value")
    return value.strip() if isinstance(value, str) else ""
