"""The SQL types a column may have: how a value is checked when it is collected, and a sample of each.

`VARCHAR`, `BOOLEAN`, `BIGINT`, `DOUBLE`, `TIMESTAMP` (RFC 3339 text in UTC, with `Z`), `DATE` (YYYY-MM-DD text),
`MAP(VARCHAR, VARCHAR)`, `STRUCT(name TYPE, …)`, and lists of any of them, written `TYPE[]`.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import cache
from typing import Annotated, Any

import msgspec

_UTC = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"
_SCALARS: dict[str, tuple[Any, Any]] = {
    "VARCHAR": (str, "x"),
    "BOOLEAN": (bool, True),
    "BIGINT": (Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)], 1),
    "DOUBLE": (float, 1.0),
    "TIMESTAMP": (Annotated[str, msgspec.Meta(pattern=_UTC)], "2026-01-01T00:00:00Z"),
    "DATE": (dt.date, "2026-01-01"),
}
_MAP = "MAP(VARCHAR, VARCHAR)"
_STRUCT = re.compile(r"STRUCT\((?P<fields>.+)\)")


class BadTypeError(ValueError):
    """A column's type is none of those above."""


@cache
def _python(sql: str) -> Any:
    """The type that msgspec checks a value of this SQL type against; None is always allowed."""
    if sql.endswith("[]"):
        return list.__class_getitem__(_python(sql[:-2])) | None
    if sql == _MAP:
        return dict[str, str] | None
    if sql in _SCALARS:
        return _SCALARS[sql][0] | None
    fields = [(name, _python(kind), None) for name, kind in _fields(sql)]
    return msgspec.defstruct("Row", fields, forbid_unknown_fields=True) | None


def _fields(sql: str) -> list[tuple[str, str]]:
    match = _STRUCT.fullmatch(sql)
    if match is None:
        raise BadTypeError(f"{sql} is not a column type; see agent/sqltypes.py")
    parts, depth, start, text = [], 0, 0, match["fields"] + ","
    for index, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append(text[start:index].strip())
            start = index + 1
    return [(name, kind.strip()) for name, _, kind in (part.partition(" ") for part in parts)]


def check(sql: str, value: Any) -> None:
    """Raise `msgspec.ValidationError` unless a JSON value is None or of the SQL type."""
    msgspec.convert(value, _python(sql))


def sample(sql: str) -> Any:
    """A non-null JSON value of the type, with one element in lists and maps."""
    if sql.endswith("[]"):
        return [sample(sql[:-2])]
    if sql == _MAP:
        return {"x": "x"}
    if sql in _SCALARS:
        return _SCALARS[sql][1]
    return {name: sample(kind) for name, kind in _fields(sql)}
