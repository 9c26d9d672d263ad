"""An audit from plan to verdicts; the only place that knows sources, engine and store together."""

from __future__ import annotations

import datetime as dt
import logging
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from agent import __version__, collect, config, engine, evidence, examples, law, outcome, plan, registry
from agent import policy as policies
from agent.clauses import expand
from agent.completion import complete
from agent.config import Config
from agent.documents import suggest
from agent.errors import AuditError, DocumentError, StoreError, UsageError
from agent.findings import open_findings
from agent.judge import Outcome
from agent.model import Discovery, Source, Waiver
from agent.plan import Plan
from agent.policy import BoundPolicy
from agent.result import Result, RunInfo
from agent.runs import Run, find, new_run, runs
from agent.steps import Steps
from agent.store import Store

log = logging.getLogger("clausule.run")

ALWAYS = ("law", "registers")
"""Sources that every audit has: they only support judgements about others."""


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """`plan.json`: what a run is, written before anything is collected."""

    schema: str = "clausule/run/1"
    clausule_version: str
    started: str
    audit_time: str
    agreement: str
    clauses: tuple[str, ...]
    reading_3_13: str
    law_as_of: str
    law_digest: str
    policies_digest: str
    plan: Plan
    settings: dict[str, dict[str, Any]]
    """Of each source, as configured; never a secret."""
    waivers: tuple[Waiver, ...]


class StoredPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy in `policies.json`: its file, and the parameters it is judged with."""

    path: str
    text: str
    params: dict[str, Any]


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """`verdicts.json`: how each policy went, and the digest that judging again must give."""

    outcomes: dict[str, Outcome]
    findings_sha256: str


def choose(configured: Config, clauses: Sequence[str]) -> list[BoundPolicy]:
    """The policies of these clauses (all of them when none is named), with their parameters."""
    common = configured.common
    own = policies.load([Path(directory) for directory in common.policies], common.params, configured)
    found = policies.merge([*policies.load([policies.BUILT_IN], common.params, configured), *own])
    _prove(own)
    known = {policy.id for policy in found}
    named = [(f"$.params.{name}", name) for name in common.params]
    named += [(f"$.waivers[{index}].policy", waiver.policy) for index, waiver in enumerate(common.waivers)]
    for path, name in named:
        if name not in known:
            raise configured.error(
                path, f"there is no policy '{name}'", suggest(name, known) or "see: clausule policy list"
            )
    wanted = {clause for name in clauses for clause in expand(name)}
    chosen = [policy for policy in found if not wanted or wanted.intersection(policy.policy.clauses)]
    if not chosen:
        raise UsageError(f"no policy judges clause {', '.join(clauses)}; see those that do with: clausule policy list")
    return chosen


def _prove(own: Sequence[BoundPolicy]) -> None:
    """Run the examples of policies that are not ours; those of ours are run by our tests."""
    for result in examples.run(own) if own else ():
        if not result.ok:
            raise DocumentError(
                next(policy.path for policy in own if policy.id == result.policy),
                f"expected {result.expected}, found {result.found}",
                key=f"examples: {result.example}",
                remedy="try it with: clausule policy test FILE",
            )


def sources(configured: Mapping[str, Any], reading: str, audit_time: str) -> dict[str, Source]:
    """The sources to ask: those configured, the law, and the registers."""
    made: dict[str, Source] = {}
    for name, kind in registry.sources().items():
        if name == "law":
            made[name] = kind(config.settings("law", {"reading": reading}), audit_time)
        elif name in configured or name in ALWAYS:
            made[name] = kind(configured.get(name, kind.Settings()), audit_time)
    return made


@contextmanager
def audit(
    configured: Config, target: Store, *, clauses: Sequence[str] = (), audit_time: str = "", steps: Steps | None = None
) -> Iterator[tuple[Run, Result]]:
    """Do a whole audit. Nothing is written before everything that the user can get wrong was found right."""
    if not configured.sources:
        raise AuditError(
            "nothing is configured to audit; write a clausule.yaml with: clausule init, or name a directory: --iac DIR"
        )
    started = collect.now()
    moment = audit_time or started
    chosen = choose(configured, clauses)
    asked = sources(configured.sources, configured.common.reading_3_13, moment)
    made = plan.make(chosen, asked)
    log.info("planned %d policies over %d tables", len(made.policies), len(made.tables))
    found = collect.discover(made, asked)
    run = new_run(target, started)
    recorded = _recorded(configured, chosen, made, started, moment, clauses)
    run.write("policies.json", [StoredPolicy(path=p.path, text=p.text, params=p.params) for p in chosen])
    run.write("found.json", found)
    run.write("plan.json", recorded)
    with _finish(run, recorded, chosen, asked, found, steps or Steps()) as result:
        yield run, result


@contextmanager
def resume(target: Store, identifier: str, steps: Steps | None = None) -> Iterator[tuple[Run, Result]]:
    """Finish a run that was stopped: scopes that it committed are not asked again."""
    run = find(target, identifier)
    if run.finished():
        raise StoreError(f"run {run.id} is finished already; see it with: clausule report {run.id}")
    recorded, chosen = _stored(run)
    if (recorded.clausule_version, recorded.law_digest) != (__version__, law.facts_digest()):
        raise StoreError(f"run {run.id} was started by another version of Clausule; start a new audit")
    configured = {name: config.settings(name, given) for name, given in recorded.settings.items()}
    asked = sources(configured, recorded.reading_3_13, recorded.audit_time)
    first = run.read("found.json", dict[str, Discovery])
    found = collect.with_lost(first, collect.discover(recorded.plan, asked))
    with _finish(run, recorded, chosen, asked, found, steps or Steps()) as result:
        yield run, result


@contextmanager
def open_result(run: Run) -> Iterator[Result]:
    """The result of a finished run, as it was recorded; asks no network, judges nothing again."""
    run.verify()
    recorded, chosen = _stored(run)
    records = collect.records(run)
    with _scratch() as scratch:
        facts = evidence.build(run, recorded.plan, records, _tables(chosen), scratch)
        findings = run.store.local(run.name("findings.parquet"), scratch)
        judged = run.read("verdicts.json", Judged)
        with open_findings(facts, findings) as connection:
            yield outcome.build(_parts(run, recorded, chosen, records, judged.outcomes), connection)


@contextmanager
def evaluate(run: Run, steps: Steps | None = None) -> Iterator[tuple[Result, bool]]:
    """Judge a finished run's evidence again; the result, and whether the findings are byte for byte those recorded."""
    run.verify()
    recorded, chosen = _stored(run)
    records = collect.records(run)
    with _scratch() as scratch:
        facts, findings, outcomes = _judge(run, recorded, chosen, records, scratch, steps or Steps())
        same = sha256(findings.read_bytes()).hexdigest() == run.read("verdicts.json", Judged).findings_sha256
        with open_findings(facts, findings) as connection:
            yield outcome.build(_parts(run, recorded, chosen, records, outcomes), connection), same


