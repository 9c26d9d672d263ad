"""From policies to the smallest set of calls that they need, and to the permissions of those calls.

A policy says which columns it reads, a column which call fills it. So a clause asked for alone makes few calls, and
what a user must grant is printed from the same plan that is carried out.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from agent import registry
from agent.model import Call, Table
from agent.policy import BoundPolicy


class TablePlan(msgspec.Struct, frozen=True, kw_only=True):
    """Which columns of a table are collected, by which calls."""

    table: str
    source: str
    scope: str
    columns: tuple[str, ...]
    """Own columns; scope columns come with every row."""
    calls: tuple[str, ...]
    """The list call first."""

    def declared(self) -> Table:
        """The table's declaration."""
        return registry.tables()[self.table]

    def row_calls(self) -> tuple[Call, ...]:
        """The calls that are made once for each row."""
        table = self.declared()
        return tuple(table.call(name) for name in self.calls if table.call(name).role == "row")


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a run will judge and collect."""

    policies: tuple[str, ...]
    skipped: tuple[str, ...]
    """Policies that nothing configured can answer."""
    tables: tuple[TablePlan, ...]

    def kinds(self, source: str) -> frozenset[str]:
        """The kinds of scope that a source must list."""
        return frozenset(plan.scope for plan in self.tables if plan.source == source)

    def of_source(self, source: str) -> tuple[TablePlan, ...]:
        """The tables of one source."""
        return tuple(plan for plan in self.tables if plan.source == source)

    def permissions(self) -> dict[str, tuple[str, ...]]:
        """What must be granted, by source: of the calls, and of finding the scopes."""
        found: dict[str, set[str]] = {}
        for plan in self.tables:
            calls = [plan.declared().call(name) for name in plan.calls]
            calls += registry.sources()[plan.source].discovery.get(plan.scope, ())
            found.setdefault(plan.source, set()).update(p for call in calls for p in call.permissions)
        return {source: tuple(sorted(permissions)) for source, permissions in sorted(found.items()) if permissions}


def make(policies: Iterable[BoundPolicy], configured: Iterable[str]) -> Plan:
    """The plan for these policies, when these sources are configured.

    A policy over a table of a source that is not configured is skipped. A table that a policy joins and whose source
    is not configured is not planned: the engine makes the policy unknown there.
    """
    available = frozenset(configured)
    tables = registry.tables()
    chosen: list[BoundPolicy] = []
    skipped: list[BoundPolicy] = []
    for policy in policies:
        (chosen if tables[policy.policy.table].source in available else skipped).append(policy)
    reads: dict[str, set[str]] = {}
    for policy in chosen:
        for name, columns in policy.reads.items():
            reads.setdefault(name, set()).update(columns)
        reads.setdefault(policy.policy.table, set())
        if any(clause.startswith("3.13") for clause in policy.policy.clauses):
            reads[policy.policy.table].update(_place(tables[policy.policy.table]))
    planned = [
        _table(tables[name], columns) for name, columns in sorted(reads.items()) if tables[name].source in available
    ]
    return Plan(policies=tuple(p.id for p in chosen), skipped=tuple(p.id for p in skipped), tables=tuple(planned))


def _place(table: Table) -> tuple[str, ...]:
    """The columns that say where its data is: reports list places wherever clause 3.13 is judged."""
    if table.place is None:
        return ()
    return (*table.place.columns, *filter(None, [table.place.provider_column]))


def _table(table: Table, reads: set[str]) -> TablePlan:
    own = {column.name: column for column in table.columns}
    columns = tuple(name for name in own if name in reads or name == table.key)
    needed = {own[name].call for name in columns} | {table.list_call.name}
    calls = [table.list_call, *(call for call in table.calls if call.role == "row" and call.name in needed)]
    return TablePlan(
        table=table.name,
        source=table.source,
        scope=table.scope,
        columns=columns,
        calls=tuple(call.name for call in calls),
    )
