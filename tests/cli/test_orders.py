"""`p21d orders` against a real control server with a double of the daemon behind it."""

from __future__ import annotations

import json
import os
import pwd
from datetime import timedelta

import pytest

from p21d.control.order_answers import OrderDetailAnswer, OrderEventAnswer, OrdersStatus, OrdersSyncAnswer
from p21d.errors import ConfigError
from tests.control.operations_double import NOW, order

ME = pwd.getpwuid(os.geteuid()).pw_name


def test_the_list_says_what_is_stuck_why_and_what_to_do(p21d, daemon):
    daemon.order_book.listed = [order("7")]
    ended = p21d("orders", "list")
    assert ended.code == 0
    assert "WEB-7" in ended.out
    assert "held" in ended.out
    assert "line 1: P21 has no active item VALVE-99 -> create the item in P21" in ended.out


def test_the_list_shows_how_a_linked_order_differs(p21d, daemon):
    daemon.order_book.listed = [
        order("7", state="linked", order_no="1400215", reason="", hint="", differences=["line 020 is missing"])
    ]
    ended = p21d("orders", "list")
    assert "1400215" in ended.out
    assert "differs: line 020 is missing -> p21d orders acknowledge WEB-7" in ended.out


def test_the_list_says_why_none_is_written_and_what_was_left_alone(p21d, daemon):
    daemon.order_book.status = OrdersStatus(
        state="held",
        held_reason="another store writes them",
        held_hint="p21d orders take-over",
        counts={"linked": 1204},
        left_alone={"its type is Quote (orders.types: Order)": 12},
    )
    ended = p21d("orders", "list")
    assert "no order is written now: another store writes them\n  -> p21d orders take-over" in ended.err
    assert "orders: 1,204 linked" in ended.err
    assert "left alone: 12, its type is Quote (orders.types: Order)" in ended.err
    assert ended.out == ""


def test_the_list_may_be_of_one_state_or_of_all(p21d, daemon):
    p21d("orders", "list", "--state", "held")
    p21d("orders", "list", "--all", "--limit", "5")
    assert daemon.asked == [("orders", "held", False, 200), ("orders", "", True, 5)]
    assert p21d("orders", "list", "--all", "--state", "held").code == os.EX_USAGE


def test_json_is_what_the_socket_answers(p21d, daemon):
    daemon.order_book.listed = [order("7")]
    found = json.loads(p21d("orders", "list", "--json").out)
    assert found["schema_version"] == 1
    assert found["status"]["state"] == "on"
    assert found["orders"][0]["reason"].startswith("line 1")


@pytest.fixture
def detail(daemon):
    steps = [
        ("new", "prepared", "inbox", ""),
        ("prepared", "held", "writer", "line 1: P21 has no active item VALVE-99"),
    ]
    daemon.order_book.detail = OrderDetailAnswer(
        order=order(
            "149049",
            customer="Acme Supply " * 9,
            total="34.75",
            attempts=2,
            look_ups=1,
            attempt_ended_at=NOW,
            due_at=NOW + timedelta(minutes=5),
            differences=["line 020 (VALVE-20): unit_quantity is 1, sent 4"],
        ),
        history=[OrderEventAnswer(at=NOW, before=a, after=b, by=by, note=note) for a, b, by, note in steps],
        body='{"Name":"Order"}',
    )
    return daemon


def test_show_fits_into_80_columns(p21d, detail):
    ended = p21d("orders", "show", "149049")
    assert max(map(len, ended.out.splitlines())) <= 80
    assert detail.asked == [("order", "149049")]


def test_show_has_every_step_with_who_made_it(p21d, detail):
    out = p21d("orders", "show", "149049").out
    assert "new -> prepared by inbox" in out
    assert "prepared -> held by writer" in out


def test_show_has_the_differences_and_what_to_do(p21d, detail):
    out = " ".join(p21d("orders", "show", "149049").out.split())
    assert "unit_quantity is 1, sent 4" in out
    assert "correct it in P21 if it matters, then p21d orders acknowledge WEB-149049" in out
    assert "what to do: create the item in P21" in out
    assert "P21 did not have it at 1 look-ups since" in out


