"""The JSON report as structs: what is written, and what its published JSON Schema is generated from.

The schema is versioned by its name, `clausule/report/1`. Keys may be added within a version, so a reader must ignore
keys that it does not know; taking one away or changing a meaning makes version 2. Leaf structs of the model are used
as they are: a change there changes the generated schema, and the test that compares it asks whether it was meant.

`python -m agent.reports._document` writes the schema anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from agent.model import Finding, Gap, Severity, Texts, Verdict
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
)

SCHEMA_NAME: Literal["clausule/report/1"] = "clausule/report/1"
SCHEMA_FILE = Path(__file__).parent / "schema" / "report-1.schema.json"


class CountsOut(msgspec.Struct, frozen=True, kw_only=True):
    """Findings by verdict. `assessed` of `total` had evidence; the others are `unknown`."""

    total: int
    assessed: int
    passed: int
    failed: int
    unknown: int
    waived: int


class ClauseOut(msgspec.Struct, frozen=True, kw_only=True):
    """One clause or sub-obligation of the agreement; a parent's counts include those of its children."""

    id: str
    parent: str
    core: bool
    summary: Texts
    state: ClauseState
    counts: CountsOut
    gaps: int
    policies: tuple[str, ...]


class GroupOut(msgspec.Struct, frozen=True, kw_only=True):
    """A policy's counts in one account, cluster, directory or register."""

    source: str
    group: str
    counts: CountsOut
    gaps: int


class PolicyOut(msgspec.Struct, frozen=True, kw_only=True, rename={"pass_": "pass"}):
    """One policy as it was applied, and its outcome. Without findings its verdict is `not_applicable`."""

    id: str
    clauses: tuple[str, ...]
    severity: Severity
    table: str
    where: str
    pass_: str
    params: dict[str, Any]
    title: Texts
    remedy: Texts
    note: Texts | None
    references: dict[str, tuple[str, ...]]
    verdict: Verdict
    counts: CountsOut
    gaps: int
    scopes: tuple[str, ...]
    groups: tuple[GroupOut, ...]
    error: str


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The whole report but its findings: small, also for a large estate."""

    schema: Literal["clausule/report/1"]
    run: RunInfo
    state: ClauseState
    exit_code: int
    counts: CountsOut
    clauses: tuple[ClauseOut, ...]
    policies: tuple[PolicyOut, ...]
    skipped: tuple[SkippedPolicy, ...]
    waivers: tuple[WaiverResult, ...]
    gaps: tuple[Gap, ...]
    scopes: tuple[ScopeResult, ...]
    locations: tuple[Location, ...]


class Report(Head, frozen=True, kw_only=True):
    """One audit by Clausule: each clause of the agreement, what was looked at, and what could not be seen.

    Findings are in the order of `policies`, then by scope and resource.
    """

    findings: tuple[Finding, ...]


def head(result: Result) -> Head:
    """Everything of a result but its findings."""
    return Head(
        schema=SCHEMA_NAME,
        run=result.run,
        state=result.state,
        exit_code=result.exit_code,
        counts=_counts(result.counts),
        clauses=tuple(map(_clause, result.clauses)),
        policies=tuple(map(_policy, result.policies)),
        skipped=result.skipped,
        waivers=result.waivers,
        gaps=result.gaps,
        scopes=result.scopes,
        locations=result.locations,
    )


def schema() -> bytes:
    """The JSON Schema (2020-12) of a report, as it is published."""
    document: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{SCHEMA_NAME.replace('/', ':')}",
        "title": SCHEMA_NAME,
        **msgspec.json.schema(Report),
    }
    return msgspec.json.format(msgspec.json.encode(document, order="deterministic"), indent=2) + b"\n"


def _counts(counts: Counts) -> CountsOut:
    return CountsOut(
        total=counts.total,
        assessed=counts.assessed,
        passed=counts.passed,
        failed=counts.failed,
        unknown=counts.unknown,
        waived=counts.waived,
    )


def _clause(clause: ClauseResult) -> ClauseOut:
    return ClauseOut(
        id=clause.id,
        parent=clause.parent,
        core=clause.core,
        summary=clause.summary,
        state=clause.state,
        counts=_counts(clause.counts),
        gaps=clause.gaps,
        policies=clause.policies,
    )


def _policy(outcome: PolicyResult) -> PolicyOut:
    policy = outcome.policy
    return PolicyOut(
        id=policy.id,
        clauses=policy.clauses,
        severity=policy.severity,
        table=policy.table,
        where=policy.where,
        pass_=policy.pass_,
        params=policy.params,
        title=policy.title,
        remedy=policy.remedy,
        note=policy.note,
        references=policy.references,
        verdict=outcome.verdict,
        counts=_counts(outcome.counts),
        gaps=outcome.gaps,
        scopes=outcome.scopes,
        groups=tuple(map(_group, outcome.groups)),
        error=outcome.error,
    )


def _group(group: GroupCounts) -> GroupOut:
    return GroupOut(source=group.source, group=group.group, counts=_counts(group.counts), gaps=group.gaps)


if __name__ == "__main__":
    SCHEMA_FILE.write_bytes(schema())
