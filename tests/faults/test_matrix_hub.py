"""Every fault of the hub, over real sockets: what is held and why, what goes on, how often it is asked."""

from __future__ import annotations

import pytest

from p21d.sandbox.faults import Fault
from tests.faults.matrix import Case, check, play

PRODUCTS = "re:/Product|/External"
"""Writes of products, and the look-ups of the whole family."""


MANY = 2000
"""Calls where the look-ups go well and each write fails: ten batches find that out at once, and again at each try."""


def status(number: int, **more: object) -> Fault:
    return Fault(**{"kind": "status", "status": number, "path": "*product*", **more})


def broken(kind: str, **more: object) -> Fault:
    return Fault(**{"kind": kind, "path": "*product*", **more})


CASES = (
    Case(
        name="refused connection",
        side="hub",
        reason=r"^hub cannot be reached: connection refused \(127\.0\.0\.1:\d+\)$",
        spares_companies=False,
    ),
    Case(name="reset in a body", side="hub", faults=(broken("reset"),), reason="hub cannot be reached"),
    Case(name="cut off", side="hub", faults=(broken("truncate"),), reason="hub cannot be reached"),
    Case(name="200 with HTML", side="hub", faults=(broken("html"),), reason="page", hint=("sink.base_url",)),
    Case(
        name="200 with rubbish",
        side="hub",
        faults=(broken("bad_json", body='"busy"'),),
        reason=".",
        held=None,
        most_waiting=10,
        most_requests=MANY,
    ),
    Case(
        name="200 with rubbish for every write",
        side="hub",
        faults=(broken("bad_json", body='"busy"', method="PUT"),),
        reason="no product gets through any more: hub: PUT product .* 200 with something that is not the record: busy",
        held=None,
        most_waiting=10,
        most_requests=MANY,
    ),
    Case(name="401 in the middle of a cycle", side="hub", faults=(status(401, after=3, times=1),), held=False),
    Case(name="401 of products", side="hub", faults=(status(401),), reason="401", spares_companies=None),
    Case(name="401 of everything", side="hub", faults=(status(401, path="*"),), reason="401", spares_companies=False),
    Case(name="403", side="hub", faults=(status(403),), reason="403", hint=("permission",)),
    Case(name="404", side="hub", faults=(status(404),), reason="404", hint=("sink.paths.product", "sink.base_url")),
    Case(name="404 for every write", side="hub", faults=(status(404, method="PUT"),), reason="404", most_requests=MANY),
    Case(name="405", side="hub", faults=(status(405),), reason="405"),
    Case(name="408", side="hub", faults=(status(408),), reason="408", held=None, most_waiting=10, most_requests=MANY),
    Case(
        name="408 for every write",
        side="hub",
        faults=(status(408, method="PUT"),),
        reason="408",
        held=None,
        most_waiting=10,
        most_requests=MANY,
    ),
    Case(
        name="429, for seconds",
        side="hub",
        faults=(status(429, headers={"Retry-After": "180"}),),
        reason="429",
        asked_again=180.0,
    ),
    Case(
        name="429, until a date of a clock an hour ahead",
        side="hub",
        faults=(status(429, headers={"Date": "date+3600", "Retry-After": "date+3780"}),),
        reason="429",
        asked_again=105.0,
    ),
    Case(name="429 without a wish", side="hub", faults=(status(429),), reason="429", asked_again=60.0),
    Case(name="500 once", side="hub", faults=(status(500, times=1),), held=False),
    Case(name="500", side="hub", faults=(status(500),), reason="500", held=None, most_waiting=10, most_requests=MANY),
    Case(
        name="500 for every write",
        side="hub",
        faults=(status(500, method="PUT"),),
        reason="500",
        held=None,
        most_waiting=10,
        most_requests=MANY,
    ),
    Case(
        name="503 for an hour",
        side="hub",
        faults=(status(503, path="*"),),
        lasts=3600.0,
        reason="503",
        spares_companies=False,
    ),
    Case(name="answers lost", side="hub", faults=(broken("drop_after", times=6),), held=False),
    Case(name="every answer lost", side="hub", faults=(broken("drop_after"),), reason="cannot be reached"),
    Case(
        name="302",
        side="hub",
        faults=(status(302, headers={"Location": "https://login.example/"}),),
        reason="302",
        hint=("sink.base_url",),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_fault_of_the_hub_holds_what_it_meets_and_costs_nothing(case, on):
    seen = await play(case, on)

    check(case, seen)
    await on.until_in_step()
    assert await on.letters() == []
