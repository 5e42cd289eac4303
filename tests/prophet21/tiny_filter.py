"""Just enough of OData's `$filter` to check what the query text says: parse it, and evaluate it on a row."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>\w+)|(?P<mark>[()]))")
_COMPARE = {"eq": operator.eq, "gt": operator.gt, "ge": operator.ge}

Test = Callable[[Mapping[str, Any]], bool]


def parse(text: str) -> Test:
    tokens = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        assert match, text[position:]
        tokens.append((match.lastgroup, match[match.lastgroup or ""]))
        position = match.end()
    test = _any(tokens)
    assert not tokens, tokens
    return test


def value_of(kind: str | None, text: str) -> Any:
    return text[1:-1].replace("''", "'") if kind == "text" else Decimal(text)


def _any(tokens: list[Any]) -> Test:
    tests = [_all(tokens)]
    while tokens and tokens[0][1] == "or":
        tokens.pop(0)
        tests.append(_all(tokens))
    return lambda row: any(test(row) for test in tests)


def _all(tokens: list[Any]) -> Test:
    tests = [_one(tokens)]
    while tokens and tokens[0][1] == "and":
        tokens.pop(0)
        tests.append(_one(tokens))
    return lambda row: all(test(row) for test in tests)


def _one(tokens: list[Any]) -> Test:
    _kind, word = tokens.pop(0)
    if word == "(":
        test = _any(tokens)
        assert tokens.pop(0)[1] == ")"
        return test
    compare = _COMPARE[tokens.pop(0)[1]]
    value = value_of(*tokens.pop(0))
    return lambda row: compare(row[word], value)
