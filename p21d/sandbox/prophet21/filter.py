"""Turn a parsed `$filter` into SQLite's WHERE the way P21 reads it, traps included.

What is P21's own: every mistake is a 404 with one of a few texts, two text columns compare a column with the other's
name, null is never equal nor unequal to a value, and only three functions exist (facts: the unofficial P21 API
documentation, checked on builds 25.2 and 26.1). Like SQL Server's usual collation, equality of texts ignores case and
trailing blanks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from odata_query import ast
from odata_query.visitor import NodeVisitor

from p21d.sandbox.prophet21.filter_grammar import QueryRefused, parse_filter
from p21d.sandbox.prophet21.literals import CLR_TYPES, FITTING, incompatible, number_of
from p21d.sandbox.prophet21.schema import Column
from p21d.sandbox.prophet21.wall_time import parse_literal, tick_ceiling, tick_floor, tick_nearest

_OPERATORS = {ast.Eq: "=", ast.NotEq: "<>", ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<="}
_MIRRORED = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
_LIKE_PATTERNS = {"contains": "%{}%", "startswith": "{}%", "endswith": "%{}"}


class Server(Protocol):
    """What reading a filter needs to know of the server: its columns' names and its way with time literals."""

    def column(self, name: str) -> Column:
        """Return the column or raise `QueryRefused`."""
        ...

    def expression(self, column: Column) -> str:
        """Return the SQL of a column."""
        ...

    def wall_time(self, literal: datetime) -> datetime:
        """Return a literal as naive server-local time."""
        ...

    @property
    def accepts_zoneless(self) -> bool:
        """Say whether a date-time literal may stand without a zone."""
        ...

    @property
    def rounds_literals(self) -> bool:
        """Say whether a literal is brought to a 1/300 s tick before it is compared."""
        ...


@dataclass
class Condition:
    """A WHERE text and its parameters."""

    sql: str = "1"
    values: list[Any] = field(default_factory=list)


def compile_filter(text: str, server: Server) -> Condition:
    """Return the condition of a `$filter`; raise `QueryRefused` with P21's words for what it answers 404."""
    tree = parse_filter(text)
    if tree is None:
        return Condition()
    visitor = _Compiler(server)
    return Condition(visitor.visit(tree), visitor.values)


