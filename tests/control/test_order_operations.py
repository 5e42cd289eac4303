"""The clerk of orders, on a real store; the engine's desk is a double of what he asks it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from p21d.control.order_answers import AdoptRequest, DismissRequest
from p21d.control.order_operations import OrderClerk
from p21d.engine.orders.desk import OrdersState, SyncResult
from p21d.errors import ConfigError
from p21d.store.database import Store
from p21d.store.inbox import LeftAlone
from p21d.store.intent import Intent, IntentEvent

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)


class Desk:
    """Remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def state(self):
        return OrdersState(state="held", held_reason="another writes them", held_hint="p21d orders take-over")

    async def sync(self, ids, by):
        self.asked.append(("sync", list(ids), by))
        return SyncResult(prepared=("1",), left_alone={"2": "ours"}, note="1 left alone")

    async def show(self, hub_id):
        event = IntentEvent(hub_id=hub_id, at=NOON, before="new", after="prepared", by="inbox")
        return intent(hub_id, "linked", body=b'{"Name":"Order"}', differences=("line 010 is missing",)), [event]

    def __getattr__(self, name):
        async def decide(*said):
            self.asked.append((name, *said))

        return decide


def intent(hub_id, state, minutes=0, **more):
    changed = NOON + timedelta(minutes=minutes)
    return Intent(hub_id=hub_id, state=state, created_at=NOON, changed_at=changed, **more)


@pytest.fixture
async def store(tmp_path):
    async with Store(tmp_path / "p21d.db") as store:
        yield store


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def clerk(store, desk):
    return OrderClerk(store, desk)


async def save(store, *intents):
    async with store.transaction() as tables:
        for one in intents:
            await tables.intents.save(one)


async def ids(clerk, state="", *, everything=False, limit=200):
    return [one.id for one in (await clerk.orders(state=state, everything=everything, limit=limit)).orders]


async def test_who_needs_a_person_comes_first_and_then_the_newest(store, clerk):
    await save(
        store,
        intent("prepared", "prepared", 9),
        intent("held", "held", 1),
        intent("created", "created", 8),
        intent("refused", "refused", 2),
    )
    assert await ids(clerk) == ["refused", "held", "prepared", "created"]


async def test_a_linked_order_that_differs_is_not_done_with(store, clerk):
    differing = intent("differs", "linked", 1, differences=("line 020 is missing",))
    known = intent("known", "linked", 2, differences=("line 020 is missing",), acknowledged=True)
    await save(store, differing, known, intent("linked", "linked", 3), intent("prepared", "prepared", 4))
    assert await ids(clerk) == ["differs", "prepared"]


async def test_everything_shows_linked_and_dismissed_ones_too_and_the_newest_of_many(store, clerk):
    await save(store, *(intent(f"{number}", "linked", number) for number in range(5)), intent("gone", "dismissed", 9))
    assert await ids(clerk, everything=True, limit=3) == ["gone", "4", "3"]


async def test_one_state_alone(store, clerk):
    await save(store, intent("held", "held"), intent("linked", "linked"))
    assert await ids(clerk, "linked") == ["linked"]


async def test_a_state_that_does_not_exist_is_refused_by_name(clerk):
    with pytest.raises(ConfigError, match="there is no state 'stuck'") as refused:
        await clerk.orders(state="stuck", everything=False, limit=1)
    assert "prepared, sending, unknown" in refused.value.hint


async def test_how_orders_stand(store, clerk):
    await save(store, intent("1", "held"), intent("2", "linked", differences=("x",)), intent("3", "linked"))
    async with store.transaction() as tables:
        await tables.inbox.leave([LeftAlone(hub_id="9", reason="too old", seen_at=NOON)])
    status = (await clerk.orders(state="", everything=False, limit=1)).status
    assert (status.state, status.held_reason) == ("held", "another writes them")
    assert status.counts == {"held": 1, "linked": 2}
    assert status.differing == 1
    assert status.left_alone == {"too old": 1}


async def test_an_order_is_shown_with_its_history_and_its_body(clerk):
    found = await clerk.order("7")
    assert [(step.before, step.after, step.by) for step in found.history] == [("new", "prepared", "inbox")]
    assert found.body == '{"Name":"Order"}'
    assert found.order.differences == ["line 010 is missing"]


async def test_a_decision_reaches_the_desk_with_the_name(clerk, desk):
    await clerk.retry("1", "ann")
    await clerk.adopt(AdoptRequest(id="1", order_no="1400215"), "ann")
    await clerk.dismiss(DismissRequest(id="1", because="by phone"), "ann")
    await clerk.acknowledge("1", "ann")
    await clerk.take_over("ann")
    assert desk.asked == [
        ("retry", "1", "ann"),
        ("adopt", "1", "1400215", "ann"),
        ("dismiss", "1", "by phone", "ann"),
        ("acknowledge", "1", "ann"),
        ("take_over", "ann"),
    ]


async def test_a_sync_says_what_it_took_up_and_what_not(clerk):
    found = await clerk.sync(["1", "2"], "ann")
    assert (found.prepared, found.left_alone, found.note) == (["1"], {"2": "ours"}, "1 left alone")


@pytest.mark.parametrize(
    "ask",
    [
        lambda clerk: clerk.orders(state="", everything=False, limit=1),
        lambda clerk: clerk.order("1"),
        lambda clerk: clerk.sync([], "ann"),
        lambda clerk: clerk.retry("1", "ann"),
        lambda clerk: clerk.adopt(SimpleNamespace(id="1", order_no="2"), "ann"),
        lambda clerk: clerk.take_over("ann"),
    ],
)
async def test_while_orders_are_off_the_answer_names_what_to_set(store, ask):
    with pytest.raises(ConfigError, match="orders are off") as refused:
        await ask(OrderClerk(store, None))
    assert refused.value.path == "orders.enabled"
    assert "orders.not_before" in refused.value.hint
