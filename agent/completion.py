"""What no row can say is added to the findings: policies that broke, scopes that could not be listed, waivers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from agent import registry, sql
from agent.model import Gap, Waiver
from agent.policy import BoundPolicy


def complete(
    database: Path,
    facts: Path,
    judged: Sequence[BoundPolicy],
    gaps: Sequence[Gap],
    errors: Mapping[str, str],
    waivers: Sequence[Waiver],
    audit_time: str,
    target: Path,
) -> None:
    """Add what no row can say (scopes unseen, policies that broke, waivers) and write the findings as Parquet."""
    with duckdb.connect(str(database), config={"threads": 2, "memory_limit": "256MB"}) as connection:
        connection.execute(f"ATTACH {sql.quote(str(facts))} AS evidence (READ_ONLY)")
        for policy in judged:
            if policy.id in errors:
                _broken(connection, policy, errors[policy.id])
            _unlisted(connection, policy, gaps)
        for waiver in waivers:
            _waive(connection, waiver, judged, audit_time)
        connection.execute(f"COPY findings TO {sql.quote(str(target))} (FORMAT parquet, COMPRESSION zstd)")


def _broken(connection: duckdb.DuckDBPyConnection, policy: BoundPolicy, error: str) -> None:
    """A policy that could not be evaluated leaves every row of its table unknown."""
    connection.execute("DELETE FROM findings WHERE policy = ?", [policy.id])
    table = sql.name(policy.policy.table)
    connection.execute(
        f"INSERT INTO findings SELECT ?, rowid, {sql.UNKNOWN}, ?, NULL, NULL FROM evidence.{table}",
        [policy.id, f"the policy could not be evaluated: {error}"],
    )


def _unlisted(connection: duckdb.DuckDBPyConnection, policy: BoundPolicy, gaps: Sequence[Gap]) -> None:
    """One unknown finding for each scope whose rows could not (all) be listed."""
    first: dict[str, Gap] = {}
    for gap in gaps:
        if gap.table == policy.policy.table and not gap.columns:
            first.setdefault(gap.scope, gap)
    for scope, gap in first.items():
        reason = f"could not be listed ({gap.kind}): {gap.call}: {gap.detail}"
        connection.execute(
            f"INSERT INTO findings VALUES (?, NULL, {sql.UNKNOWN}, ?, ?, ?)", [policy.id, reason, scope, gap.group]
        )


def _waive(
    connection: duckdb.DuckDBPyConnection, waiver: Waiver, judged: Sequence[BoundPolicy], audit_time: str
) -> None:
    """Turn failures into waived ones, while the waiver lasts; what is unknown stays unknown."""
    policy = next((policy for policy in judged if policy.id == waiver.policy), None)
    if policy is None or audit_time[:10] > waiver.expires:
        return
    table = registry.tables()[policy.policy.table]
    connection.execute(
        f"UPDATE findings SET verdict = {sql.WAIVED}, reason = ? || reason "
        f"WHERE policy = ? AND verdict = {sql.FAIL} AND row IN "
        f"(SELECT rowid FROM evidence.{sql.name(table.name)} r WHERE r.{sql.name(table.key)} GLOB ? "
        "AND (? = '' OR r._group = ?))",
        [
            f"waived by {waiver.approver} until {waiver.expires}: {waiver.reason}; ",
            waiver.policy,
            waiver.resource,
            waiver.group,
            waiver.group,
        ],
    )
