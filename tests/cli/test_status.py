from __future__ import annotations

import json
from datetime import timedelta

import pytest

from p21d.cli.status import watch_status
from p21d.control.answers import Status
from p21d.control.server import ControlServer
from p21d.errors import Unavailable
from tests.control.operations_double import NOW, cycle, entity, letter


def test_a_healthy_screen_says_that_nothing_is_stuck(p21d, daemon):
    ended = p21d("status")
    assert (ended.code, "Nothing is stuck." in ended.out) == (0, True)


def test_the_screen_fits_80_columns(p21d, daemon):
    daemon.entities = [
        entity(
            "transaction_tracking_number",
            state="catching up",
            last_cycle=cycle("x"),
            waiting=1234567,
            dead_letters=1234,
            running="backfill, 12000000 rows",
            reason="a long reason " * 10,
            hint="a long hint " * 12,
        )
    ]
    assert max(len(line) for line in p21d("status").out.splitlines()) <= 80


def test_an_entity_shows_how_far_behind_it_is(p21d, daemon):
    line = next(line for line in p21d("status").out.splitlines() if line.startswith("customer "))
    assert line.split()[:4] == ["customer", "in", "step", "5m"]


def test_a_held_entity_says_why_and_what_to_do(p21d, daemon):
    until = NOW + timedelta(minutes=15)
    held = entity(
        "invoice", state="held", reason="P21 forbids invoice_hdr", hint="grant the API role", until=until,
        since=NOW - timedelta(hours=3),
    )  # fmt: skip
    daemon.entities = [held]
    out = p21d("status").out
    assert "invoice is held for 3h: P21 forbids invoice_hdr. It tries again in 15m.\n  -> grant the API role" in out


def test_a_paused_entity_names_the_command_that_resumes_it(p21d, daemon):
    daemon.entities = [entity("invoice", state="paused", reason="month end")]
    assert "month end.\n  -> p21d resume invoice" in p21d("status").out


def test_dead_letters_name_the_command_that_lists_them(p21d, daemon):
    daemon.entities = [entity("invoice", dead_letters=1)]
    assert "invoice: 1 dead letter.\n  -> p21d dead-letters list invoice" in p21d("status").out


def test_waiting_records_say_what_will_become_of_them(p21d, daemon):
    daemon.entities = [entity("invoice", waiting=2)]
    assert "invoice: 2 records waiting for a parent.\n  -> each goes when" in p21d("status").out


def test_a_pipe_gets_no_colours(p21d, daemon):
    assert "\x1b" not in p21d("status").out


def test_control_characters_of_a_reason_are_not_shown(p21d, daemon):
    daemon.entities = [entity("invoice", state="held", reason="\x1b[31mred\x07")]
    assert "\x1b" not in p21d("status").out


def test_brackets_in_a_reason_are_text(p21d, daemon):
    daemon.entities = [entity("invoice", state="held", reason="[red]no[/red] [/]")]
    assert "[red]no[/red] [/]" in p21d("status").out


def test_json_is_the_answer_itself(p21d, daemon):
    assert json.loads(p21d("status", "--json").out)["entities"][0]["entity"] == "customer"


def test_status_exits_0_even_when_something_is_stuck(p21d, daemon):
    daemon.entities = [entity("invoice", state="held")]
    assert p21d("status").code == 0


class _Rounds:
    """A clock that does something at each sleep, and ends after the last."""

    def __init__(self, *steps):
        self._steps = iter(steps)

    async def sleep(self, seconds):
        await next(self._steps)()


class _EndedError(Exception):
    pass


async def test_watching_goes_on_over_a_restart_of_the_daemon(tmp_path, operations):
    path = tmp_path / "control.sock"
    server = ControlServer(path, operations)
    shown = []

    async def start():
        await server.__aenter__()

    async def end():
        await server.__aexit__(None, None, None)
        raise _EndedError

    with pytest.raises(_EndedError):
        await watch_status(path, shown.append, _Rounds(start, end))
    assert [type(found) for found in shown] == [Unavailable, Status]


def test_cycles_are_listed_with_their_counts(p21d, daemon):
    line = p21d("cycles", "customer").out.splitlines()[-1].split()
    assert line[2:7] == ["customer", "poll", "0s", "3", "2"]


def test_cycles_as_json_have_their_version(p21d, daemon):
    assert json.loads(p21d("cycles", "--json").out)["schema_version"] == 1


def test_dead_letters_are_listed_with_their_error(p21d, daemon):
    daemon.letters = [letter(12)]
    assert "name is too long" in p21d("dead-letters", "list").out


def test_a_long_error_stays_whole_in_a_pipe(p21d, daemon):
    daemon.letters = [letter(12, error="word " * 100 + "end")]
    assert len(p21d("dead-letters", "list").out.strip().splitlines()) == 2


def test_a_full_page_names_the_next(p21d, daemon):
    daemon.letters = [letter(12)]
    assert "--before 12" in p21d("dead-letters", "list", "--limit", "1").err


def test_a_dead_letter_is_shown_with_what_was_sent(p21d, daemon):
    daemon.letters = [letter(12)]
    assert '{"name":"Acme"}' in p21d("dead-letters", "show", "customer", "01|12").out


def test_showing_a_key_without_dead_letter_exits_1(p21d, daemon):
    assert p21d("dead-letters", "show", "customer", "01|12").code == 1


def test_replay_prints_what_became_of_the_rows(p21d, daemon):
    ended = p21d("dead-letters", "replay", "customer", "--code", "E17")
    assert (ended.code, ended.out) == (0, "2 read: 2 delivered\n")


def test_discarding_everything_must_be_said(p21d, daemon):
    assert (p21d("dead-letters", "discard", "customer").code, daemon.asked) == (64, [])


def test_discard_hands_on_the_reason(p21d, daemon):
    p21d("dead-letters", "discard", "customer", "01|12", "--because", "a test")
    assert daemon.asked[0][1].because == "a test"
