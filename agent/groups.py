"""A result seen by account, cluster, directory or register: the rules for a clause and a policy, within one group."""

from __future__ import annotations

from collections import defaultdict

from agent.model import Verdict
from agent.result import ClauseResult, ClauseState, Counts, GroupCounts, PolicyResult, Result

Part = tuple[PolicyResult, GroupCounts]
"""A policy and what it found in one group."""


class InconsistentResultError(ValueError):
    """A result whose counts by group are not those of its policies: publishing it could hide a failure."""


def check(result: Result) -> None:
    """Raise `InconsistentResultError` unless the counts by group add up to those of each policy."""
    for outcome in result.policies:
        counted = sum((group.counts for group in outcome.groups), Counts())
        if counted != outcome.counts:
            raise InconsistentResultError(f"{outcome.policy.id}: its groups count {counted}, not {outcome.counts}")


def state(counts: Counts, unseen: bool) -> ClauseState:
    """The rule for a clause, within one group."""
    if counts.failed:
        return ClauseState.FAILS
    if counts.unknown or unseen:
        return ClauseState.UNKNOWN
    return ClauseState.HOLDS if counts.total else ClauseState.NOT_ASSESSED


def verdict(outcome: PolicyResult, group: GroupCounts) -> Verdict:
    """A policy's verdict within one group: the worst of its findings there."""
    counts = group.counts
    if counts.failed:
        return Verdict.FAIL
    if counts.unknown or group.gaps or outcome.error:
        return Verdict.UNKNOWN
    if counts.passed:
        return Verdict.PASS
    return Verdict.WAIVED if counts.waived else Verdict.NOT_APPLICABLE


def by_group(result: Result, clause: ClauseResult) -> dict[str, list[Part]]:
    """The policies of a clause, by the groups that they looked at."""
    wanted = set(clause.policies)
    found: dict[str, list[Part]] = defaultdict(list)
    for outcome in result.policies:
        if outcome.policy.id in wanted:
            for group in outcome.groups:
                found[group.group].append((outcome, group))
    return found
