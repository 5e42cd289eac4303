"""OData query text for P21: literals, conditions, or-chains, whole URLs; pure.

`in` is never written: P21 drops such a filter and answers with the whole table (facts 3.4). `$top` and `$select` are
always there: without `$top` a table of 800,000 rows comes in one answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import TypeVar
from urllib.parse import quote

MAX_CHAIN_TERMS = 50
"""P21 takes about 50 terms in one filter (facts 3.4)."""
MAX_URL_CHARS = 2_000
"""IIS refuses query strings over 2,048 characters."""

Literal = str | int | Decimal | bool
T = TypeVar("T")


def literal(value: Literal) -> str:
    """Write a value into a filter: text quoted, numbers and booleans bare (a quoted number is a 404)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} cannot be written into a filter")
        return format(value, "f")
    return str(value)


def equals(columns: Sequence[str], literals: Sequence[str]) -> str:
    """Write that all columns have these values."""
    return " and ".join(f"{column} eq {value}" for column, value in zip(columns, literals, strict=True))


def after(columns: Sequence[str], literals: Sequence[str]) -> str:
    """Write that a key of one or more parts comes after this one: `(a gt A) or (a eq A and b gt B)`."""
    steps = []
    for length in range(1, len(columns) + 1):
        step = f"{columns[length - 1]} gt {literals[length - 1]}"
        if length > 1:
            step = equals(columns[: length - 1], literals[: length - 1]) + f" and {step}"
        steps.append(step)
    return steps[0] if len(steps) == 1 else any_of(f"({step})" for step in steps)


def all_of(conditions: Iterable[str]) -> str:
    """Join conditions by `and`, each in parentheses; empty ones are left out."""
    kept = [condition for condition in conditions if condition]
    return kept[0] if len(kept) == 1 else " and ".join(f"({condition})" for condition in kept)


def any_of(terms: Iterable[str]) -> str:
    """Join terms into an or-chain."""
    return " or ".join(terms)


def chains(items: Iterable[T], term: Callable[[T], str], room: int) -> Iterator[list[T]]:
    """Split items into or-chains of at most 50 terms and `room` encoded characters, in order, each item once.

    An item whose term alone is longer than `room` stands alone.
    """
    chain: list[T] = []
    used = 0
    for item in items:
        size = encoded_length(f"{term(item)} or ")
        if chain and (len(chain) == MAX_CHAIN_TERMS or used + size > room):
            yield chain
            chain, used = [], 0
        chain.append(item)
        used += size
    if chain:
        yield chain


def query_url(
    path: str,
    *,
    select: Sequence[str],
    top: int,
    filter_text: str = "",
    order_by: Sequence[str] = (),
    skip: int = 0,
    count: bool = False,
) -> str:
    """Return path and query, percent-encoded."""
    options = [f"$select={encode(','.join(select))}"]
    if filter_text:
        options.append(f"$filter={encode(filter_text)}")
    if order_by:
        options.append(f"$orderby={encode(','.join(order_by))}")
    options.append(f"$top={top}")
    if skip:
        options.append(f"$skip={skip}")
    if count:
        options.append("$count=true")
    return f"{path}?{'&'.join(options)}"


def encode(value: str) -> str:
    """Percent-encode a whole option value; a blank becomes %20, as `+` would stay a plus sign in P21."""
    return quote(value, safe="(),:")


def encoded_length(value: str) -> int:
    """Return how many characters a text takes in a URL."""
    return len(encode(value))
