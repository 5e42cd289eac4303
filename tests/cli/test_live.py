from __future__ import annotations

import json

from p21d.control.answers import ReloadAnswer


def test_reload_prints_what_changed(p21d, daemon):
    ended = p21d("reload")
    assert (ended.code, ended.out) == (0, "reloaded\n  entities.customer.poll_interval: 5m -> 1m\n")


def test_a_refused_reload_exits_78_with_path_and_hint(p21d, daemon):
    daemon.reload_answer = ReloadAnswer(reloaded=False, error="unknown key", path="sinkk", hint="did you mean sink?")
    ended = p21d("reload")
    assert (ended.code, ended.out) == (78, "")
    assert ended.err == (
        "p21d: not reloaded, the old configuration works on: sinkk: unknown key\n  did you mean sink?\n"
    )


def test_a_refused_reload_is_json_too(p21d, daemon):
    daemon.reload_answer = ReloadAnswer(reloaded=False, error="unknown key", path="sinkk")
    ended = p21d("reload", "--json")
    assert (ended.code, json.loads(ended.out)["path"]) == (78, "sinkk")


def test_pause_says_what_was_done(p21d, daemon):
    ended = p21d("pause", "customer", "--because", "month end")
    assert (ended.code, ended.err, daemon.asked) == (
        0, "customer is paused\n", [("pause", "customer", "month end")],
    )  # fmt: skip


def test_resume_says_what_was_done(p21d, daemon):
    assert p21d("resume", "customer").err == "customer runs again\n"


def test_the_log_level_is_changed(p21d, daemon):
    assert json.loads(p21d("log-level", "debug", "--json").out)["done"] == "logging at debug"
