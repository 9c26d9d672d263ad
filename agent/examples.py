"""Runs the examples of a policy: its own proof, by the same statement that judges real evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import duckdb
import msgspec

from agent import registry, sql
from agent.engine import Unseen
from agent.model import Example, Gap, GapKind
from agent.policy import BoundPolicy, sample_database

DEFAULT_TIME = "2026-01-01T00:00:00Z"
_NAMES = {sql.PASS: "pass", sql.FAIL: "fail", sql.UNKNOWN: "unknown"}


class ExampleResult(msgspec.Struct, frozen=True, kw_only=True):
    """How one example came out."""

    policy: str
    example: str
    expected: str
    found: str
    reason: str

    @property
    def ok(self) -> bool:
        """Whether the verdict is the expected one."""
        return self.found == self.expected


def run(policies: Iterable[BoundPolicy]) -> Iterator[ExampleResult]:
    """Run every example of these policies."""
    with sample_database() as connection:
        for table in registry.tables():
            connection.execute(f"DELETE FROM evidence.{sql.name(table)}")
        for policy in policies:
            for example in policy.policy.examples:
                yield _run(connection, policy, example)


def _run(connection: duckdb.DuckDBPyConnection, policy: BoundPolicy, example: Example) -> ExampleResult:
    own = policy.policy.table
    rows = [(table, row, ()) for table, found in example.rows.items() for row in found]
    for table, row, unread in [*rows, (own, example.given, example.unread)]:
        _insert(connection, table, row, unread)
    unseen = Unseen(gaps=tuple(_gap(table) for table in example.gaps), tables=frozenset())
    blind_where, blind = unseen.blind(policy, policy.judged.where_joined), unseen.blind(policy, policy.joined)
    values = sql.values({**policy.policy.params, **example.params}, policy.names, example.at or DEFAULT_TIME)
    try:
        found = connection.execute(
            sql.judge(policy.judged, blind_where, blind) + " ORDER BY _row DESC", values
        ).fetchall()
        last = connection.execute(f"SELECT max(rowid) FROM evidence.{sql.name(own)}").fetchone()
        verdicts = {row: (_NAMES[verdict], reason) for row, verdict, reason in found}
        verdict, reason = verdicts.get(last[0] if last else None, ("not_selected", ""))
    except duckdb.Error as error:
        verdict, reason = "error", sql.plain(error)
    for table in {own, *example.rows}:
        connection.execute(f"DELETE FROM evidence.{sql.name(table)}")
    return ExampleResult(policy=policy.id, example=example.name, expected=example.expect, found=verdict, reason=reason)


def _insert(connection: duckdb.DuckDBPyConnection, table: str, row: Mapping[str, Any], unread: Iterable[str]) -> None:
    columns = registry.all_columns(table)
    values = {"_scope": "'s'", "_group": "'g'"} | {
        name: sql.literal(value, columns[name].type) for name, value in row.items()
    }
    if unread:
        values["_unread"] = sql.texts(unread)
    names = ", ".join(sql.name(name) for name in values)
    connection.execute(f"INSERT INTO evidence.{sql.name(table)} ({names}) VALUES ({', '.join(values.values())})")


def _gap(table: str) -> Gap:
    source = registry.tables()[table].source
    return Gap(
        source=source, scope="s", group="g", table=table, call="", kind=GapKind.DENIED, detail="", at=DEFAULT_TIME
    )
