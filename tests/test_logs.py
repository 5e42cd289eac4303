from __future__ import annotations

import io
import json
import logging

import pytest
import structlog

from p21d.logs import configure
from p21d.redactor import Redactor
from p21d.secret import Secret


@pytest.fixture
def stream():
    before = logging.getLogger().handlers[:]
    yield io.StringIO()
    logging.getLogger().handlers[:] = before
    structlog.reset_defaults()


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_of_json(stream):
    configure("info", "json", stream=stream)
    structlog.get_logger().info("cycle done", entity="customer", rows=3)
    (line,) = lines(stream)
    assert (line["level"], line["event"], line["entity"], line["rows"]) == ("info", "cycle done", "customer", 3)


def test_an_event_begins_with_its_instant_in_utc(stream):
    configure("info", "json", stream=stream)
    structlog.get_logger().info("x", aardvark=1)
    (line,) = lines(stream)
    assert next(iter(line)) == "at"
    assert line["at"].endswith("Z")


def test_auto_is_json_where_nobody_looks(stream):
    configure("info", "auto", stream=stream)
    structlog.get_logger().info("x")
    assert lines(stream)[0]["event"] == "x"


def test_a_terminal_gets_the_console_form():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    before = logging.getLogger().handlers[:]
    terminal = Terminal()
    configure("info", "auto", stream=terminal)
    structlog.get_logger().info("hello", entity="customer")
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = before
    assert "hello" in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")


def test_an_event_below_the_level_is_dropped(stream):
    configure("warning", "json", stream=stream)
    structlog.get_logger().info("x")
    assert stream.getvalue() == ""


def test_the_level_changes_for_loggers_that_exist(stream):
    logs = configure("info", "json", stream=stream)
    log = structlog.get_logger().bind(entity="customer")
    log.debug("before")
    logs.set_level("debug")
    log.debug("after")
    assert [line["event"] for line in lines(stream)] == ["after"]


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_secret_in_a_traceback_is_cut(stream, log_format):
    configure("info", log_format, redactor=Redactor([Secret("hunter22")]), stream=stream)
    try:
        int("login with hunter22 refused")
    except ValueError:
        structlog.get_logger().exception("cycle failed")
    assert "hunter22" not in stream.getvalue()
    assert "login with *** refused" in stream.getvalue()


def test_a_secret_learned_later_is_cut_from_then_on(stream):
    logs = configure("info", "json", stream=stream)
    logs.redactor.add([Secret("newtoken")])
    structlog.get_logger().info("got newtoken", detail={"a": ["newtoken"]})
    (line,) = lines(stream)
    assert (line["event"], line["detail"]) == ("got ***", {"a": ["***"]})


def test_what_a_library_logs_comes_the_same_way(stream):
    configure("info", "json", redactor=Redactor([Secret("hunter22")]), stream=stream)
    logging.getLogger("aiohttp.client").warning("retrying with %s", "hunter22")
    (line,) = lines(stream)
    assert (line["event"], line["level"], line["library"]) == ("retrying with ***", "warning", "aiohttp.client")


def test_configuring_again_does_not_double_the_lines(stream):
    configure("info", "json", stream=stream)
    configure("info", "json", stream=stream)
    logging.getLogger("aiohttp.client").warning("x")
    assert len(lines(stream)) == 1


def test_words_bound_to_the_task_are_in_its_events(stream):
    configure("info", "json", stream=stream)
    with structlog.contextvars.bound_contextvars(cycle=7):
        structlog.get_logger().info("x")
    assert lines(stream)[0]["cycle"] == 7


def test_the_feed_gets_events_without_secrets_whatever_the_level(stream):
    logs = configure("error", "json", redactor=Redactor([Secret("hunter22")]), stream=stream)
    structlog.get_logger().info("said hunter22", entity="customer")
    structlog.get_logger().debug("not told")
    (event,) = logs.feed.listen().take()[1]
    assert (event["event"], event["entity"], event["level"]) == ("said ***", "customer", "info")
    assert stream.getvalue() == ""


def test_the_feed_gets_no_traceback(stream):
    logs = configure("info", "json", stream=stream)
    try:
        int("x")
    except ValueError:
        structlog.get_logger().exception("bug")
    (event,) = logs.feed.listen().take()[1]
    assert "exception" not in event
    assert "ValueError" in stream.getvalue()
