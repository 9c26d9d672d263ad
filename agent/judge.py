"""The process that runs policies' SQL: locked in, limited, and expendable.

`python -m agent.judge` reads one job from standard input and writes one line per policy to standard output. It has the
evidence attached read-only, no files, no network, no settings to change, a cap on memory (of DuckDB and of the process)
and no clock. A policy that does harm all the same ends this process, not the audit: see `agent.engine`.
"""

from __future__ import annotations

import resource
import sys
from typing import Any

import duckdb
import msgspec

from agent import sql

DATABASE_MEMORY = "384MB"
PROCESS_MEMORY = 2 * 1024**3
"""Address space, bytes. What DuckDB's own limit does not cover (scalar functions, binding) ends here."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One policy to judge."""

    policy: sql.Judged
    blind_where: sql.Blind
    blind: sql.Blind
    params: dict[str, Any]
    names: tuple[str, ...]
    """The `$names` in the SQL."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the process needs to know."""

    evidence: str
    findings: str
    scratch: str
    audit_time: str
    tasks: tuple[Task, ...]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How one policy went; an empty error is success."""

    policy: str
    error: str = ""
    rows: int = 0


CREATE = (
    "CREATE TABLE IF NOT EXISTS findings "
    "(policy VARCHAR, row BIGINT, verdict UTINYINT, reason VARCHAR, scope VARCHAR, grp VARCHAR)"
)


def main() -> None:
    """Judge the job on standard input."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    resource.setrlimit(resource.RLIMIT_AS, (PROCESS_MEMORY, PROCESS_MEMORY))
    connection = open_locked(job)
    for task in job.tasks:
        print(msgspec.json.encode(_judge(connection, task, job.audit_time, job.scratch)).decode(), flush=True)  # noqa: T201
    connection.close()


def open_locked(job: Job) -> duckdb.DuckDBPyConnection:
    """A connection to the findings database with the evidence attached read-only and everything else closed."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": 1,  # sums of floating-point numbers depend on their order
        "memory_limit": DATABASE_MEMORY,
        "temp_directory": f"{job.scratch}/spill",
        "max_temp_directory_size": "20GB",
    }
    connection = duckdb.connect(job.findings, config=config)
    connection.execute(CREATE)
    connection.execute(f"ATTACH {sql.quote(job.evidence)} AS evidence (READ_ONLY)")
    connection.execute("USE evidence")
    sql.lock(connection, f"allowed_directories = {sql.texts([job.scratch])}")
    return connection


def _judge(connection: duckdb.DuckDBPyConnection, task: Task, audit_time: str, scratch: str) -> Outcome:
    params = sql.values(task.params, task.names, audit_time)
    judged = sql.judge(task.policy, task.blind_where, task.blind)
    columns = f"{sql.quote(task.policy.id)}, _row, verdict, reason, NULL, NULL"
    insert = f"INSERT INTO findings.main.findings SELECT {columns} FROM ({judged})"
    try:
        row = connection.execute(insert, params or None).fetchone()
    except (duckdb.Error, MemoryError) as error:
        return Outcome(policy=task.policy.id, error=sql.plain(error).replace(scratch, "."))
    return Outcome(policy=task.policy.id, rows=int(row[0]) if row else 0)


if __name__ == "__main__":
    main()
