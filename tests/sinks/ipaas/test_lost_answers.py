"""Whatever is lost on the way, doing it again ends with one record and its links."""

from __future__ import annotations

import random

import pytest

from p21d.errors import RecordFailed, Unavailable
from p21d.sandbox.faults import Fault
from p21d.sinks.port import Acknowledged, Delivery
from tests.sinks.ipaas.records import address, customer

RECORDS = 5
FAULTS = [
    {"kind": "drop_after", "probability": 0.1},
    {"kind": "drop_before", "probability": 0.05},
    {"kind": "status", "status": 500, "probability": 0.05},
    {"kind": "status", "status": 404, "path": "re:/\\d+$", "method": "PUT", "probability": 0.1},
    {"kind": "html", "probability": 0.05},
    {"kind": "empty", "probability": 0.1},
    {"kind": "truncate", "honest": True, "probability": 0.1},
]


def numbered(number: int, street: str, done: Acknowledged | None) -> Delivery:
    external_id = str(100 + number)
    ids = {link.external_id: link.hub_id for link in done.links} if done else {}
    child = address(f"{external_id}|1", street, hub_id=ids.get(f"{external_id}|1"))
    made = customer(external_id, child, hub_id=done.hub_id if done else None)
    made.body["email_address"] = f"{external_id}@acme.example"
    return made


async def deliver_until_done(make, number, street, done):
    """Deliver one record as the engine would: a new sink after each failure, as after a crash."""
    for _ in range(100):
        answers = []
        try:
            await make().deliver([numbered(number, street, done)], answers)
        except Unavailable:
            continue
        if isinstance(answers[0], Acknowledged):
            return answers[0]
        assert isinstance(answers[0], RecordFailed), answers[0]
    pytest.fail("never delivered")


@pytest.mark.parametrize(("seed", "mode"), [(1, "replace"), (2, "replace"), (3, "delete_absent_children")])
async def test_lost_answers_and_links_end_in_one_linked_record_each(make_sink, hub, seed, mode):
    hub.settings.put_mode = mode
    dice = random.Random(seed)
    for number, fault in enumerate(FAULTS):
        hub.faults.add(Fault(seed=seed * 100 + number, **fault))
    done = {}
    for street in ("1 Main St", "2 Oak St"):
        for number in range(RECORDS):
            hub.settings.link_lost_next = int(dice.random() < 0.3)
            done[number] = await deliver_until_done(make_sink, number, street, done.get(number))

    stored = hub.records("customer")
    assert len(stored) == RECORDS
    assert [[item["address_1"] for item in record["addresses"]] for record in stored] == [["2 Oak St"]] * RECORDS
    shown = {link["external_id"] for record in stored for link in record["external_ids"]}
    assert shown == {str(100 + number) for number in range(RECORDS)}
