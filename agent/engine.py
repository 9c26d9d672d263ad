"""Policies and evidence become verdicts. Opens no socket, reads no clock.

Each policy is one statement, run by a child process (`agent.judge`). When a policy exceeds its time or ends the
process, that policy has an error and a new child goes on with the next. What joined tables could not see is worked out
here from the gaps, per policy, because SQL cannot: a denied list makes `NOT EXISTS` true.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import duckdb
import msgspec

from agent import sql
from agent.judge import CREATE, Job, Outcome, Task
from agent.model import Gap
from agent.policy import BoundPolicy

SECONDS_PER_POLICY = 120.0


class Unseen(msgspec.Struct, frozen=True, kw_only=True):
    """What of the estate could not be seen, as policies need to know it."""

    gaps: tuple[Gap, ...]
    tables: frozenset[str]
    """Tables of which nothing was looked at."""

    def blind(self, policy: BoundPolicy, joined: Iterable[str]) -> sql.Blind:
        """Where these joined tables leave the policy blind."""
        groups: set[str] = set()
        tables: set[str] = set()
        everywhere = False
        for table in joined:
            hit = {gap.group for gap in self.gaps if touches(gap, table, policy.reads[table])}
            if table in self.tables or (hit and table in policy.anywhere):
                everywhere = True
            if hit or table in self.tables:
                tables.add(table)
            groups |= hit
        return sql.Blind(groups=tuple(sorted(groups)), everywhere=everywhere, tables=tuple(sorted(tables)))


def touches(gap: Gap, table: str, columns: Iterable[str]) -> bool:
    """Whether a gap concerns these columns of the table; one of the whole table concerns all."""
    return gap.table == table and (not gap.columns or not set(gap.columns).isdisjoint(columns))


def evaluate(
    evidence: Path,
    policies: Sequence[BoundPolicy],
    unseen: Unseen,
    audit_time: str,
    scratch: Path,
    *,
    seconds: float = SECONDS_PER_POLICY,
    told: Callable[[Outcome], None] = lambda _: None,
) -> tuple[Path, dict[str, Outcome]]:
    """Judge every policy; returns the findings database (rows by policy and rowid) and each policy's outcome."""
    findings = scratch / "findings.duckdb"
    with duckdb.connect(str(findings)) as connection:
        connection.execute(CREATE)
    outcomes: dict[str, Outcome] = {}
    tasks = [_task(policy, unseen) for policy in policies]
    while waiting := [task for task in tasks if task.policy.id not in outcomes]:
        job = Job(
            evidence=str(evidence),
            findings=str(findings),
            scratch=str(scratch),
            audit_time=audit_time,
            tasks=tuple(waiting),
        )
        for outcome in _child(job, seconds):
            outcomes[outcome.policy] = outcome
            told(outcome)
    return findings, outcomes


def _task(policy: BoundPolicy, unseen: Unseen) -> Task:
    return Task(
        policy=policy.judged,
        blind_where=unseen.blind(policy, policy.judged.where_joined),
        blind=unseen.blind(policy, policy.joined),
        params=policy.params,
        names=policy.names,
    )


def _child(job: Job, seconds: float) -> list[Outcome]:
    """The outcomes of one child; a child that dies or is late leaves an error for the policy it was at."""
    outcomes: list[Outcome] = []
    with _start() as process:
        assert process.stdin and process.stdout  # noqa: S101, PT018 - for the type checker
        with contextlib.suppress(BrokenPipeError):  # a child that is already gone: see _death
            process.stdin.write(msgspec.json.encode(job))
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        for task in job.tasks:
            line, late = _line(process, seconds)
            if not line:
                outcomes.append(Outcome(policy=task.policy.id, error=_death(process, seconds if late else None)))
                break
            outcomes.append(msgspec.json.decode(line, type=Outcome))
    return outcomes


def _start() -> subprocess.Popen[bytes]:
    """A child that inherits no credentials and imports nothing from the working directory."""
    environment = {
        key: os.environ[key] for key in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "TMPDIR") if key in os.environ
    }
    command = [sys.executable, "-P", "-m", "agent.judge"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)


def _line(process: subprocess.Popen[bytes], seconds: float) -> tuple[bytes, bool]:
    """The child's next line, or nothing; and whether it was killed for being late."""
    assert process.stdout  # noqa: S101 - for the type checker
    late = threading.Event()

    def kill() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(seconds, kill)
    timer.start()
    line = process.stdout.readline()
    timer.cancel()
    return line, late.is_set()


def _death(process: subprocess.Popen[bytes], late: float | None) -> str:
    if late is not None:
        return f"took longer than {late:g} seconds"
    trace = process.stderr.read().decode(errors="replace").strip().splitlines() if process.stderr else []
    process.wait()
    return f"ended the evaluation ({trace[-1] if trace else f'exit {process.returncode}'})"[:300]
