"""The findings of a run, read back with the evidence that they rest on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from agent import registry, sql
from agent.model import Finding, Verdict
from agent.policy import BoundPolicy

_CODES = {sql.PASS: Verdict.PASS, sql.FAIL: Verdict.FAIL, sql.UNKNOWN: Verdict.UNKNOWN, sql.WAIVED: Verdict.WAIVED}


def finding_id(policy: str, group: str, resource: str) -> str:
    """A finding's id, the same in every run: 16 hex digits of SHA-256 over policy, group and resource."""
    return sha256(f"{policy}\0{group}\0{resource}".encode()).hexdigest()[:16]


class StoredFindings:
    """The findings of a run, read with their evidence from the two databases."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, policies: Sequence[BoundPolicy]) -> None:
        self._connection = connection
        self._policies = {policy.id: policy for policy in policies}

    def of(
        self, policy: str, verdicts: frozenset[Verdict] | None = None, limit: int | None = None
    ) -> Iterator[Finding]:
        """See `agent.result.Findings.of`."""
        bound = self._policies[policy]
        codes = [code for code, verdict in _CODES.items() if verdicts is None or verdict in verdicts]
        table = registry.tables()[bound.policy.table]
        shown = self._shown(bound)
        struct = ", ".join(f"{sql.quote(name)}: r.{sql.name(name)}" for name in shown)
        cursor = self._connection.cursor().execute(
            f"SELECT f.verdict, f.reason, coalesce(r._scope, f.scope), coalesce(r._group, f.grp), "
            f"coalesce(r.{sql.name(table.key)}, ''), r._read_at, r._digest, to_json({{{struct}}}) AS shown "
            f"FROM findings f LEFT JOIN evidence.{sql.name(table.name)} r ON r.rowid = f.row "
            f"WHERE f.policy = {sql.quote(policy)} AND f.verdict IN ({', '.join(map(str, codes)) or 'NULL'}) "
            f"ORDER BY 3, 5, f.reason, f.row{'' if limit is None else f' LIMIT {limit}'}"
        )
        while batch := cursor.fetchmany(1000):
            for row in batch:
                yield self._finding(bound, row, shown)

    def _shown(self, bound: BoundPolicy) -> list[str]:
        """The columns whose values a finding shows: what the policy reads of its own table, and the key."""
        table = registry.tables()[bound.policy.table]
        return [name for name in registry.all_columns(table.name) if name in (*bound.judged.columns, table.key)]

    def _finding(self, bound: BoundPolicy, row: tuple[Any, ...], shown: list[str]) -> Finding:
        verdict, reason, scope, group, resource, read_at, digest, values = row
        table = registry.tables()[bound.policy.table]
        calls = {column.call for column in table.columns if column.name in shown}
        return Finding(
            id=finding_id(bound.id, group, resource or scope),
            policy=bound.id,
            clauses=bound.policy.clauses,
            severity=bound.policy.severity,
            verdict=_CODES[verdict],
            resource=resource,
            scope=scope,
            group=group,
            table=table.name,
            reason=reason,
            evidence=msgspec.json.decode(values) if read_at else {},
            read_at=read_at or "",
            calls=tuple(call.name for call in table.calls if call.name in calls or call.role == "list"),
            digest=digest or "",
        )


def open_findings(evidence: Path, findings: Path) -> duckdb.DuckDBPyConnection:
    """A read-only connection to findings and evidence; `findings` may be a database or a Parquet file."""
    connection = duckdb.connect(config={"threads": 2, "memory_limit": "256MB"})
    connection.execute(f"ATTACH {sql.quote(str(evidence))} AS evidence (READ_ONLY)")
    connection.execute(f"CREATE VIEW findings AS FROM read_parquet({sql.quote(str(findings))})")
    return connection
