"""The frozen result, made from what a run holds: its plan, policies, scope commits, evidence and findings.

The same function serves the run that was just made and one that is opened again next year.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import duckdb
import msgspec

from agent import registry, sql
from agent.clauses import clauses, expand
from agent.collect import ScopeRecord
from agent.collect import gaps as all_gaps
from agent.engine import touches
from agent.findings import StoredFindings
from agent.judge import Outcome
from agent.locations import locations
from agent.model import Gap, Table, Verdict, Waiver
from agent.plan import Plan
from agent.policy import BoundPolicy
from agent.result import (
    ClauseResult,
    ClauseState,
    Counts,
    GroupCounts,
    PolicyResult,
    Result,
    RunInfo,
    ScopeResult,
    SkippedPolicy,
    WaiverResult,
    WaiverState,
)


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
        locations=tuple(locations(parts.plan, connection)),
        waivers=tuple(_waivers(parts, connection)),
        findings=StoredFindings(connection, (*parts.policies, *parts.skipped)),
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
