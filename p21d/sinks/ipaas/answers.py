"""Reads what the hub says: its words, error codes, ids and records, in any of the forms it may use.

Why so tolerant: the vendor's clients show two generations of errors (text only in the reason phrase; a body with a
code in a member nobody has named in public) and ids as numbers and as text (facts 3 and 5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import msgspec

from p21d.http import HttpAnswer
from p21d.redactor import KNOWN

_WORDS_LIMIT = 400
_TOLD_IN = ("message", "detail", "error_message", "error_description", "error", "title")
_STANDARD_REASONS = frozenset({"", *(status.phrase.lower() for status in HTTPStatus)})
_decoder = msgspec.json.Decoder(float_hook=Decimal)  # amounts as they were written, for some are sent back
_HUB_ID = re.compile(r"(?=.*[0-9])[0-9A-Za-z][0-9A-Za-z_-]{0,63}")  # with a digit: `null` and `error` are none


def is_page(answer: HttpAnswer) -> bool:
    """Tell whether the body is a page for people, which the hub's API never answers."""
    start = answer.body[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return answer.headers.get("Content-Type", "").lower().startswith("text/html") or start.startswith(
        (b"<!doctype", b"<html", b"<head", b"<body")
    )


def reason_of(answer: HttpAnswer) -> str:
    """Return the reason phrase as clean text; aiohttp leaves odd bytes in it as surrogates."""
    return " ".join(answer.reason.encode("utf-8", "surrogateescape").decode("utf-8", "replace").split())


def words_of(answer: HttpAnswer) -> str:
    """Return the sentence for people, without secrets: of the body if it has one, else of the reason phrase."""
    body = decoded(answer)
    if isinstance(body, dict):
        told = next((body[name] for name in _TOLD_IN if isinstance(body.get(name), str) and body[name]), "")
        told = told or " ".join(_strings(body))
    else:
        told = body if isinstance(body, str) else answer.text(_WORDS_LIMIT)
    reason = reason_of(answer)
    if not told or (not is_standard(reason) and reason not in told):
        told = f"{told} {reason}".strip()
    return " ".join(KNOWN.text(told).split())[:_WORDS_LIMIT]


def is_standard(words: str) -> bool:
    """Tell whether words are no more than the standard phrase of a status."""
    return words.lower() in _STANDARD_REASONS


def all_words(answer: HttpAnswer) -> list[str]:
    """Return every text in which a code or an id may stand: the body's texts one by one, then the reason phrase."""
    body = decoded(answer)
    texts = [answer.text(_WORDS_LIMIT * 10)] if body is None else list(_strings(body))
    return [text for text in [*texts, reason_of(answer)] if text]


def code_of(answer: HttpAnswer, pattern: re.Pattern[str]) -> str:
    """Return the hub's error code: a text that is nothing else first, else the first found inside one; else ''."""
    texts = all_words(answer)
    whole = next((text.strip() for text in texts if pattern.fullmatch(text.strip())), "")
    if whole:
        return whole
    return next((match[0] for match in map(pattern.search, texts) if match), "")


def id_in(answer: HttpAnswer, pattern: re.Pattern[str]) -> str:
    """Return the first id that a refusal names, '' where there is none."""
    return next((match[1] for match in map(pattern.search, all_words(answer)) if match), "")


def decoded(answer: HttpAnswer) -> Any:
    """Return the body decoded from JSON, None where it is empty or something else."""
    try:
        return _decoder.decode(answer.body) if answer.body.strip() else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def id_text(value: object) -> str:
    """Return an id of the hub, a number or text there, as text; '' for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    text = str(value).strip()
    return text if _HUB_ID.fullmatch(text) and text != "0" else ""


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
