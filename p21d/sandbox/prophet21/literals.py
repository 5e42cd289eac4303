"""Which literals fit which column, and what P21 says where they do not."""

from __future__ import annotations

from typing import Any

from odata_query import ast

from p21d.sandbox.prophet21.filter_grammar import QueryRefused

CLR_TYPES = {"whole": "Decimal", "decimal": "Decimal", "integer": "Int32", "datetime": "DateTime", "binary": "Byte[]"}
_LITERAL_TYPES = {
    ast.String: "Edm.String",
    ast.Integer: "Edm.Int32",
    ast.Float: "Edm.Decimal",
    ast.Boolean: "Edm.Boolean",
    ast.Date: "Edm.Date",
    ast.DateTime: "Edm.DateTimeOffset",
    ast.GUID: "Edm.Guid",
    ast.Time: "Edm.TimeOfDay",
    ast.Duration: "Edm.Duration",
}
FITTING = {
    "text": (ast.String,),
    "whole": (ast.Integer, ast.Float),
    "decimal": (ast.Integer, ast.Float),
    "integer": (ast.Integer, ast.Float),
    "datetime": (ast.Date, ast.DateTime),
    "binary": (),
}
_OPERATOR_KINDS = {
    "=": "Equal",
    "<>": "NotEqual",
    ">": "GreaterThan",
    ">=": "GreaterThanOrEqual",
    "<": "LessThan",
    "<=": "LessThanOrEqual",
}
_LARGEST = 2**63 - 1


def number_of(literal: Any) -> int | float:
    """Return a number SQLite can bind; beyond 64 bits only its order matters."""
    if isinstance(literal, ast.Integer) and abs(int(literal.val)) <= _LARGEST:
        return int(literal.val)
    return float(literal.val)


def incompatible(edm_type: str, literal: Any, operator: str) -> QueryRefused:
    """Return the refusal of a comparison whose two sides have different types."""
    found = _LITERAL_TYPES.get(type(literal), "Edm.Untyped")
    return QueryRefused(
        "A binary operator with incompatible types was detected. Found operand types "
        f"'{edm_type}' and '{found}' for operator kind '{_OPERATOR_KINDS[operator]}'."
    )
