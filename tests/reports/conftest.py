"""Builds the results that the report tests render: `sample.yaml` is a small municipality's estate in two accounts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent import documents
from agent.model import Finding, Gap, Policy, Scope, Texts, Verdict
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
from tests.reports.listed import ListedFindings

HERE = Path(__file__).parent
ACCOUNTS = ("111111111111", "222222222222")
REGIONS = ("ap-south-1", "ap-southeast-1", "eu-central-1", "eu-west-1", "us-east-1")
REGISTERS = ("restore_drill_register", "transfer_register")


class SampleClause(msgspec.Struct, frozen=True):
    """A clause as the sample writes it."""

    id: str
    parent: str
    core: bool
    summary: Texts


class SampleFinding(msgspec.Struct, frozen=True):
    """A finding as the sample writes it; the rest follows from its policy."""

    policy: str
    verdict: Verdict
    resource: str
    reason: str
    calls: tuple[str, ...]
    scope: str = "aws/111111111111"
    evidence: dict[str, Any] = {}


class Sample(msgspec.Struct, frozen=True):
    """The file `sample.yaml`."""

    clauses: tuple[SampleClause, ...]
    policies: tuple[Policy, ...]
    passes: dict[str, int]
    findings: tuple[SampleFinding, ...]
    gaps: tuple[Gap, ...]
    locations: tuple[Location, ...]
    skipped: tuple[SkippedPolicy, ...]
    waivers: tuple[WaiverResult, ...]


def count(verdicts: Iterable[Verdict]) -> Counts:
    """Counts of some verdicts."""
    seen = list(verdicts)
    return Counts(
        passed=seen.count(Verdict.PASS),
        failed=seen.count(Verdict.FAIL),
        unknown=seen.count(Verdict.UNKNOWN),
        waived=seen.count(Verdict.WAIVED),
    )


def state_of(counts: Counts, gaps: int) -> ClauseState:
    """The design's rule for a clause."""
    if counts.failed:
        return ClauseState.FAILS
    if counts.unknown or gaps:
        return ClauseState.UNKNOWN
    return ClauseState.HOLDS if counts.total else ClauseState.NOT_ASSESSED


def verdict_of(counts: Counts, gaps: int) -> Verdict:
    """The worst of a policy's findings; with a gap it never passes."""
    if counts.failed:
        return Verdict.FAIL
    if counts.unknown or gaps:
        return Verdict.UNKNOWN
    if counts.passed:
        return Verdict.PASS
    return Verdict.WAIVED if counts.waived else Verdict.NOT_APPLICABLE


def finding(policy: Policy, verdict: Verdict, resource: str, **changes: Any) -> Finding:
    """One finding of a policy, with what is not given filled in."""
    scope = changes.pop("scope", "aws/111111111111")
    fields: dict[str, Any] = {
        "reason": "",
        "evidence": {},
        "calls": ("ListBuckets",),
        "read_at": "2026-11-22T23:04:10Z",
        "digest": hashlib.sha256(f"{scope}{resource}".encode()).hexdigest(),
        **changes,
    }
    return Finding(
        id=hashlib.sha256(f"{policy.id}\0{scope}\0{resource}".encode()).hexdigest()[:16],
        policy=policy.id,
        clauses=policy.clauses,
        severity=policy.severity,
        verdict=verdict,
        resource=resource,
        scope=scope,
        group=scope.split("/")[1],
        table=policy.table,
        **fields,
    )


def passes(policy: Policy, number: int) -> list[Finding]:
    """Findings that need no telling."""
    scope = f"registers/{policy.table}" if policy.table.endswith("register") else "aws/111111111111"
    kind = policy.table.removeprefix("aws_").replace("_", "-")
    return [finding(policy, Verdict.PASS, f"{kind}-{index:03}", scope=scope) for index in range(number)]


def sample_findings(sample: Sample) -> list[Finding]:
    """All findings of the sample, in the order that a result promises."""
    found: list[Finding] = []
    for policy in sample.policies:
        told = [
            finding(policy, f.verdict, f.resource, scope=f.scope, reason=f.reason, evidence=f.evidence, calls=f.calls)
            for f in sample.findings
            if f.policy == policy.id
        ]
        every = told + passes(policy, sample.passes.get(policy.id, 0))
        found += sorted(every, key=lambda f: (f.scope, f.resource))
    return found


