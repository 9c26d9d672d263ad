"""A seeded account on a real server, and the real collector over it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import msgspec
import pytest
from botocore.credentials import Credentials

from agent import collect, registry
from agent.model import Gap
from agent.plan import Plan, TablePlan
from agent.runs import new_run
from agent.store import FolderStore
from collectors.aws import SOURCE, AwsSettings
from collectors.aws._client import Account, AwsAnswers, Clients
from tests.estate import aws

TABLES = sorted(name for name, table in registry.tables().items() if table.source == "aws")


class Collected(msgspec.Struct, frozen=True):
    """What a collection wrote."""

    rows: dict[str, dict[str, dict[str, Any]]]
    """Table to key to row."""
    gaps: list[Gap]
    retries: int


class Silent:
    """Progress that nobody looks at."""

    def begin(self, total: int, done: int) -> None: ...
    def working(self, scope: str, table: str, rows: int) -> None: ...
    def done(self, record: collect.ScopeRecord) -> None: ...


Gather = Callable[..., Collected]


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in aws.KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """A server with nothing on it but what tests put there."""
    with aws.moto() as url:
        yield url


@pytest.fixture(scope="session")
def truth(endpoint: str) -> aws.Truth:
    """The rows that the seeded account must give."""
    return aws.seed(endpoint)


@pytest.fixture
def gather(endpoint: str, truth: aws.Truth, tmp_path: Path) -> Gather:
    """Collects tables from the seeded account with `agent.collect`."""

    def run(*tables: str, columns: Iterable[str] = (), **settings: Any) -> Collected:
        source = SOURCE(AwsSettings(**{"endpoint_url": endpoint, **settings}), "2026-11-23T00:00:00Z")
        plan = Plan(policies=(), skipped=(), tables=tuple(table_plan(name, columns) for name in tables))
        found = collect.discover(plan, {"aws": source})
        run = new_run(FolderStore(tmp_path / "store"), "2026-11-23T00:00:00Z")
        records = collect.collect(run, plan, {"aws": source}, found, Silent())
        rows: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in tables}
        for segment in (segment for record in records for segment in record.segments):
            key = registry.tables()[segment.table].key
            lines = run.store.read(run.name(segment.file)).splitlines()
            rows[segment.table] |= {row[key]: row for row in map(json.loads, lines)}
        return Collected(rows, collect.gaps(records), sum(record.retries for record in records))

    return run


def table_plan(name: str, columns: Iterable[str] = ()) -> TablePlan:
    """A plan for some columns of a table, by default for all."""
    table = registry.tables()[name]
    wanted = [column for column in table.columns if not columns or column.name in (*columns, table.key)]
    needed = {column.call for column in wanted}
    calls = tuple(call.name for call in table.calls if call.role == "list" or call.name in needed)
    return TablePlan(
        table=name, source="aws", scope=table.scope, columns=tuple(column.name for column in wanted), calls=calls
    )


class Opener(Protocol):
    def __call__(self, region: str = "") -> AwsAnswers: ...


@pytest.fixture
def answers(endpoint: str, truth: aws.Truth) -> Opener:
    """Opens a client for one scope of the account, with a session made at that moment."""

    def make(region: str = "") -> AwsAnswers:
        credentials = Credentials(aws.KEYS["AWS_ACCESS_KEY_ID"], aws.KEYS["AWS_SECRET_ACCESS_KEY"])
        account = Account(id=aws.ACCOUNT, partition="aws", home_region=aws.HOME, credentials=credentials)
        return AwsAnswers(Clients(endpoint, 30), account, region or aws.HOME)

    return make
