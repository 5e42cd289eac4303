"""The client of P21 for orders: parties, rendering, the one write, look-ups, the read-back.

It keeps no state of any order and repeats no write: when something is sent, and when again, is the ledger's to decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from p21d.clock import Clock
from p21d.errors import Forbidden, Unavailable
from p21d.order import Found, Held, Order
from p21d.prophet21.orders.answer import no_permission, outcome_of, outcome_without_answer
from p21d.prophet21.orders.customers import Customers
from p21d.prophet21.orders.definition import check_definition
from p21d.prophet21.orders.look_up import LookUp
from p21d.prophet21.orders.parties import PartyFinder
from p21d.prophet21.orders.port import FoundOrder, Outcome, Parties, Verdict
from p21d.prophet21.orders.references import References
from p21d.prophet21.orders.render import render_order
from p21d.prophet21.orders.rows import READINGS
from p21d.prophet21.orders.ui_server import DEFINITION, TRANSACTION, UiServer
from p21d.prophet21.paging import Pager
from p21d.prophet21.server_clock import ServerClock
from p21d.prophet21.session import Session
from p21d.prophet21.zone import ServerZone

if TYPE_CHECKING:
    from p21d.config import Prophet21Config


class OrderDesk:
    """What the order writer asks of P21. Reads raise what any reading of P21 raises."""

    def __init__(
        self,
        config: Prophet21Config,
        session: Session,
        pager: Pager,
        zone: ServerZone,
        server_clock: ServerClock,
        clock: Clock,
    ) -> None:
        self._session = session
        self._pager = pager
        self._ui_server = UiServer(config, session)
        self._references = References(session, pager)
        self._parties = PartyFinder(pager, Customers(pager, config.companies), zone, server_clock, clock)
        self._look_up = LookUp(pager, zone, server_clock, self._references)

    async def parties(self, wanted: Parties, *, location_ids: Sequence[int] = ()) -> Found | Held:
        """Return what P21 knows of a hub order's parties and items, or why it is not clear who the customer is.

        With `location_ids` only those locations are in it, and as always only the company's own.
        """
        return await self._parties.find(wanted, location_ids)

    def render(self, order: Order, *, reference_text: str, reference_field: str) -> bytes:
        """Return the JSON that writes this order; raises OrderUnfit where a value is too long or missing."""
        return render_order(order, reference_text=reference_text, reference_field=reference_field)

    async def write(self, body: bytes) -> Outcome:
        """Post a rendered order once, and tell what came of it by the verdict.

        Sent again it is only after a 401 that asks for a new token. Raises Forbidden, Unauthorized and ConfigError:
        nothing was written then.
        """
        try:
            url = await self._ui_server.url()
        except Unavailable as error:
            return Outcome(verdict=Verdict.BUSY, words=error.message, hint=error.hint)
        outcome = await self._post(url + TRANSACTION, body)
        if outcome.verdict is Verdict.BUSY:
            self._ui_server.forget()
        return outcome

    async def _post(self, url: str, body: bytes) -> Outcome:
        try:
            answer = await self._session.post(url, body)
        except Unavailable as error:
            return outcome_without_answer(error)
        except Forbidden as error:
            raise no_permission(error.message) from error
        return outcome_of(answer)

    async def by_reference(
        self, *, field: str, text: str, customer_id: int, created_since: datetime
    ) -> list[FoundOrder]:
        """Return the orders of a customer that carry exactly this reference, deleted and cancelled ones too."""
        return await self._look_up.by_reference(
            field=field, text=text, customer_id=customer_id, created_since=created_since
        )

    async def candidates(
        self, *, customer_id: int, taker: str, created_since: datetime, item_ids: Sequence[str], field: str = "po_no"
    ) -> list[FoundOrder]:
        """Return the customer's orders by this taker, created since, that share an item or have no line at all.

        Orders that are known to be others' are among them. `field` is the one that `reference_text` is read from.
        """
        return await self._look_up.candidates(
            customer_id=customer_id, taker=taker, created_since=created_since, item_ids=item_ids, field=field
        )

    async def read(self, order_no: str, *, field: str = "po_no") -> FoundOrder | None:
        """Return an order with its lines, None where P21 does not have it; `field` as for `candidates`."""
        return await self._look_up.read(order_no, field=field)

    async def check(self, *, reference_field: str) -> None:
        """Ask whether orders can be written and looked up, without writing one.

        Raises Forbidden, ConfigError, Unavailable, Unauthorized and ReadRefused, each with the P21 menu or the key to
        look at. That the account may also save, only the first order shows.
        """
        url = await self._ui_server.url()
        try:
            answer = await self._session.ask(url + DEFINITION)
        except Forbidden as error:
            raise no_permission(error.message) from error
        except Unavailable:
            self._ui_server.forget()
            raise
        check_definition(answer, reference_field)
        await self._references.table(reference_field)
        for reading in READINGS:
            await self._pager.ask(reading, "", after=None, top=1)
