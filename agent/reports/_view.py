"""What the reports for people show, worked out once: clauses with their policies, gaps by cause, places by standing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

import msgspec

from agent.model import Finding, Gap, GapKind, Verdict
from agent.result import SEVERITIES, ClauseResult, ClauseState, Counts, Location, PolicyResult, Result

STANDINGS = ("none", "unknown", "adequate_conditional", "adequate", "inside")
"""How a place can stand under clause 3.13, the worst first."""


class GapGroup(msgspec.Struct, frozen=True):
    """Gaps with one cause and so one remedy."""

    source: str
    call: str
    kind: GapKind
    permission: str
    gaps: tuple[Gap, ...]

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that miss something."""
        return tuple(sorted({gap.table for gap in self.gaps}))

    @property
    def scopes(self) -> tuple[str, ...]:
        """Where."""
        return tuple(sorted({gap.scope for gap in self.gaps}))


class Place(msgspec.Struct, frozen=True):
    """All that is in one country, or in one place whose country is not known."""

    standing: str
    country: str
    locations: tuple[Location, ...]

    @property
    def resources(self) -> int:
        """How many there are."""
        return sum(location.resources for location in self.locations)

    @property
    def codes(self) -> tuple[str, ...]:
        """Provider and region or zone, as far as they are known."""
        named = {"/".join(filter(None, (at.provider, at.code))) for at in self.locations if at.code}
        return tuple(sorted(named))

    @property
    def groups(self) -> tuple[str, ...]:
        """The accounts and clusters."""
        return tuple(sorted({location.group for location in self.locations}))

    @property
    def tables(self) -> tuple[tuple[str, int], ...]:
        """Resources by kind."""
        found: dict[str, int] = defaultdict(int)
        for location in self.locations:
            found[location.table] += location.resources
        return tuple(sorted(found.items()))


class Section(msgspec.Struct, frozen=True):
    """A clause with the policies that are told under it; a policy is told once, under the first of its clauses."""

    clause: ClauseResult
    policies: tuple[PolicyResult, ...]
    children: tuple[Section, ...] = ()


def gap_groups(result: Result) -> tuple[GapGroup, ...]:
    """Every gap of the result, by cause; the cause with the most gaps first."""
    found: dict[tuple[str, str, GapKind, str], list[Gap]] = defaultdict(list)
    for gap in result.gaps:
        found[gap.source, gap.call, gap.kind, gap.permission].append(gap)
    ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(GapGroup(*cause, tuple(gaps)) for cause, gaps in ordered)


def places(result: Result) -> tuple[Place, ...]:
    """Where the data is, the worst standing first, then the most resources."""
    found: dict[tuple[str, str], list[Location]] = defaultdict(list)
    for location in result.locations:
        found[location.standing, location.country].append(location)
    made = [Place(standing, country, tuple(locations)) for (standing, country), locations in found.items()]
    return tuple(sorted(made, key=lambda place: (_rank(place.standing), -place.resources, place.country)))


def by_standing(result: Result) -> tuple[tuple[str, int], ...]:
    """Resources by standing, those that occur, the worst first."""
    found: dict[str, int] = defaultdict(int)
    for location in result.locations:
        found[location.standing] += location.resources
    return tuple(sorted(found.items(), key=lambda item: _rank(item[0])))


def sections(result: Result) -> tuple[Section, ...]:
    """The clauses that have policies, parents with their children, every policy exactly once."""
    told = _by_home(result)
    parents = [clause for clause in result.clauses if not clause.parent]
    known = {clause.id for clause in parents}
    made = [_section(parent, _children(result, parent.id), told) for parent in parents]
    orphans = [clause for clause in result.clauses if clause.parent and clause.parent not in known]
    made += [_section(clause, [], told) for clause in orphans]
    return tuple(section for section in made if section.policies or section.children or section.clause.core)


def unassessed(result: Result) -> tuple[ClauseResult, ...]:
    """The clauses about which no policy of this run says anything."""
    return tuple(clause for clause in result.clauses if not clause.policies)


def failing_clauses(result: Result, state: ClauseState) -> list[str]:
    """The ids of the top-level clauses in a state."""
    return [clause.id for clause in result.clauses if not clause.parent and clause.state is state]


def failing_policies(result: Result) -> tuple[PolicyResult, ...]:
    """The policies that fail, the most severe first, then the most failures."""
    return _worst_first(result, lambda counts: counts.failed)


def undecided_policies(result: Result) -> tuple[PolicyResult, ...]:
    """The policies with unknown findings, the most severe first, then the most of them."""
    return _worst_first(result, lambda counts: counts.unknown)


def _worst_first(result: Result, number: Callable[[Counts], int]) -> tuple[PolicyResult, ...]:
    found = [outcome for outcome in result.policies if number(outcome.counts)]
    severity = SEVERITIES.index
    return tuple(sorted(found, key=lambda o: (severity(o.policy.severity), -number(o.counts), o.policy.id)))


def skipped_by_source(result: Result) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What was not looked at because nothing of its source is configured."""
    found: dict[str, list[str]] = defaultdict(list)
    for skipped in result.skipped:
        found[skipped.source].append(skipped.policy)
    return tuple((source, tuple(sorted(found[source]))) for source in sorted(found))


def capped(result: Result, policy: str, verdict: Verdict, limit: int) -> tuple[Finding, ...]:
    """The first findings of a policy with one verdict."""
    return tuple(result.findings.of(policy, frozenset({verdict}), limit))


def counts_of(counts: Counts) -> tuple[tuple[Verdict, int], ...]:
    """Counts by verdict, in the order in which bars and legends show them."""
    return (
        (Verdict.PASS, counts.passed),
        (Verdict.WAIVED, counts.waived),
        (Verdict.UNKNOWN, counts.unknown),
        (Verdict.FAIL, counts.failed),
    )


def _rank(standing: str) -> int:
    return STANDINGS.index(standing) if standing in STANDINGS else 0


def _by_home(result: Result) -> dict[str, list[PolicyResult]]:
    known = {clause.id for clause in result.clauses}
    told: dict[str, list[PolicyResult]] = defaultdict(list)
    for outcome in result.policies:
        told[_home(outcome.policy.clauses, known)].append(outcome)
    return told


def _home(clauses: tuple[str, ...], known: set[str]) -> str:
    """The first of a policy's clauses that the result tells of; else the parent of its first."""
    return next((clause for clause in clauses if clause in known), clauses[0].rpartition(".")[0])


def _children(result: Result, parent: str) -> list[ClauseResult]:
    return [clause for clause in result.clauses if clause.parent == parent]


def _section(clause: ClauseResult, children: list[ClauseResult], told: dict[str, list[PolicyResult]]) -> Section:
    parts = [Section(child, tuple(told[child.id])) for child in children if child.policies]
    return Section(clause, tuple(told[clause.id]), tuple(parts))


def walk(parts: Iterable[Section]) -> Iterator[Section]:
    """Sections and their children, as they are told."""
    for part in parts:
        yield part
        yield from walk(part.children)