class _Compiler(NodeVisitor):
    """Visit the tree once, left to right, so that parameters come in the order of their marks."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.values: list[Any] = []

    def generic_visit(self, node: Any) -> str:
        raise QueryRefused(f"The expression '{type(node).__name__}' is not supported.")

    def visit_BoolOp(self, node: Any) -> str:  # noqa: N802  # odata-query's name
        position = self._position_after(node)
        if position is not None:
            return position
        word = "AND" if isinstance(node.op, ast.And) else "OR"
        return f"({self.visit(node.left)} {word} {self.visit(node.right)})"

    def visit_UnaryOp(self, node: Any) -> str:  # noqa: N802
        if not isinstance(node.op, ast.Not):
            return self.generic_visit(node)
        return f"(NOT {self.visit(node.operand)})"

    def visit_Compare(self, node: Any) -> str:  # noqa: N802
        operator = _OPERATORS[type(node.comparator)]
        left, right = node.left, node.right
        if isinstance(left, ast.Call):
            return self._compare_call(left, operator, right)
        if not isinstance(left, ast.Identifier):
            left, right, operator = right, left, _MIRRORED.get(operator, operator)
        if not isinstance(left, ast.Identifier):
            return self.generic_visit(left)
        column = self._server.column(_name(left))
        if isinstance(right, ast.Identifier):
            return self._compare_columns(column, operator, self._server.column(_name(right)))
        return self._compare_literal(column, operator, right)

    def visit_Call(self, node: Any) -> str:  # noqa: N802
        name = _name(node.func)
        pattern = _LIKE_PATTERNS.get(name)
        if pattern is None:
            raise QueryRefused(f"An unknown function with name '{name}' was found.")
        subject, text = node.args
        if not (isinstance(subject, ast.Identifier) and isinstance(text, ast.String)):
            raise QueryRefused(f"No function signature for the function with name '{name}' matches the arguments.")
        column = self._server.column(_name(subject))
        if column.kind != "text":
            raise QueryRefused(f"No function signature for the function with name '{name}' matches the arguments.")
        plain = text.val.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        self.values.append(pattern.format(plain))
        return f"({self._server.expression(column)} LIKE ? ESCAPE '\\')"

    def _compare_call(self, call: Any, operator: str, right: Any) -> str:
        sql = self.visit(call)
        if not isinstance(right, ast.Boolean) or operator not in {"=", "<>"}:
            raise incompatible("Edm.Boolean", right, operator)
        wanted = right.py_val == (operator == "=")
        return sql if wanted else f"(NOT {sql})"

    def _compare_columns(self, column: Column, operator: str, other: Column) -> str:
        """Compare with the other column's name taken as text: that is what P21 does, so `eq` finds nothing."""
        if column.kind != "text":
            raise QueryRefused(f"Failed to convert parameter value from a String to a {CLR_TYPES[column.kind]}.")
        return self._compare_text(self._server.expression(column), operator, other.name)

    def _compare_literal(self, column: Column, operator: str, literal: Any) -> str:
        sql = self._server.expression(column)
        if isinstance(literal, ast.Null):
            return {"=": f"({sql} IS NULL)", "<>": f"({sql} IS NOT NULL)"}.get(operator, "0")
        if not isinstance(literal, FITTING[column.kind]):
            raise incompatible(column.edm_type, literal, operator)
        if column.kind == "text":
            return self._compare_text(sql, operator, literal.val)
        if column.kind == "datetime":
            return self._compare_time(sql, operator, literal)
        self.values.append(literal.val if column.kind == "decimal" else number_of(literal))
        return f"({sql} {operator} ?)"

    def _compare_text(self, sql: str, operator: str, text: str) -> str:
        """Compare without trailing blanks; equality is a range around them, so that an index still works."""
        text = text.rstrip(" ")
        same = f"rtrim({sql}) = ? COLLATE NOCASE"
        if operator == "=":
            self.values += [text, f"{text}!", text]  # `!` is the first character after the blank
            # Without the hints SQLite takes a range for a quarter of the table, and 50 of them in `or` for a full scan.
            return f"(likelihood({sql} >= ?, 0.001) AND likelihood({sql} < ?, 0.001) AND {same})"
        if operator in {"<", ">="}:
            self.values.append(text)
            return f"({sql} {operator} ?)"
        self.values += [text] if operator == "<>" else [text, text]
        # A padded text is longer than its literal, and to SQLite greater, but not to SQL Server.
        return {"<>": f"(NOT {same})", ">": f"({sql} > ? AND NOT {same})", "<=": f"({sql} <= ? OR {same})"}[operator]

    def _compare_time(self, sql: str, operator: str, literal: Any) -> str:
        """Compare ticks: `ge` and `lt` look from the tick above the literal, `gt` and `le` from the one below."""
        wall = self._wall_time(literal)
        below, above = tick_floor(wall), tick_ceiling(wall)
        if self._server.rounds_literals:
            below = above = tick_nearest(wall)
        if below != above and operator in {"=", "<>"}:
            return "0" if operator == "=" else f"({sql} IS NOT NULL)"
        self.values.append(above if operator in {">=", "<"} else below)
        return f"({sql} {operator} ?)"

    def _wall_time(self, literal: Any) -> datetime:
        try:
            moment = parse_literal(literal.val)
        except ValueError as error:
            raise QueryRefused(f"The time literal '{literal.val}' is not valid.") from error
        if isinstance(literal, ast.DateTime) and moment.tzinfo is None and not self._server.accepts_zoneless:
            raise QueryRefused(f"The DateTimeOffset text '{literal.val}' has no time zone.")
        return self._server.wall_time(moment)

    def _position_after(self, node: Any) -> str | None:
        """Write `a gt A or (a eq A and b gt B)` as a row value, which SQLite reads straight from the index."""
        keys = _two_part_position(node)
        if keys is None:
            return None
        columns = [self._server.column(_name(name)) for name, _ in keys]
        literals = [literal for _, literal in keys]
        for column, literal in zip(columns, literals, strict=True):
            if column.kind in {"decimal", "datetime"} or not isinstance(literal, FITTING[column.kind]):
                return None
        if columns[1].kind == "text":
            return None
        self.values += [literal.val if isinstance(literal, ast.String) else number_of(literal) for literal in literals]
        return f"(({', '.join(map(self._server.expression, columns))}) > (?, ?))"


def _two_part_position(node: Any) -> list[tuple[Any, Any]] | None:
    match node:
        case ast.BoolOp(
            ast.Or(),
            ast.Compare(ast.Gt(), ast.Identifier() as first, low),
            ast.BoolOp(
                ast.And(), ast.Compare(ast.Eq(), again, same), ast.Compare(ast.Gt(), ast.Identifier() as second, low2)
            ),
        ) if first == again and low == same:
            return [(first, low), (second, low2)]
    return None


def _name(identifier: Any) -> str:
    return ".".join((*identifier.namespace, identifier.name))