@contextmanager
def _finish(
    run: Run,
    recorded: Recorded,
    chosen: Sequence[BoundPolicy],
    asked: Mapping[str, Source],
    found: Mapping[str, Discovery],
    steps: Steps,
) -> Iterator[Result]:
    with run.lock(), _scratch() as scratch:
        if run.finished():
            raise StoreError(f"run {run.id} is finished already; see it with: clausule report {run.id}")
        records = collect.collect(run, recorded.plan, asked, found, steps)
        facts, findings, outcomes = _judge(run, recorded, chosen, records, scratch, steps)
        run.write("verdicts.json", Judged(outcomes=outcomes, findings_sha256=sha256(findings.read_bytes()).hexdigest()))
        kept = scratch / "kept.parquet"
        shutil.copyfile(findings, kept)
        run.store.take(run.name("findings.parquet"), kept)
        run.seal(_previous(run))
        with open_findings(facts, findings) as connection:
            yield outcome.build(_parts(run, recorded, chosen, records, outcomes), connection)


def _previous(run: Run) -> Run | None:
    newest_first = reversed(runs(run.store))
    return next((other for other in newest_first if other.id < run.id and other.finished()), None)


def _judge(
    run: Run,
    recorded: Recorded,
    chosen: Sequence[BoundPolicy],
    records: Sequence[collect.ScopeRecord],
    scratch: Path,
    steps: Steps,
) -> tuple[Path, Path, dict[str, Outcome]]:
    """Evidence database, findings as Parquet, and how each policy went."""
    facts = evidence.build(run, recorded.plan, records, _tables(chosen), scratch)
    judged = [policy for policy in chosen if policy.id in recorded.plan.policies]
    unseen = engine.Unseen(gaps=tuple(collect.gaps(records)), tables=_unlooked(recorded.plan, judged, records))
    steps.judging(len(judged))
    database, outcomes = engine.evaluate(facts, judged, unseen, recorded.audit_time, scratch, told=steps.judged)
    findings = scratch / "findings.parquet"
    complete(
        database,
        facts,
        judged,
        unseen.gaps,
        {name: found.error for name, found in outcomes.items() if found.error},
        recorded.waivers,
        recorded.audit_time,
        findings,
    )
    return facts, findings, outcomes


