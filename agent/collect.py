"""A plan carried out: scopes side by side, each committed at once when it is done.

Collecting a scope is a task of its own: the plan and a client go in, segments and one commit come out. Rows go to a
local file as they come, so memory does not grow with the estate. A scope that fails in a way nobody foresaw becomes a
gap in each of its tables; the others go on.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import re
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from itertools import islice
from pathlib import Path
from typing import IO, Protocol, Self

import msgspec

from agent.errors import Unanswered
from agent.model import Answers, Discovery, Gap, GapKind, Json, Scope, Source, UnlistedScopes
from agent.plan import Plan, TablePlan
from agent.rows import Row, RowMaker, make_gap, unexpected
from agent.runs import Run

log = logging.getLogger("clausule.collect")

SCOPES_AT_ONCE = 8
ROWS_AT_ONCE = 16
_WINDOW = 256
"""Rows asked about at a time: enough to keep the workers busy, few enough to hold."""


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one table in one scope."""

    table: str
    file: str
    rows: int
    sha256: str


class ScopeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A scope's commit. Once it is in the store the scope is done."""

    scope: Scope
    started: str
    finished: str
    segments: tuple[Segment, ...]
    gaps: tuple[Gap, ...]
    calls: int
    retries: int
    listed: bool = True
    """False for scopes that could not be reached or listed: such a record is made anew when a run is resumed."""


class Progress(Protocol):
    """Told what happens; the command line draws it."""

    def begin(self, total: int, done: int) -> None:
        """So many scopes, of which some were done in an earlier try."""
        ...

    def working(self, scope: str, table: str, rows: int) -> None:
        """A scope's table has so many rows now."""
        ...

    def done(self, record: ScopeRecord) -> None:
        """A scope is committed."""
        ...


def now() -> str:
    """This moment, RFC 3339 in UTC to the second."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def file_name(scope: str) -> str:
    """A scope's name as a file name; a digest keeps two names apart that look alike."""
    plain = re.sub(r"[^A-Za-z0-9.-]+", "_", scope)[:80]
    return f"{plain}-{hashlib.sha256(scope.encode()).hexdigest()[:8]}"


def records(run: Run) -> list[ScopeRecord]:
    """The commits of a run, in the order of their scopes' names."""
    found = [run.read(name, ScopeRecord) for name in run.names() if name.startswith("scopes/")]
    return sorted(found, key=lambda record: record.scope.name)


def collect(
    run: Run, plan: Plan, sources: Mapping[str, Source], found: Mapping[str, Discovery], progress: Progress
) -> list[ScopeRecord]:
    """Collect every scope that was found and that the run has not committed yet; returns all of its commits."""
    before = {record.scope.name: record for record in records(run)}
    done = {name for name, record in before.items() if record.listed}
    fewest = sorted(found, key=lambda name: len(found[name].scopes))  # one slow directory must not wait for regions
    work = [(sources[name], scope) for name in fewest for scope in found[name].scopes if scope.name not in done]
    progress.begin(len(work) + len(done), len(done))
    with tempfile.TemporaryDirectory(prefix="clausule-") as scratch, _Pools() as pools:
        futures = [
            pools.scopes.submit(_collect_scope, run, plan, source, scope, Path(scratch), pools.rows, progress)
            for source, scope in work
        ]
        for future in as_completed(futures):
            progress.done(future.result())
    unlisted = {scope.name: (name, scope) for name, part in found.items() for scope in part.unlisted}
    for scope_name in sorted({*unlisted, *before} - done):  # last: a run that is resumed lists its scopes anew
        if scope_name in unlisted:
            source, scope = unlisted[scope_name]
            _commit(run, _unlisted(scope, source, plan))
        elif scope_name not in {scope.name for _, scope in work}:
            _commit(run, msgspec.structs.replace(before[scope_name], gaps=()))
    return records(run)


def with_lost(first: Mapping[str, Discovery], now: Mapping[str, Discovery]) -> dict[str, Discovery]:
    """What a resumed run finds; scopes of its first try that are no longer found are gaps, not nothing."""
    merged = dict(now)
    for name, was in first.items():
        found = now.get(name, Discovery(scopes=()))
        have = {scope.name for scope in found.scopes} | {scope.name for scope in found.unlisted}
        lost = (_lost(scope) for scope in was.scopes if scope.name not in have)
        merged[name] = Discovery(scopes=found.scopes, unlisted=(*found.unlisted, *lost))
    return merged


def _lost(scope: Scope) -> UnlistedScopes:
    return UnlistedScopes(
        kind=scope.kind,
        group=scope.group,
        name=scope.name,
        call="",
        gap=GapKind.NOT_COLLECTED,
        detail="found when the run was started, not when it was resumed",
    )


def discover(plan: Plan, sources: Mapping[str, Source]) -> dict[str, Discovery]:
    """The scopes of each source that the plan needs."""
    return {name: source.discover(kinds) for name, source in sources.items() if (kinds := plan.kinds(name))}


class _Pools:
    """Workers for scopes and for the rows within them; two pools, so that a scope never waits for itself."""

    def __enter__(self) -> Self:
        self.scopes = ThreadPoolExecutor(SCOPES_AT_ONCE, "scope")
        self.rows = ThreadPoolExecutor(ROWS_AT_ONCE, "row")
        return self

    def __exit__(self, *_: object) -> None:
        self.scopes.shutdown(cancel_futures=True)
        self.rows.shutdown(cancel_futures=True)


