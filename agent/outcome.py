"""The frozen result, made from what a run holds: its plan, policies, scope commits, evidence and findings.

The same function serves the run that was just made and one that is opened again next year.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from agent import registry, sql
from agent.clauses import clauses, expand
from agent.collect import ScopeRecord
from agent.collect import gaps as all_gaps
from agent.engine import touches
from agent.judge import Outcome
from agent.model import Finding, Gap, Table, Verdict, Waiver
from agent.plan import Plan
from agent.policy import BoundPolicy
from agent.result import (
    ClauseResult,
    ClauseState,
    Counts,
    GroupCounts,
    Location,
    PolicyResult,
    Result,
    RunInfo,
    ScopeResult,
    SkippedPolicy,
    WaiverResult,
    WaiverState,
)

_CODES = {sql.PASS: Verdict.PASS, sql.FAIL: Verdict.FAIL, sql.UNKNOWN: Verdict.UNKNOWN, sql.WAIVED: Verdict.WAIVED}


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What a result is made of."""

    info: RunInfo
    plan: Plan
    policies: tuple[BoundPolicy, ...]
    """Those of the plan, in its order."""
    skipped: tuple[BoundPolicy, ...]
    records: tuple[ScopeRecord, ...]
    outcomes: dict[str, Outcome]
    waivers: tuple[Waiver, ...]


def finding_id(policy: str, group: str, resource: str) -> str:
    """A finding's id, the same in every run: 16 hex digits of SHA-256 over policy, group and resource."""
    return sha256(f"{policy}\0{group}\0{resource}".encode()).hexdigest()[:16]