def policy_result(
    policy: Policy, findings: list[Finding], gaps: tuple[Gap, ...], scopes: tuple[ScopeResult, ...]
) -> PolicyResult:
    """A policy's outcome, counted from its findings."""
    own = [f for f in findings if f.policy == policy.id]
    touching = [gap for gap in gaps if gap.table == policy.table]
    source = "registers" if policy.table.endswith("register") else "aws"
    looked = [read.scope for read in scopes if policy.table in read.rows]
    groups = sorted({scope.group for scope in looked} | {f.group for f in own} | {gap.group for gap in touching})
    counts = count(f.verdict for f in own)
    return PolicyResult(
        policy=policy,
        verdict=verdict_of(counts, len(touching)),
        counts=counts,
        scopes=tuple(scope.name for scope in looked),
        gaps=len(touching),
        groups=tuple(
            GroupCounts(
                source=source,
                group=group,
                counts=count(f.verdict for f in own if f.group == group),
                gaps=sum(gap.group == group for gap in touching),
            )
            for group in groups
        ),
    )


def clause_result(clause: SampleClause, policies: tuple[PolicyResult, ...], gaps: tuple[Gap, ...]) -> ClauseResult:
    """A clause's outcome; a parent takes in its children."""
    own = [
        outcome
        for outcome in policies
        if any(target == clause.id or target.startswith(f"{clause.id}.") for target in outcome.policy.clauses)
    ]
    counts = sum((outcome.counts for outcome in own), Counts())
    touching = sum(any(gap.table == outcome.policy.table for outcome in own) for gap in gaps)
    return ClauseResult(
        id=clause.id,
        parent=clause.parent,
        core=clause.core,
        summary=clause.summary,
        state=state_of(counts, touching),
        counts=counts,
        policies=tuple(outcome.policy.id for outcome in own),
        gaps=touching,
    )


def sample_scopes() -> tuple[ScopeResult, ...]:
    """The scopes that the sample was read from."""
    rows = {"aws_rds_db_instance": 1, "aws_ebs_volume": 9, "aws_cloudtrail_trail": 1, "aws_backup_plan": 0}
    found = [
        _scope("aws", kind, account, name, rows if kind == "region" else {"aws_account": 1, "aws_s3_bucket": 6})
        for account in ACCOUNTS
        for kind, name in (("account", account), *(("region", f"{account}/{region}") for region in REGIONS))
    ]
    found += [_scope("registers", "register", name, name, {name: 3}) for name in REGISTERS]
    return tuple(found)


def _scope(source: str, kind: str, group: str, name: str, rows: dict[str, int]) -> ScopeResult:
    scope = Scope(source=source, kind=kind, group=group, name=f"{source}/{name}")
    return ScopeResult(
        scope=scope, started="2026-11-22T23:04:02Z", finished="2026-11-22T23:05:41Z", rows=rows, calls=37, retries=2
    )


def run_info() -> RunInfo:
    """The sample's run."""
    return RunInfo(
        id="20261122T230400Z-7f3a",
        clausule_version="0.1.0",
        audit_time="2026-11-22T23:04:00Z",
        started="2026-11-22T23:04:00Z",
        finished="2026-11-22T23:05:52Z",
        agreement="Verwerkersovereenkomst Stad Voorbeeld / Datahuis nv",
        clauses=(),
        reading_3_13="chapter_v",
        policies_digest=hashlib.sha256(b"policies").hexdigest(),
        law_as_of="2026-11-20",
        law_digest=hashlib.sha256(b"law").hexdigest(),
        previous_manifest=hashlib.sha256(b"previous").hexdigest(),
    )


def load_sample() -> Sample:
    """The sample as it is written."""
    return documents.load(HERE / "sample.yaml", Sample)


def result_of(sample: Sample, findings: list[Finding]) -> Result:
    """A whole result, its counts and states following from the findings and gaps."""
    scopes = sample_scopes()
    policies = tuple(policy_result(policy, findings, sample.gaps, scopes) for policy in sample.policies)
    clauses = tuple(clause_result(clause, policies, sample.gaps) for clause in sample.clauses)
    counts = sum((outcome.counts for outcome in policies), Counts())
    return Result(
        run=run_info(),
        state=state_of(counts, len(sample.gaps)),
        counts=counts,
        clauses=clauses,
        policies=policies,
        skipped=sample.skipped,
        gaps=sample.gaps,
        scopes=scopes,
        locations=sample.locations,
        findings=ListedFindings(findings),
        waivers=sample.waivers,
    )


@pytest.fixture(scope="session")
def sample() -> Sample:
    """The sample as it is written."""
    return load_sample()


@pytest.fixture(scope="session")
def result(sample: Sample) -> Result:
    """A realistic result: failures, gaps, waivers, skipped policies, data in several countries."""
    return result_of(sample, sample_findings(sample))