def _collect_scope(
    run: Run, plan: Plan, source: Source, scope: Scope, scratch: Path, rows: Executor, progress: Progress
) -> ScopeRecord:
    started = now()
    tables = [table for table in plan.of_source(scope.source) if table.scope == scope.kind]
    segments: list[Segment] = []
    gaps: list[Gap] = []
    calls, retries = 0, 0
    try:
        answers = source.answers(scope)
    except Exception as error:  # noqa: BLE001 - a client that cannot be made: all of the scope is unseen
        problem = error if isinstance(error, Unanswered) else unexpected(error, f"opening {scope.name}")
        gaps = [make_gap(problem, table, scope, table.calls[0], now()) for table in tables]
    else:
        for table in tables:
            log.info("reading %s in %s", table.table, scope.name)
            reader = _TableReader(run, table, scope, answers, rows, progress)
            segments.append(reader.read(scratch))
            gaps += reader.gaps
            calls += reader.calls
        retries = answers.retries
        log.info("read %s: %d calls, %d retries, %d gaps", scope.name, calls, retries, len(gaps))
    record = ScopeRecord(
        scope=scope,
        started=started,
        finished=now(),
        segments=tuple(segments),
        gaps=tuple(gaps),
        calls=calls,
        retries=retries,
    )
    _commit(run, record)
    return record


def _commit(run: Run, record: ScopeRecord) -> None:
    run.write(f"scopes/{file_name(record.scope.name)}.json", record)


def _unlisted(unlisted: UnlistedScopes, source: str, plan: Plan) -> ScopeRecord:
    """Scopes that could not even be listed: a record of nothing but gaps."""
    scope = Scope(source=source, kind=unlisted.kind, group=unlisted.group, name=unlisted.name)
    problem = Unanswered(unlisted.gap, unlisted.detail, permission=unlisted.permission)
    tables = [table for table in plan.of_source(source) if table.scope == unlisted.kind]
    gaps = tuple(make_gap(problem, table, scope, unlisted.call or table.calls[0], now()) for table in tables)
    return ScopeRecord(
        scope=scope, started=now(), finished=now(), segments=(), gaps=gaps, calls=1, retries=0, listed=False
    )


class _TableReader:
    """Reads one table of one scope into a segment."""

    def __init__(
        self, run: Run, plan: TablePlan, scope: Scope, answers: Answers, pool: Executor, progress: Progress
    ) -> None:
        self._run, self._plan, self._scope, self._answers = run, plan, scope, answers
        self._pool, self._progress = pool, progress
        self._maker = RowMaker(plan, scope, answers, now)
        self.gaps: list[Gap] = []
        self.calls = 1

    def read(self, scratch: Path) -> Segment:
        """Read every row, hand the file to the store, and say what it holds."""
        digest, count = hashlib.sha256(), 0
        path = scratch / f"{self._plan.table}-{threading.get_ident()}.ndjson"
        with path.open("wb") as file:
            for line in self._lines():
                _write(file, digest.update, line)
                count += 1
                if count % _WINDOW == 0:
                    self._progress.working(self._scope.name, self._plan.table, count)
        name = f"evidence/{self._plan.table}/{file_name(self._scope.name)}.ndjson"
        self._run.store.take(self._run.name(name), path)
        return Segment(table=self._plan.table, file=name, rows=count, sha256=digest.hexdigest())

    def _lines(self) -> Iterator[bytes]:
        items = self._items()
        make = map if not self._plan.row_calls() else self._pool.map
        while window := list(islice(items, _WINDOW)):
            for row, line in filter(None, make(self._row, window)):
                self.gaps += row.gaps
                self.calls += row.calls
                yield line

    def _row(self, item: Json) -> tuple[Row, bytes] | None:
        """A row and its line; one that cannot be made or written is a gap of the table."""
        try:
            row = self._maker.make(item)
            return row, msgspec.json.encode(row.fields) + b"\n"
        except Exception as error:  # noqa: BLE001 - see RowMaker: a defect is a gap
            call = self._plan.declared().list_call.name
            self._gap(unexpected(error, f"making a row of {self._plan.table}"), call)
            return None

    def _items(self) -> Iterator[Json]:
        """The items until there are no more, or until the answer stops: then what is missing is a gap."""
        call = self._plan.declared().list_call
        try:
            yield from self._answers.items(call)
        except Unanswered as problem:
            self._gap(problem, call.name)
        except Exception as error:  # noqa: BLE001 - see RowMaker: a defect is a gap, with its traceback in the log
            self._gap(unexpected(error, f"listing {call.name}"), call.name)

    def _gap(self, problem: Unanswered, call: str) -> None:
        self.gaps.append(make_gap(problem, self._plan, self._scope, call, now()))


def _write(file: IO[bytes], update: Callable[[bytes], None], line: bytes) -> None:
    file.write(line)
    update(line)


def gaps(found: Iterable[ScopeRecord]) -> list[Gap]:
    """All gaps of a run, in a fixed order."""
    everything = [gap for record in found for gap in record.gaps]
    return sorted(everything, key=lambda gap: (gap.source, gap.scope, gap.table, gap.resource, gap.call, gap.columns))


def missing(plan: Plan, found: Iterable[ScopeRecord]) -> list[TablePlan]:
    """Planned tables of which no scope was looked at: a join with them knows nothing."""
    seen = {(record.scope.source, record.scope.kind) for record in found}
    return [table for table in plan.tables if (table.source, table.scope) not in seen]
