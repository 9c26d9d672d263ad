"""The result of a run as Prometheus metrics: few families, made when scraped, in a registry of their own.

Decisions. The label `scope` is a group (an account, cluster, directory or register), so that series stay few; resource
ids stay in the reports. States are one-hot over a fixed set and zeros are written, so that a series does not vanish
when things get better. Ages are never written, only the moment of the oldest evidence: an age that was pushed
freezes, and PromQL can subtract. Samples carry no timestamps. The one thing that is left out rather than written as
zero is what was not seen: a group whose places are not known has no count of places outside the Union.

`docs/metrics.md` explains each family; a test holds the two together.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from agent import groups
from agent.model import GapKind, Verdict
from agent.plain import visible
from agent.result import ClauseState, Counts, GroupCounts, Result, WaiverState

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Metric

NOT_ADEQUATE = ("adequate_conditional", "none", "unknown")
"""The standings of a place where data may only be under conditions, with safeguards, or for which nobody can say."""

_DRILLS = "restore_drill_register"
_ARN_PARTS = 6
_DAY = 86_400.0

Labels = tuple[str, ...]
Samples = Iterable[tuple[Labels, float]]


class Family(msgspec.Struct, frozen=True):
    """One metric: its name, labels and samples; its help text is the docstring of what makes the samples."""

    name: str
    labels: Labels
    samples: Callable[[Result], Samples]

    @property
    def help(self) -> str:
        """What Prometheus shows."""
        return self.samples.__doc__ or ""


FAMILIES: list[Family] = []
"""Every family, in the order in which it is written."""


def _family(name: str, *labels: str) -> Callable[[Callable[[Result], Samples]], Callable[[Result], Samples]]:
    """Make a function of the result a gauge."""

    def add(samples: Callable[[Result], Samples]) -> Callable[[Result], Samples]:
        FAMILIES.append(Family(name, labels, samples))
        return samples

    return add


def registry(result: Result) -> CollectorRegistry:
    """A registry with this result's metrics and nothing else; raises what `groups.check` raises."""
    from prometheus_client import CollectorRegistry  # noqa: PLC0415

    groups.check(result)
    made = CollectorRegistry(auto_describe=False)
    made.register(_Collector(result))
    return made


class _Collector:
    """What prometheus-client asks for the families at each scrape."""

    def __init__(self, result: Result) -> None:
        self._result = result

    def describe(self) -> list[Metric]:
        """Nothing: so registering does not collect."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The families, their samples in the order of their labels."""
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415

        for family in FAMILIES:
            gauge = GaugeMetricFamily(family.name, family.help, labels=family.labels)
            for values, number in sorted(family.samples(self._result)):
                gauge.add_metric([visible(value) for value in values], number)
            yield gauge


@_family("clausule_clause_status", "clause", "scope", "state")
def _clause_status(result: Result) -> Samples:
    """Whether a clause holds in an account, cluster, directory or register: 1 for its state, 0 for the others."""
    for clause in result.clauses:
        for group, parts in groups.by_group(result, clause).items():
            counts = sum((part.counts for _, part in parts), Counts())
            now = groups.state(counts, any(part.gaps or outcome.error for outcome, part in parts))
            for state in ClauseState:
                yield (clause.id, group, state.value), float(state is now)


@_family("clausule_clause_overall_status", "clause", "state")
def _clause_overall_status(result: Result) -> Samples:
    """Whether a clause holds in the whole run: 1 for its state, 0 for the others."""
    for clause in result.clauses:
        for state in ClauseState:
            yield (clause.id, state.value), float(state is clause.state)


@_family("clausule_controls", "clause", "scope", "state")
def _controls(result: Result) -> Samples:
    """Policies of a clause by their verdict in a scope."""
    for clause in result.clauses:
        for group, parts in groups.by_group(result, clause).items():
            verdicts = [groups.verdict(outcome, part) for outcome, part in parts]
            for verdict in Verdict:
                yield (clause.id, group, verdict.value), float(verdicts.count(verdict))


@_family("clausule_coverage_ratio", "scope", "collector")
def _coverage_ratio(result: Result) -> Samples:
    """Share of the findings for which there was evidence."""
    found: dict[tuple[str, str], list[GroupCounts]] = defaultdict(list)
    for outcome in result.policies:
        for group in outcome.groups:
            found[group.group, group.source].append(group)
    for labels, parts in found.items():
        counts = sum((part.counts for part in parts), Counts())
        if counts.total:
            yield labels, counts.assessed / counts.total
        elif any(part.gaps for part in parts):
            yield labels, 0.0


@_family("clausule_evidence_oldest_timestamp_seconds", "scope", "collector")
def _evidence_oldest(result: Result) -> Samples:
    """When the oldest evidence of a scope was read."""
    found: dict[tuple[str, str], float] = {}
    for read in result.scopes:
        labels, moment = (read.scope.group, read.scope.source), _seconds(read.started)
        found[labels] = min(moment, found.get(labels, moment))
    yield from found.items()


