"""Each check of the fault matrix catches the bug it is there for; and a body that drips runs into the time-out."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from p21d.http import HttpAnswer
from p21d.sandbox.faults import Fault
from p21d.sinks.ipaas import classify
from tests.faults import matrix
from tests.faults.matrix import Case, play

DOWN = Case(name="503", side="hub", faults=(Fault(kind="status", status=503, path="*product*"),), reason="503")
LATER = Case(
    name="429",
    side="hub",
    faults=(Fault(kind="status", status=429, path="*product*", headers={"Retry-After": "180"}),),
    reason="429",
    asked_again=180.0,
)


async def test_an_entity_that_is_held_for_too_short_a_time_is_caught(on, monkeypatch):
    monkeypatch.setattr("p21d.engine.hold.wait_seconds", lambda _error, _failures: 0.1)
    monkeypatch.setattr("p21d.prophet21.session.pause_seconds", lambda _attempt, _asked: 0.0)
    case = Case(name="503", side="prophet21", faults=(Fault(kind="status", status=503, path="*/inv_mast"),))
    seen = await play(replace(case, lasts=960.0), on)
    with pytest.raises(AssertionError, match=r"\d+ in 240 s"):
        matrix.check_no_hammering(case, seen)


async def test_an_outage_taken_for_a_refusal_is_caught(on, monkeypatch):
    monkeypatch.setitem(classify._BY_STATUS, 503, classify.Kind.REFUSED)
    seen = await play(DOWN, on)
    with pytest.raises(AssertionError):
        matrix.check_dead_letters(DOWN, seen)
    with pytest.raises(AssertionError, match="the watermark has passed"):
        matrix.check_nothing_passed(DOWN, seen)
    on.hub.faults.clear()
    await on.sync("product", [letter["key"] for letter in await on.letters()])


async def test_a_wish_that_is_not_heard_is_caught(on, monkeypatch):
    monkeypatch.setattr(HttpAnswer, "retry_after_seconds", lambda _answer, _now: 1.0)
    seen = await play(LATER, on)
    with pytest.raises(AssertionError, match="asked again after"):
        matrix.check_asked_again(LATER, seen)


async def test_one_sides_trouble_that_stops_the_others_and_other_words_are_caught(on):
    seen = await play(Case(name="all", side="hub", faults=(Fault(kind="status", status=503),)), on)
    with pytest.raises(AssertionError):
        matrix.check_the_others(DOWN, seen)
    with pytest.raises(AssertionError):
        matrix.check_state(Case(name="words", side="hub", reason="401"), seen)


@pytest.mark.parametrize(("side", "path"), [("prophet21", "*/inv_mast"), ("hub", "*product*")])
async def test_a_body_that_drips_runs_into_the_time_out_and_the_others_go_on(side, path, monkeypatch, staged):
    monkeypatch.setattr("p21d.sinks.ipaas.options.DATABASE_WAIT_SECONDS", 0.0)
    on = await staged(prophet21={"settle": 0, "timeout": "0.5s"}, sink={"timeout": "0.5s"})
    await on.until_in_step()
    system = on.p21 if side == "prophet21" else on.hub
    number = system.faults.add(Fault(kind="drip", path=path, seconds=0.1))
    on.change(700)

    async def held() -> bool:
        return (await on.entity("product")).state == "held"

    assert await on.clock.pass_until(held, 600.0)
    assert re.search(r"did not answer within 0\.5 s", (await on.entity("product")).reason)
    assert system.faults.fired(number) <= 60
    assert await on.letters() == []
    system.faults.clear()
    await on.until_in_step()
