"""Collects every table of a source by the agent's own collector, into a real store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from agent import collect, registry
from agent.model import Gap
from agent.plan import Plan, TablePlan
from agent.runs import new_run
from agent.store import FolderStore

AUDIT_TIME = "2026-11-23T12:00:00Z"


class Collected(msgspec.Struct, frozen=True):
    """What a collection wrote."""

    rows: dict[str, dict[str, dict[str, Any]]]
    """Table -> key -> column -> value."""
    gaps: list[Gap]
    text: str
    """All evidence as it was written."""


class Silent:
    """Progress that nobody looks at."""

    def begin(self, total: int, done: int) -> None: ...
    def working(self, scope: str, table: str, rows: int) -> None: ...
    def done(self, record: collect.ScopeRecord) -> None: ...


def everything(source: str) -> Plan:
    """A plan for all columns of all tables of a source."""
    tables = (table for table in registry.tables().values() if table.source == source)
    return Plan(
        policies=(),
        skipped=(),
        tables=tuple(
            TablePlan(
                table=table.name,
                source=source,
                scope=table.scope,
                columns=tuple(column.name for column in table.columns),
                calls=tuple(call.name for call in table.calls),
            )
            for table in tables
        ),
    )


def gather(name: str, folder: Path, audit_time: str = AUDIT_TIME, **settings: Any) -> Collected:
    """Discover and collect; raises what discovery raises."""
    kind = registry.sources()[name]
    sources = {name: kind(msgspec.convert(settings, kind.Settings), audit_time)}
    plan = everything(name)
    found = collect.discover(plan, sources)
    run = new_run(FolderStore(folder), audit_time)
    records = collect.collect(run, plan, sources, found, Silent())
    rows: dict[str, dict[str, dict[str, Any]]] = {table.table: {} for table in plan.tables}
    text = ""
    for segment in (segment for record in records for segment in record.segments):
        key, content = registry.tables()[segment.table].key, run.store.read(run.name(segment.file)).decode()
        lines = [json.loads(line) for line in content.splitlines()]
        rows[segment.table] |= {line[key]: line for line in lines}
        text += content
        assert len({line[key] for line in lines}) == len(lines), f"a key stands twice in {segment.file}"
    return Collected(rows, collect.gaps(records), text)
