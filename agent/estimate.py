"""How many calls a plan will take, before any is made."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from agent import collect, registry
from agent.collect import ScopeRecord
from agent.errors import StoreError
from agent.plan import Plan, TablePlan
from agent.runs import runs
from agent.store import Store

ROWS_ASSUMED = 20
"""Rows of a table in a scope where nothing is known yet."""


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A number of calls and what it rests on."""

    calls: int
    saved: int
    """Calls that filling every column of the same tables would add."""
    basis: str


def last_records(store: Store) -> list[ScopeRecord]:
    """The scope commits of the newest finished run; none where there is no run yet."""
    try:
        finished = [run for run in runs(store) if run.finished()]
    except StoreError:
        return []
    return collect.records(finished[-1]) if finished else []


def estimate(plan: Plan, records: Sequence[ScopeRecord]) -> Estimate:
    """The calls of the plan, with scopes and rows as in these records where they tell."""
    pairs = [_calls(table, records) for table in plan.tables]
    told = sum(1 for table in plan.tables if _scopes(table, records))
    basis = f"scopes and rows as in the last run for {told} of {len(plan.tables)} tables"
    if told < len(plan.tables):
        basis += f", else one scope of each kind ({_typical()}) with {ROWS_ASSUMED} rows in each table"
    return Estimate(calls=sum(made for made, _ in pairs), saved=sum(full - made for made, full in pairs), basis=basis)


def _typical() -> str:
    found = [
        f"{number} of kind {kind}"
        for source in registry.sources().values()
        for kind, number in source.typical_scopes.items()
    ]
    return ", ".join(found)


def _scopes(table: TablePlan, records: Sequence[ScopeRecord]) -> list[ScopeRecord]:
    return [record for record in records if record.scope.source == table.source and record.scope.kind == table.scope]


def _calls(table: TablePlan, records: Sequence[ScopeRecord]) -> tuple[int, int]:
    """Calls for the planned columns, and calls for all of them."""
    known = _scopes(table, records)
    scopes = len(known) or registry.sources()[table.source].typical_scopes.get(table.scope, 1)
    found = [segment.rows for record in known for segment in record.segments if segment.table == table.table]
    rows = sum(found) if found else scopes * ROWS_ASSUMED
    planned = len(table.row_calls())
    full = sum(1 for call in table.declared().calls if call.role == "row")
    return scopes + rows * planned, scopes + rows * full
