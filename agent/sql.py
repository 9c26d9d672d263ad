"""The SQL around a policy: the tables as DuckDB sees them, and the one statement that judges every row.

The rules of "no evidence, no pass" that are about rows live here, once, instead of in each policy:

1. a row whose unread columns meet what `where` reads is unknown, and so is one whose `where` is NULL;
2. a row that `where` does not select is left out;
3. a selected row whose unread columns meet what the policy reads is unknown, and so is one whose `pass` is NULL;
4. a row in a group where a joined table could not be seen is unknown (`blind`, worked out by the engine from the gaps).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import duckdb
import msgspec

from agent.model import Column

INTERNAL = {
    "_scope": "VARCHAR",
    "_group": "VARCHAR",
    "_unread": "VARCHAR[]",
    "_read_at": "VARCHAR",
    "_digest": "VARCHAR",
}
PASS, FAIL, UNKNOWN, WAIVED = 0, 1, 2, 3
"""How verdicts are stored in the findings table."""

NOT_DECIDABLE = "a value that the condition needs is absent"


AUDIT_TIME = "audit_time"
"""`$audit_time`, the only now that a policy knows."""


class Blind(msgspec.Struct, frozen=True, kw_only=True):
    """Where joined tables of a policy could not be seen: in these groups, or everywhere."""

    groups: tuple[str, ...] = ()
    everywhere: bool = False
    tables: tuple[str, ...] = ()
    """Which tables, for the reason text."""


def quote(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def literal(value: Any, kind: str) -> str:
    """A SQL literal of a JSON value of that column type."""
    if value is None:
        return f"NULL::{kind}"
    if isinstance(value, str):
        return f"{quote(value)}::{kind}"
    return f"{quote(msgspec.json.encode(value).decode())}::JSON::{kind}"


def name(identifier: str) -> str:
    """A quoted SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def texts(values: Iterable[str]) -> str:
    """A SQL list literal of strings."""
    return "[" + ", ".join(quote(value) for value in values) + "]::VARCHAR[]"


def create_table(table: str, columns: Mapping[str, Column]) -> str:
    """CREATE TABLE for an evidence table with its internal columns."""
    parts = [f"{name(column)} {kind}" for column, kind in INTERNAL.items()]
    parts += [f"{name(column.name)} {column.type}" for column in columns.values()]
    return f"CREATE TABLE evidence.{name(table)} ({', '.join(parts)})"


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What the statement needs to know of a policy: its SQL as written, and the own-table columns each part reads."""

    id: str
    table: str
    where: str
    pass_: str
    reason: str
    where_columns: tuple[str, ...]
    columns: tuple[str, ...]
    """All columns of its own table that it reads."""
    where_joined: tuple[str, ...]
    """Tables that `where` joins."""


def values(params: Mapping[str, Any], names: Iterable[str], audit_time: str) -> dict[str, Any]:
    """The values of these `$names`, as DuckDB takes them: the audit time as a TIMESTAMP in UTC."""
    moment = dt.datetime.fromisoformat(audit_time).astimezone(dt.UTC).replace(tzinfo=None)
    return {key: moment if key == AUDIT_TIME else params[key] for key in names}


def lock(connection: duckdb.DuckDBPyConnection, *first: str) -> None:
    """Close files, network and settings to whatever runs on this connection from now on."""
    for setting in (
        *first,
        "python_enable_replacements = false",
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")


def plain(error: Exception) -> str:
    """The first paragraph of a DuckDB error on one line, without its drawing of the statement."""
    return " ".join(str(error).split("LINE 1:")[0].split("\n\n")[0].split()) or type(error).__name__


def judge(policy: Judged, blind_where: Blind, blind: Blind) -> str:
    """SELECT `_row, verdict, reason` for each row that the policy is about; `_row` is DuckDB's rowid.

    The policy's text stands in parentheses with a line break before the closing one, so that a comment in it ends.
    """
    where = f"(\n{policy.where}\n)" if policy.where else "true"
    select = f"""
SELECT r.rowid AS _row,
  {_unseen("r", policy.where_columns, blind_where)} AS _where_unseen,
  {_unseen("r", policy.columns, blind)} AS _unseen,
  {_unread_text("r", policy.columns, blind)} AS _what,
  {where} AS _where,
  CASE WHEN {where} THEN (\n{policy.pass_}\n) END AS _pass,
  (\n{policy.reason}\n)::VARCHAR AS _reason
FROM evidence.{name(policy.table)} r"""
    return f"""
SELECT _row,
  (CASE WHEN _where_unseen OR _where IS NULL OR _unseen OR _pass IS NULL THEN {UNKNOWN}
        WHEN _pass THEN {PASS} ELSE {FAIL} END)::UTINYINT AS verdict,
  CASE WHEN _where_unseen OR _unseen THEN 'not seen: ' || _what
       WHEN _where IS NULL OR _pass IS NULL THEN {quote(NOT_DECIDABLE)} || coalesce(' (' || _reason || ')', '')
       ELSE coalesce(_reason, '') END AS reason
FROM ({select})
WHERE _where_unseen OR _where IS NULL OR _where"""


def _unseen(row: str, columns: tuple[str, ...], blind: Blind) -> str:
    if blind.everywhere:
        return "true"
    conditions = []
    if columns:
        conditions.append(f"({row}._unread IS NOT NULL AND list_has_any({row}._unread, {texts(columns)}))")
    if blind.groups:
        conditions.append(f"list_contains({texts(blind.groups)}, {row}._group)")
    return " OR ".join(conditions) or "false"


def _unread_text(row: str, columns: tuple[str, ...], blind: Blind) -> str:
    own = f"list_intersect(coalesce({row}._unread, []::VARCHAR[]), {texts(columns)})"
    joined = f"CASE WHEN {_unseen(row, (), blind)} THEN {texts(blind.tables)} ELSE []::VARCHAR[] END"
    both = f"array_to_string(list_sort(list_concat({own}, {joined})), ', ')"
    return f"CASE WHEN {_unseen(row, columns, blind)} THEN {both} END"
