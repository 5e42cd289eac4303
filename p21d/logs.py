"""The log: one event a line on stderr, JSON for machines or console for people, without secrets.

The rest of p21d calls `structlog.get_logger()`; keys of an event are words of the design (entity, cycle, key,
attempt). Redaction stands after the traceback has become text, because a traceback can hold a credential too, and
local variables are never shown.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from p21d.events import Feed
from p21d.redactor import KNOWN, Redactor

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "json", "console"]


class Logs:
    """The log's settings that change while the daemon runs: its level, and the secrets it must not show.

    `feed` gets every event from `info` up, whatever the level.
    """

    def __init__(self, level: Level, redactor: Redactor) -> None:
        self.redactor = redactor
        self.level: Level = level
        self.feed = Feed()

    def set_level(self, level: Level) -> None:
        """Show events of this level and above from now on, in loggers that exist already too."""
        self.level = level

    def drop_unwanted(self, _logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """Drop early what is below the level and below the feed's; a structlog processor."""
        if _number(method) < min(LEVELS[self.level], LEVELS["info"]):
            raise structlog.DropEvent
        return event

    def tell(self, _logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """Hand the event to the feed, and drop it where it is below the log's level; a structlog processor."""
        number = _number(method)
        if number >= LEVELS["info"]:
            self.feed.tell({name: value for name, value in event.items() if name != "exception"})
        if number < LEVELS[self.level]:
            raise structlog.DropEvent
        return event

    def redact(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Return the event as JSON-safe values without secrets; a structlog processor."""
        redacted: dict[str, Any] = self.redactor.value(event)
        return redacted


def configure(
    level: Level, log_format: Format, *, redactor: Redactor | None = None, stream: TextIO | None = None
) -> Logs:
    """Set up logging for the process, libraries included; `stream` is stderr unless given."""
    stream = stream or sys.stderr
    logs = Logs(level, redactor or KNOWN)
    structlog.configure(
        processors=[
            logs.drop_unwanted,
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            logs.redact,
            logs.tell,
            _renderer(log_format, stream),
        ],
        logger_factory=structlog.PrintLoggerFactory(file=stream),
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        cache_logger_on_first_use=False,
    )
    _take_over_libraries()
    return logs


def _number(method: str) -> int:
    return LEVELS.get(method, logging.ERROR)  # exception() and critical() have no level of their own here


def _renderer(log_format: Format, stream: TextIO) -> Processor:
    if log_format == "console" or (log_format == "auto" and stream.isatty()):
        # without rich: its traceback prints local variables
        return structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), timestamp_key="at", exception_formatter=structlog.dev.plain_traceback
        )
    return _json_line


def _json_line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    first = {name: event.pop(name) for name in ("at", "level", "event") if name in event}
    return msgspec.json.encode({**first, **event}).decode()


def _take_over_libraries() -> None:
    """Send what libraries log with `logging` the same way, from warning up."""
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _LibraryHandler)]:
        root.removeHandler(handler)
    root.addHandler(_LibraryHandler(logging.WARNING))


class _LibraryHandler(logging.Handler):
    """Passes a library's record on as an event."""

    def emit(self, record: logging.LogRecord) -> None:
        method = "error" if record.levelno >= logging.ERROR else "warning"
        log = structlog.get_logger(library=record.name)
        getattr(log, method)(record.getMessage(), exc_info=record.exc_info)