def test_show_prints_the_body_alone(p21d, detail):
    assert p21d("orders", "show", "149049", "--body").out == '{"Name":"Order"}\n'


def test_words_of_p21_do_not_move_the_cursor(p21d, daemon):
    daemon.order_book.listed = [order("7", reason="\x1b[2Jcredit hold")]
    daemon.order_book.detail = OrderDetailAnswer(order=order("7", reason="\x1b[2Jcredit hold"), body="\x1b[2J")
    for words in (("list",), ("show", "7"), ("show", "7", "--body")):
        assert "\x1b" not in p21d("orders", *words).out


def test_a_sync_of_some_ends_with_1_where_some_are_left_alone(p21d, daemon):
    daemon.order_book.sync_answer = OrdersSyncAnswer(prepared=["7"], left_alone={"8": "ours: its link is known here"})
    ended = p21d("orders", "sync", "7", "8")
    assert (ended.code, ended.out) == (1, "1 order taken up: 7\n")
    assert "8 is left alone: ours: its link is known here" in ended.err
    assert daemon.asked == [("sync", ["7", "8"], ME)]


def test_a_sync_without_ids_reads_the_inbox(p21d, daemon):
    daemon.order_book.sync_answer = OrdersSyncAnswer(note="3 left alone: it was created before 2026-12-01")
    ended = p21d("orders", "sync")
    assert (ended.code, ended.out) == (0, "0 orders taken up\n")
    assert "3 left alone" in ended.err


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (("retry", "7"), ("retry", "7", ME)),
        (("adopt", "7", "1400215"), ("adopt", "7", "1400215", ME)),
        (("dismiss", "7", "--because", "by phone"), ("dismiss", "7", "by phone", ME)),
        (("acknowledge", "7"), ("acknowledge", "7", ME)),
        (("take-over",), ("take_over", ME)),
    ],
)
def test_a_decision_reaches_the_daemon(p21d, daemon, words, asked):
    ended = p21d("orders", *words)
    assert (ended.code, ended.out) == (0, "")
    assert ended.err
    assert daemon.asked == [asked]
    assert json.loads(p21d("orders", *words, "--json").out)["done"]


@pytest.mark.parametrize("words", [("dismiss", "7"), ("dismiss", "7", "--because", " "), ("adopt", "7"), ("retry",)])
def test_a_decision_that_lacks_something_is_usage(p21d, daemon, words):
    assert p21d("orders", *words).code == os.EX_USAGE
    assert daemon.asked == []


def test_orders_that_are_off_end_with_78_and_what_to_set(p21d, daemon):
    daemon.error = ConfigError("orders are off", path="orders.enabled", hint="set orders.enabled: true")
    ended = p21d("orders", "list")
    assert ended.code == os.EX_CONFIG
    assert ended.err == "p21d: orders.enabled: orders are off\n  set orders.enabled: true\n"


def test_without_a_daemon_it_ends_with_69(p21d, tmp_path, monkeypatch):
    monkeypatch.setenv("P21D_SOCKET", str(tmp_path / "nobody.sock"))
    assert p21d("orders", "list").code == os.EX_UNAVAILABLE


def test_status_has_a_line_for_orders_and_what_is_stuck(p21d, daemon):
    daemon.orders_status = OrdersStatus(
        state="asks",
        held_reason="more than 200 new orders within an hour",
        held_hint="p21d orders sync goes on",
        counts={"held": 2, "refused": 1, "unknown": 1, "linked": 1204},
        differing=1,
        left_alone={"too old": 7},
    )
    out = p21d("status").out
    assert "orders: asks, 1 unknown, 2 held, 1 refused, 1,204 linked, 7 left alone" in out
    text = " ".join(out.split())
    assert "No order is written into P21: more than 200 new orders within an hour. -> p21d orders sync goes on" in text
    assert "2 orders held for a person. -> p21d orders list --state held says why" in text
    assert "Of 1 order it is not known yet whether P21 has it." in text
    assert "P21 has 1 order otherwise than sent." in text
    assert max(map(len, out.splitlines())) <= 80


def test_status_says_nothing_of_orders_that_are_off(p21d, daemon):
    assert "orders" not in p21d("status").out
