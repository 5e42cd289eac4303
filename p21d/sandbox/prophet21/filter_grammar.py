"""Parse the text of a `$filter` with odata-query's grammar, mended where it misreads P21's column names."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from odata_query import ast, exceptions
from odata_query.grammar import ODataLexer, ODataParser


class QueryRefused(Exception):
    """P21 answers 404 to this query; the text is the body."""


class _Lexer(ODataLexer):
    """odata-query's lexer, which reads `allow_...` as `all` and `not(` as a function; mended here."""

    tokens = ODataLexer.tokens

    @_(r"any(?=\()")  # type: ignore[name-defined, untyped-decorator]  # noqa: F821  # sly puts `_` into the class body
    def ANY(self, token: Any) -> Any:  # noqa: N802  # sly's names
        token.value = ast.Any()
        return token

    @_(r"all(?=\()")  # type: ignore[name-defined, untyped-decorator]  # noqa: F821
    def ALL(self, token: Any) -> Any:  # noqa: N802
        token.value = ast.All()
        return token

    @_(r"null\b")  # type: ignore[name-defined, untyped-decorator]  # noqa: F821
    def NULL(self, token: Any) -> Any:  # noqa: N802
        token.value = ast.Null()
        return token

    @_(r"(?:true|false)\b")  # type: ignore[name-defined, untyped-decorator]  # noqa: F821
    def BOOLEAN(self, token: Any) -> Any:  # noqa: N802
        token.value = ast.Boolean(token.value)
        return token

    @_(r"not(?:\s+|(?=\())")  # type: ignore[name-defined, untyped-decorator]  # noqa: F821
    def NOT(self, token: Any) -> Any:  # noqa: N802
        token.value = ast.Not()
        return token


@lru_cache(maxsize=512)
def parse_filter(text: str) -> Any:
    """Return odata-query's tree, or None where P21 drops the filter; raise `QueryRefused` for a syntax error.

    P21 drops a filter that uses `in` and answers 200 with the whole table (facts: checked live).
    """
    text = text.strip()
    try:
        tokens = list(_Lexer().tokenize(text))
        if any(token.type == "IN" for token in tokens):
            return None
        return ODataParser().parse(iter(tokens))
    except exceptions.UnknownFunctionException as unknown:
        raise QueryRefused(f"An unknown function with name '{unknown.function_name}' was found.") from unknown
    except exceptions.ODataSyntaxError as error:
        token = getattr(error, "token", None)
        raise QueryRefused(f"Syntax error at position {len(text) if token is None else token.index}") from error
    except exceptions.ODataException as error:
        raise QueryRefused(str(error)) from error
