"""A run's evidence as a DuckDB file that is opened read-only by whoever reads it.

Built from the segments alone, in the order of their scopes, so the same run gives the same rows under the same rowids.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import duckdb

from agent import registry, sql
from agent.collect import ScopeRecord
from agent.errors import StoreError
from agent.model import Column
from agent.plan import Plan
from agent.runs import Run

MEMORY = "256MB"


def build(run: Run, plan: Plan, records: Iterable[ScopeRecord], tables: Iterable[str], scratch: Path) -> Path:
    """The path of a new database in `scratch` with the run's rows.

    `tables` are all that the policies name: those that were not planned are there without rows.
    """
    path = scratch / "evidence.duckdb"
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": 2,
        "memory_limit": MEMORY,
        "temp_directory": str(scratch / "spill"),
        "preserve_insertion_order": True,
    }
    planned = {table.table: table.columns for table in plan.tables}
    files = _files(run, records, scratch)
    with duckdb.connect(config=config) as connection:
        connection.execute(f"ATTACH {sql.quote(str(path))} AS evidence")
        for table in sorted({*tables, *planned}):
            columns = _columns(table, planned.get(table))
            connection.execute(sql.create_table(table, columns))
            if files.get(table):
                _insert(connection, table, columns, files[table])
    return path


def _files(run: Run, records: Iterable[ScopeRecord], scratch: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for record in records:
        for segment in record.segments:
            path = run.store.local(run.name(segment.file), scratch)
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != segment.sha256:
                    raise StoreError(f"run {run.id}: {segment.file} is not what was committed; start a new audit")
            if segment.rows:
                found.setdefault(segment.table, []).append(str(path))
    return found


def _columns(table: str, planned: tuple[str, ...] | None) -> dict[str, Column]:
    """The columns of the table as collected: scope columns and planned ones; all of them where none were planned."""
    everything = registry.all_columns(table)
    if planned is None:
        return everything
    scope = {column.name for column in registry.scope_columns(registry.tables()[table])}
    return {name: column for name, column in everything.items() if name in scope or name in planned}


def _insert(connection: duckdb.DuckDBPyConnection, table: str, columns: dict[str, Column], files: list[str]) -> None:
    types = sql.INTERNAL | {column.name: column.type for column in columns.values()}
    shape = ", ".join(f"{sql.name(name)}: {sql.quote(kind)}" for name, kind in types.items())
    names = ", ".join(sql.name(name) for name in types)
    try:
        connection.execute(
            f"INSERT INTO evidence.{sql.name(table)} ({names}) SELECT {names} FROM "
            f"read_json({sql.texts(files)}, format='newline_delimited', columns={{{shape}}})"
        )
    except duckdb.Error as error:
        raise StoreError(f"evidence of {table} cannot be read: {str(error).splitlines()[0]}") from error