@_family("clausule_nonadequate_locations", "scope", "jurisdiction_class")
def _nonadequate_locations(result: Result) -> Samples:
    """Regions and zones with resources, in countries that are not inside the Union and not adequate."""
    found: dict[str, dict[str, set[tuple[str, str]]]] = defaultdict(lambda: defaultdict(set))
    for location in result.locations:
        found[location.group][location.standing].add((location.provider, location.code))
    for group, standings in found.items():
        for standing in NOT_ADEQUATE:
            yield (group, standing), float(len(standings[standing]))


@_family("clausule_restore_test_last_success_timestamp_seconds", "scope", "resource_class")
def _restore_test(result: Result) -> Samples:
    """The day of the last successful restore test in the register."""
    until = result.run.audit_time[:10]
    found: dict[Labels, float] = {}
    for outcome in result.policies:
        if outcome.policy.table != _DRILLS:
            continue
        for finding in result.findings.of(outcome.policy.id):
            shown = finding.evidence
            performed = str(shown.get("performed") or "")[:10]
            if finding.verdict is not Verdict.UNKNOWN and _succeeded(shown) and performed and performed <= until:
                labels = _resource_class(str(shown.get("resource") or ""), finding.group)
                found[labels] = max(_seconds(performed), found.get(labels, 0.0))
    yield from found.items()


def _succeeded(shown: dict[str, object]) -> bool:
    """Whether the register shows a success that nothing beside it denies."""
    denied = shown.get("validated") is False or shown.get("document_matches") is False
    return shown.get("outcome") == "success" and not denied


def _resource_class(resource: str, group: str) -> Labels:
    """Account and service of an ARN; for other names the register and `other`."""
    parts = resource.split(":", _ARN_PARTS - 1)
    if len(parts) < _ARN_PARTS or parts[0] != "arn":
        return (group, "other")
    return (parts[4] or group, parts[2])


@_family("clausule_waivers", "clause", "state")
def _waivers(result: Result) -> Samples:
    """Waivers of a clause by what became of them."""
    for clause in result.clauses:
        own = [given for given in result.waivers if given.waiver.policy in clause.policies]
        for state in WaiverState:
            yield (clause.id, state.value), float(sum(given.state is state for given in own))


@_family("clausule_waiver_next_expiry_timestamp_seconds", "clause")
def _waiver_expiry(result: Result) -> Samples:
    """When the first waiver in use of a clause ends."""
    active = [given.waiver for given in result.waivers if given.state is WaiverState.ACTIVE]
    for clause in result.clauses:
        ends = [_seconds(waiver.expires) + _DAY for waiver in active if waiver.policy in clause.policies]
        if ends:
            yield (clause.id,), min(ends)


@_family("clausule_gaps", "scope", "collector", "kind")
def _gaps(result: Result) -> Samples:
    """Questions that were not answered, by why."""
    found: dict[tuple[str, str], dict[GapKind, int]] = {
        (read.scope.group, read.scope.source): {} for read in result.scopes
    }
    for gap in result.gaps:
        kinds = found.setdefault((gap.group, gap.source), {})
        kinds[gap.kind] = kinds.get(gap.kind, 0) + 1
    for (group, source), kinds in found.items():
        for kind in GapKind:
            yield (group, source, kind.value), float(kinds.get(kind, 0))


@_family("clausule_run_duration_seconds", "stage")
def _duration(result: Result) -> Samples:
    """How long the last audit took, by stage."""
    yield ("total",), _seconds(result.run.finished) - _seconds(result.run.started)
    if result.scopes:
        started = min(_seconds(read.started) for read in result.scopes)
        yield ("collect",), max(_seconds(read.finished) for read in result.scopes) - started


@_family("clausule_run_last_completion_timestamp_seconds")
def _completed(result: Result) -> Samples:
    """When the last audit ended."""
    yield (), _seconds(result.run.finished)


@_family("clausule_run_last_success_timestamp_seconds")
def _finished(result: Result) -> Samples:
    """When the last audit ended that could be done, whatever it found; absent when there was nothing to assess."""
    if result.state is not ClauseState.NOT_ASSESSED:
        yield (), _seconds(result.run.finished)


@_family("clausule_skipped_controls", "collector")
def _skipped(result: Result) -> Samples:
    """Policies that could not apply because nothing of their source is configured."""
    found: dict[Labels, float] = defaultdict(float)
    for skipped in result.skipped:
        found[(skipped.source,)] += 1
    yield from found.items()


@_family("clausule_build_info", "version")
def _build_info(result: Result) -> Samples:
    """Which Clausule made these metrics."""
    yield (result.run.clausule_version,), 1.0


def _seconds(text: str) -> float:
    """Unix time of an RFC 3339 moment, or of the start of a day in UTC."""
    moment = dt.datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()
