"""A replayed cluster, a client for it, and an audit's collection of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent import collect, registry
from agent.model import Gap
from agent.plan import Plan, TablePlan
from agent.runs import new_run
from agent.store import FolderStore
from collectors.kubernetes import SOURCE
from collectors.kubernetes._client import KubeClient
from collectors.kubernetes._kubeconfig import Kubeconfig
from tests.estate import cluster

TABLES = tuple(table for table in registry.tables().values() if table.source == "kubernetes")


class Collected(msgspec.Struct):
    """What an audit's collection left in the store."""

    rows: dict[str, dict[str, dict[str, Any]]]
    """Table -> key -> column -> value."""
    gaps: list[Gap]
    retries: int


class Silent:
    """A progress display that shows nothing."""

    def begin(self, total: int, done: int) -> None: ...
    def working(self, scope: str, table: str, rows: int) -> None: ...
    def done(self, record: collect.ScopeRecord) -> None: ...


def whole_plan() -> Plan:
    """Every column of every table of this source."""
    tables = tuple(
        TablePlan(
            table=table.name,
            source=table.source,
            scope=table.scope,
            columns=tuple(column.name for column in table.columns),
            calls=tuple(call.name for call in table.calls),
        )
        for table in TABLES
    )
    return Plan(policies=(), skipped=(), tables=tables)


@pytest.fixture
def gather(tmp_path: Path) -> Callable[..., Collected]:
    """Collects with these settings, by the agent's own collector into a real store."""

    def run(**settings: Any) -> Collected:
        plan, source = whole_plan(), SOURCE(SOURCE.Settings(**settings), "2026-11-23T09:00:00Z")
        sources = {"kubernetes": source}
        stored = new_run(FolderStore(tmp_path / "store"), "2026-11-23T09:00:00Z")
        records = collect.collect(stored, plan, sources, collect.discover(plan, sources), Silent())
        rows: dict[str, dict[str, dict[str, Any]]] = {table.name: {} for table in TABLES}
        for segment in (segment for record in records for segment in record.segments):
            key = registry.tables()[segment.table].key
            lines = stored.store.read(stored.name(segment.file)).decode().splitlines()
            found = [{k: v for k, v in json.loads(line).items() if not k.startswith("_")} for line in lines]
            rows[segment.table] |= {row[key]: row for row in found}
            assert len(rows[segment.table]) >= len(found), "a key stands twice"
        return Collected(rows, collect.gaps(records), sum(record.retries for record in records))

    return run


def true_rows(table: str, name: str = cluster.CONTEXT) -> dict[str, dict[str, Any]]:
    """The rows that the truth says a table has, in a cluster of that name."""
    declared = registry.tables()[table]
    columns = [column.name for column in declared.columns]
    return {
        key: dict.fromkeys(columns) | {"cluster": name, declared.key: key} | values
        for key, values in cluster.TRUTH[table].items()
    }


@pytest.fixture
def server() -> Iterator[cluster.ReplayServer]:
    with cluster.serve() as running:
        yield running


@pytest.fixture
def kubeconfig(server: cluster.ReplayServer, tmp_path: Path) -> str:
    return str(cluster.write_kubeconfig(tmp_path / "config", server.address))


@pytest.fixture
def waits() -> list[float]:
    """The seconds that the client wanted to wait; it does not wait in these tests."""
    return []


@pytest.fixture
def client(kubeconfig: str, waits: list[float]) -> KubeClient:
    """A client for the replayed cluster, two objects to a page, one second to answer."""
    configuration = Kubeconfig(kubeconfig).configuration(cluster.CONTEXT)
    return KubeClient(configuration, 1, page_size=2, pause=waits.append)