class StoredFindings:
    """The findings of a run, read with their evidence from the two databases."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, policies: Sequence[BoundPolicy], plan: Plan) -> None:
        self._connection = connection
        self._policies = {policy.id: policy for policy in policies}
        self._columns = {table.table: set(table.columns) for table in plan.tables}

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


def build(parts: Parts, connection: duckdb.DuckDBPyConnection) -> Result:
    """The result of a run."""
    gaps = tuple(all_gaps(parts.records))
    policies = tuple(_policy(bound, parts, gaps, connection) for bound in parts.policies)
    results = tuple(_clauses(policies, parts, gaps))
    counts = _sum(policy.counts for policy in policies)
    return Result(
        run=parts.info,
        state=_state(counts, len(gaps), any(policy.error for policy in policies)),
        counts=counts,
        clauses=results,
        policies=policies,
        skipped=tuple(_skipped(bound) for bound in parts.skipped),
        gaps=gaps,
        scopes=tuple(_scope(record) for record in parts.records),
        locations=tuple(_locations(parts, connection)),
        waivers=tuple(_waivers(parts, connection)),
        findings=StoredFindings(connection, (*parts.policies, *parts.skipped), parts.plan),
    )


def _sum(counts: Iterable[Counts]) -> Counts:
    return sum(counts, Counts())


def _counts(found: Iterable[tuple[int, int]]) -> Counts:
    by_code = dict(found)
    return Counts(
        passed=by_code.get(sql.PASS, 0),
        failed=by_code.get(sql.FAIL, 0),
        unknown=by_code.get(sql.UNKNOWN, 0),
        waived=by_code.get(sql.WAIVED, 0),
    )


def _state(counts: Counts, gaps: int, broken: bool) -> ClauseState:
    if counts.failed:
        return ClauseState.FAILS
    if counts.unknown or gaps or broken:
        return ClauseState.UNKNOWN
    return ClauseState.HOLDS if counts.total else ClauseState.NOT_ASSESSED


def _touching(bound: BoundPolicy, gaps: Iterable[Gap]) -> list[Gap]:
    return [gap for gap in gaps if gap.table in bound.reads and touches(gap, gap.table, bound.reads[gap.table])]


def _policy(
    bound: BoundPolicy, parts: Parts, gaps: Sequence[Gap], connection: duckdb.DuckDBPyConnection
) -> PolicyResult:
    found = connection.execute(
        "SELECT verdict, count(*) FROM findings WHERE policy = ? GROUP BY 1", [bound.id]
    ).fetchall()
    counts = _counts(found)
    error = parts.outcomes[bound.id].error
    touching = _touching(bound, gaps)
    table = registry.tables()[bound.policy.table]
    looked = [record.scope.name for record in parts.records if _looks(record, table)]
    return PolicyResult(
        policy=bound.policy,
        verdict=_worst(counts, len(touching), bool(error)),
        counts=counts,
        scopes=tuple(looked),
        gaps=len(touching),
        error=error,
        groups=tuple(_groups(bound, parts, touching, connection)),
    )


def _worst(counts: Counts, gaps: int, broken: bool) -> Verdict:
    if counts.failed:
        return Verdict.FAIL
    if counts.unknown or gaps or broken:
        return Verdict.UNKNOWN
    if counts.passed:
        return Verdict.PASS
    return Verdict.WAIVED if counts.waived else Verdict.NOT_APPLICABLE


def _clauses(policies: Sequence[PolicyResult], parts: Parts, gaps: Sequence[Gap]) -> Iterator[ClauseResult]:
    asked = {clause for wanted in parts.info.clauses for clause in expand(wanted)}
    bound = {policy.id: policy for policy in parts.policies}
    for clause in clauses().values():
        family = set(expand(clause.id))
        mine = [result for result in policies if family.intersection(result.policy.clauses)]
        if not (clause.core if not asked else asked.intersection(family)):
            continue
        touching = {id(gap) for result in mine for gap in _touching(bound[result.policy.id], gaps)}
        counts = _sum(result.counts for result in mine)
        yield ClauseResult(
            id=clause.id,
            parent=clause.parent or "",
            core=clause.core,
            summary=clause.summary,
            state=_state(counts, len(touching), any(result.error for result in mine)),
            counts=counts,
            policies=tuple(result.policy.id for result in mine),
            gaps=len(touching),
        )


def _skipped(bound: BoundPolicy) -> SkippedPolicy:
    source = registry.tables()[bound.policy.table].source
    return SkippedPolicy(policy=bound.id, clauses=bound.policy.clauses, source=source)


def _scope(record: ScopeRecord) -> ScopeResult:
    return ScopeResult(
        scope=record.scope,
        started=record.started,
        finished=record.finished,
        rows={segment.table: segment.rows for segment in record.segments},
        calls=record.calls,
        retries=record.retries,
    )


def _locations(parts: Parts, connection: duckdb.DuckDBPyConnection) -> Iterator[Location]:
    """Resources by place, for the collected tables that declare where their data is."""
    planned = {table.table: table for table in parts.plan.tables}
    if "law_place" not in planned or not {"provider", "code", "country", "standing"} <= set(
        planned["law_place"].columns
    ):
        return
    for name, plan in planned.items():
        place = plan.declared().place
        have = {*plan.columns, *(column.name for column in registry.scope_columns(plan.declared()))}
        if place is None or not have.issuperset(place.columns):
            continue
        provider = sql.quote(place.provider) if place.provider else f"r.{sql.name(place.provider_column)}"
        rows = connection.execute(_location_query(name, provider, place.columns)).fetchall()
        for group, owner, code, country, standing, count in rows:
            yield Location(
                group=group,
                table=name,
                provider=owner or "",
                code=code or "",
                country=country or "",
                standing=standing or "unknown",
                resources=count,
            )


def _location_query(table: str, provider: str, codes: tuple[str, ...]) -> str:
    """Resources by group and place; `codes` are a zone and its region, or a region alone."""
    code = _place_code(provider, *(f"r.{sql.name(code)}" for code in codes))
    return (
        f"SELECT r._group, {provider}, {code}, p.country, p.standing, count(*) FROM evidence.{sql.name(table)} r "
        f"LEFT JOIN evidence.law_place p ON p.provider = {provider} AND p.code = {code} GROUP BY ALL ORDER BY ALL"
    )


def _place_code(provider: str, *codes: str) -> str:
    """Which code says where it is, as the policies of 3.13 decide it.

    A listed zone is a place of its own (a local zone of Frankfurt stands in Istanbul); an ordinary zone is its region
    and a letter or number; any other zone is unknown although its region is known.
    """
    region = codes[-1]
    if len(codes) == 1:
        return region
    zone = codes[0]
    listed = f"{zone} IN (SELECT z.code FROM evidence.law_place z WHERE z.provider = {provider})"
    ordinary = f"starts_with({zone}, {region}) AND ({provider} <> 'aws' OR len({zone}) = len({region}) + 1)"
    return (
        f"CASE WHEN {listed} THEN {zone} WHEN coalesce({zone}, '') = '' OR regexp_matches({zone}, '^[0-9]+$') "
        f"OR ({ordinary}) THEN {region} ELSE {zone} END"
    )


def _groups(
    bound: BoundPolicy, parts: Parts, touching: Sequence[Gap], connection: duckdb.DuckDBPyConnection
) -> Iterator[GroupCounts]:
    """A policy's counts by account, cluster or directory: every group that was looked at, also one without findings."""
    table = registry.tables()[bound.policy.table]
    rows = connection.execute(
        f"SELECT coalesce(r._group, f.grp), f.verdict, count(*) FROM findings f "
        f"LEFT JOIN evidence.{sql.name(table.name)} r ON r.rowid = f.row WHERE f.policy = ? GROUP BY 1, 2",
        [bound.id],
    ).fetchall()
    found: dict[str, dict[int, int]] = {record.scope.group: {} for record in parts.records if _looks(record, table)}
    for group, verdict, count in rows:
        found.setdefault(group, {})[verdict] = count
    holes = Counter((gap.source, gap.group) for gap in touching)
    for group in sorted(found):
        gaps = holes.get((table.source, group), 0)
        yield GroupCounts(source=table.source, group=group, counts=_counts(found[group].items()), gaps=gaps)


def _looks(record: ScopeRecord, table: Table) -> bool:
    return record.scope.source == table.source and record.scope.kind == table.scope


def _waivers(parts: Parts, connection: duckdb.DuckDBPyConnection) -> Iterator[WaiverResult]:
    policies = {policy.id: policy for policy in (*parts.policies, *parts.skipped)}
    for waiver in parts.waivers:
        bound = policies.get(waiver.policy)
        if bound is None:  # a waiver of a clause that was not asked for
            continue
        table = registry.tables()[bound.policy.table]
        row = connection.execute(
            f"SELECT count(*) FROM findings f JOIN evidence.{sql.name(table.name)} r ON r.rowid = f.row "
            f"WHERE f.policy = ? AND f.verdict = {sql.WAIVED} AND r.{sql.name(table.key)} GLOB ? "
            "AND (? = '' OR r._group = ?)",
            [waiver.policy, waiver.resource, waiver.group, waiver.group],
        ).fetchone()
        count = int(row[0]) if row else 0
        expired = parts.info.audit_time[:10] > waiver.expires
        state = WaiverState.EXPIRED if expired else WaiverState.ACTIVE if count else WaiverState.UNUSED
        yield WaiverResult(waiver=waiver, clauses=bound.policy.clauses, state=state, findings=count)