def _unlooked(made: Plan, judged: Sequence[BoundPolicy], records: Sequence[collect.ScopeRecord]) -> frozenset[str]:
    """Tables that policies join and of which no scope was looked at."""
    planned = {table.table for table in made.tables}
    unplanned = {table for policy in judged for table in policy.reads if table not in planned}
    return frozenset(unplanned | {table.table for table in collect.missing(made, records)})


def _recorded(
    configured: Config, chosen: Sequence[BoundPolicy], made: Plan, started: str, moment: str, clauses: Sequence[str]
) -> Recorded:
    settings = {name: msgspec.to_builtins(given) for name, given in configured.sources.items()}
    return Recorded(
        clausule_version=__version__,
        started=started,
        audit_time=moment,
        agreement=configured.common.agreement,
        clauses=tuple(clauses),
        reading_3_13=configured.common.reading_3_13,
        law_as_of=law.as_of(),
        law_digest=law.facts_digest(),
        policies_digest=policies.digest(chosen),
        plan=made,
        settings=settings,
        waivers=configured.common.waivers,
    )


def _stored(run: Run) -> tuple[Recorded, list[BoundPolicy]]:
    recorded = run.read("plan.json", Recorded)
    kept = run.read("policies.json", list[StoredPolicy])
    overrides = {Path(policy.path).stem: policy.params for policy in kept}
    bound = policies.bind([(policy.path, policy.text) for policy in kept], overrides)
    if policies.digest(bound) != recorded.policies_digest:
        raise StoreError(f"run {run.id}: policies.json is not what plan.json recorded; do not rely on it")
    return recorded, bound


def _parts(
    run: Run,
    recorded: Recorded,
    chosen: Sequence[BoundPolicy],
    records: Sequence[collect.ScopeRecord],
    outcomes: dict[str, Outcome],
) -> outcome.Parts:
    previous = run.manifest().previous_manifest
    info = RunInfo(
        id=run.id,
        clausule_version=recorded.clausule_version,
        audit_time=recorded.audit_time,
        started=recorded.started,
        finished=max((record.finished for record in records), default=recorded.started),
        agreement=recorded.agreement,
        clauses=recorded.clauses,
        reading_3_13=recorded.reading_3_13,
        policies_digest=recorded.policies_digest,
        law_as_of=recorded.law_as_of,
        law_digest=recorded.law_digest,
        previous_manifest=previous,
    )
    planned = set(recorded.plan.policies)
    return outcome.Parts(
        info=info,
        plan=recorded.plan,
        policies=tuple(policy for policy in chosen if policy.id in planned),
        skipped=tuple(policy for policy in chosen if policy.id not in planned),
        records=tuple(records),
        outcomes=outcomes,
        waivers=recorded.waivers,
    )


def _tables(chosen: Sequence[BoundPolicy]) -> list[str]:
    return sorted({table for policy in chosen for table in policy.reads} | {policy.policy.table for policy in chosen})


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="clausule-") as folder:
        yield Path(folder)


def audit_moment(text: str) -> str:
    """An `--as-of` date or time as RFC 3339 in UTC; raises ValueError."""
    moment = dt.datetime.fromisoformat(text)
    if not 1995 <= moment.year <= 2999:  # noqa: PLR2004 - what the legal facts can say something of
        raise ValueError(text)
    moment = moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
