"""The frozen result of an audit: what every report and metric is a function of.

Small parts (clauses, policies, gaps, scopes, locations) are held; findings can be millions and are read through
`Findings`, always in the same order: policies as in `Result.policies`, then scope, then resource.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Protocol

import msgspec

from agent.model import Finding, Gap, Policy, Scope, Severity, Texts, Verdict, Waiver


class ClauseState(StrEnum):
    """Whether a promise is kept, as far as this run could see."""

    HOLDS = "holds"
    FAILS = "fails"
    UNKNOWN = "unknown"
    NOT_ASSESSED = "not_assessed"


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Findings by verdict. `assessed of total` is the denominator that every report shows."""

    passed: int = 0
    failed: int = 0
    unknown: int = 0
    waived: int = 0

    @property
    def total(self) -> int:
        """All findings."""
        return self.passed + self.failed + self.unknown + self.waived

    @property
    def assessed(self) -> int:
        """Findings for which there was evidence."""
        return self.total - self.unknown

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            passed=self.passed + other.passed,
            failed=self.failed + other.failed,
            unknown=self.unknown + other.unknown,
            waived=self.waived + other.waived,
        )


class GroupCounts(msgspec.Struct, frozen=True, kw_only=True):
    """One policy's outcome in one account, cluster, directory or register: what metrics per scope are made from."""

    source: str
    group: str
    counts: Counts
    gaps: int
    """How many gaps of that group touch what the policy reads."""


class PolicyResult(msgspec.Struct, frozen=True, kw_only=True):
    """One policy's outcome. `verdict` is the worst of its findings; without any it is `not_applicable`."""

    policy: Policy
    verdict: Verdict
    counts: Counts
    scopes: tuple[str, ...]
    """Names of the scopes that were looked at for it."""
    gaps: int
    """How many gaps touch what it reads."""
    error: str = ""
    """Why it could not be evaluated; all its findings are then unknown."""
    groups: tuple[GroupCounts, ...] = ()
    """Its counts by group, one for every group that was looked at for it; they add up to `counts`."""


class ClauseResult(msgspec.Struct, frozen=True, kw_only=True):
    """One clause or sub-obligation. A parent's counts include those of its children."""

    id: str
    parent: str
    core: bool
    summary: Texts
    state: ClauseState
    counts: Counts
    policies: tuple[str, ...]
    """Ids of the policies that point at it (for a parent: at it or at a child)."""
    gaps: int


class ScopeResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was read in one scope."""

    scope: Scope
    started: str
    finished: str
    rows: dict[str, int]
    """Rows by table."""
    calls: int
    retries: int


class Location(msgspec.Struct, frozen=True, kw_only=True):
    """How many resources of one kind are in one place, and how that place stands under clause 3.13."""

    group: str
    table: str
    provider: str
    code: str
    country: str
    """ISO 3166-1 alpha-2; empty when the place is unknown."""
    standing: str
    """`inside`, `adequate`, `adequate_conditional`, `none` or `unknown`."""
    resources: int


class SkippedPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that could not apply, because nothing of its source is configured."""

    policy: str
    clauses: tuple[str, ...]
    source: str


class WaiverState(StrEnum):
    """What became of a waiver in a run."""

    ACTIVE = "active"
    EXPIRED = "expired"
    UNUSED = "unused"


class WaiverResult(msgspec.Struct, frozen=True, kw_only=True):
    """A waiver of the configuration, and what it did."""

    waiver: Waiver
    clauses: tuple[str, ...]
    """The clauses of its policy."""
    state: WaiverState
    """Active when it turned a failure into `waived`; unused when it met none; expired counts for nothing."""
    findings: int
    """How many findings it waived."""


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Which run this is and what it was judged by."""

    id: str
    clausule_version: str
    audit_time: str
    """What counts as now for every policy, RFC 3339 in UTC."""
    started: str
    finished: str
    agreement: str
    """How the user calls the agreement; may be empty."""
    clauses: tuple[str, ...]
    """The clauses asked for; empty for all."""
    reading_3_13: str
    policies_digest: str
    law_as_of: str
    """The day that the legal facts were last checked."""
    law_digest: str
    previous_manifest: str
    """SHA-256 of the previous run's manifest; empty for the first run in a store."""


class Findings(Protocol):
    """A way to read the findings of a run without holding them all."""

    def of(
        self, policy: str, verdicts: frozenset[Verdict] | None = None, limit: int | None = None
    ) -> Iterator[Finding]:
        """The findings of one policy, all verdicts or some, at most `limit`."""
        ...


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A whole audit."""

    run: RunInfo
    state: ClauseState
    counts: Counts
    clauses: tuple[ClauseResult, ...]
    policies: tuple[PolicyResult, ...]
    skipped: tuple[SkippedPolicy, ...]
    gaps: tuple[Gap, ...]
    scopes: tuple[ScopeResult, ...]
    locations: tuple[Location, ...]
    waivers: tuple[WaiverResult, ...]
    findings: Findings

    @property
    def exit_code(self) -> int:
        """0 every assessed clause holds, 1 something fails, 2 evidence is missing, 3 nothing was there to assess."""
        return {ClauseState.HOLDS: 0, ClauseState.FAILS: 1, ClauseState.UNKNOWN: 2, ClauseState.NOT_ASSESSED: 3}[
            self.state
        ]


SEVERITIES = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)
