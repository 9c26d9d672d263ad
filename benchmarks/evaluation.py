"""A million rows judged by twenty policies: CPU per row and policy, and peak memory of the process that judges.

The rows are made buckets, with every verdict among them and one row in a hundred partly unread, one in
fifty replicated to another bucket; the policies are the
built-in ones over buckets, taken again under other names until there are twenty. Joins with the law are among them.
"""

from __future__ import annotations

import hashlib
import os
import re
import resource
import tempfile
from pathlib import Path

import duckdb

from agent import collect, config, engine, evidence, plan, policy, registry, run
from agent.policy import BoundPolicy
from agent.runs import Run
from agent.steps import Steps
from agent.store import FolderStore
from benchmarks.figures import Figure

ROWS = int(os.environ.get("CLAUSULE_BENCH_ROWS", "1000000"))
POLICIES = 20
SLOWEST, LARGEST = 0.5, 700
AUDIT_TIME = "2026-11-23T00:00:00Z"

_ROWS = """
COPY (SELECT 'aws/1/account' AS _scope, '1' AS _group,
  CASE WHEN i % 100 = 0 THEN ['encryption_algorithm'] END AS _unread,
  '2026-11-23T00:00:00Z' AS _read_at, sha256(i::VARCHAR) AS _digest, '1' AS account_id,
  'bucket-' || i AS name, {values} FROM range({rows}) t(i)) TO '{path}' (FORMAT json)
"""
_SAMPLES = {
    "VARCHAR": "['AES256', 'aws:kms', 'none', 'Enabled', 'eu-west-1', 'us-east-1'][1 + i % 6]",
    "BOOLEAN": "i % 3 = 0",
    "BIGINT": "i % 400",
    "TIMESTAMP": "'2026-01-01T00:00:00Z'",
    "VARCHAR[]": "CASE WHEN i % 50 = 0 THEN ['arn:aws:s3:::bucket-' || (i + 1)] ELSE [] END",
}
_SPECIAL = {"region": "['eu-west-1', 'eu-central-1', 'us-east-1', 'eu-west-2', 'moon-1'][1 + i % 5]"}


def measure() -> list[Figure]:
    """Load and judge; the loading is shown apart."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        chosen = _policies()
        made = plan.make(chosen, ["aws", "law", "registers"])
        target = Run(FolderStore(scratch / "store"), "bench")
        records = _evidence(target, made, scratch)
        before = resource.getrusage(resource.RUSAGE_SELF)
        facts = evidence.build(target, made, records, [], scratch)
        loaded = resource.getrusage(resource.RUSAGE_SELF)
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        _, outcomes = engine.evaluate(facts, chosen, engine.Unseen(gaps=(), tables=frozenset()), AUDIT_TIME, scratch)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    errors = [outcome.error for outcome in outcomes.values() if outcome.error]
    if errors:
        raise RuntimeError(errors[0])
    seconds = after.ru_utime + after.ru_stime - children.ru_utime - children.ru_stime
    each = seconds / ROWS / POLICIES * 1e6
    memory = after.ru_maxrss / 1024
    findings = sum(outcome.rows for outcome in outcomes.values())
    load = (loaded.ru_utime + loaded.ru_stime - before.ru_utime - before.ru_stime) / ROWS * 1e6
    how = f"{ROWS:,} rows x {POLICIES} policies, {findings:,} findings written, {seconds:.1f} s CPU"
    return [
        Figure("evaluation, per row and policy", f"{each:.2f} us CPU", how, f"< {SLOWEST} us", each < SLOWEST),
        Figure(
            "evaluation, peak memory", f"{memory:.0f} MB", "of the judging process", f"< {LARGEST} MB", memory < LARGEST
        ),
        Figure(
            "evidence load, per row", f"{load:.1f} us CPU", f"NDJSON to DuckDB, {loaded.ru_maxrss / 1024:.0f} MB peak"
        ),
    ]


def _policies() -> list[BoundPolicy]:
    buckets = [bound for bound in policy.load([policy.BUILT_IN]) if bound.policy.table == "aws_s3_bucket"]
    files = []
    for index in range(POLICIES):
        bound = buckets[index % len(buckets)]
        name = f"{bound.id}-{index}"
        files.append((f"{name}.yaml", re.sub(rf"(?m)^id: {re.escape(bound.id)}$", f"id: {name}", bound.text)))
    return policy.bind(files, {})


def _evidence(target: Run, made: plan.Plan, scratch: Path) -> list[collect.ScopeRecord]:
    """The buckets as one scope, and the real law and empty registers beside them."""
    asked = run.sources({}, config.Common().reading_3_13, AUDIT_TIME)
    supporting = plan.Plan(policies=(), skipped=(), tables=tuple(t for t in made.tables if t.source != "aws"))
    records = collect.collect(target, supporting, asked, collect.discover(supporting, asked), Steps())
    planned = next(table for table in made.tables if table.table == "aws_s3_bucket")
    columns = registry.all_columns("aws_s3_bucket")
    others = [name for name in planned.columns if name != "name"]
    values = [f"{_SPECIAL.get(name, _SAMPLES[columns[name].type])} AS {name}" for name in others]
    path = scratch / "rows.ndjson"
    duckdb.sql(_ROWS.format(values=", ".join(values), rows=ROWS, path=path))
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    target.store.take(target.name("evidence/aws_s3_bucket/one.ndjson"), path)
    segment = collect.Segment(table="aws_s3_bucket", file="evidence/aws_s3_bucket/one.ndjson", rows=ROWS, sha256=digest)
    scope = collect.Scope(source="aws", kind="account", group="1", name="aws/1/account")
    moment = AUDIT_TIME
    record = collect.ScopeRecord(
        scope=scope, started=moment, finished=moment, segments=(segment,), gaps=(), calls=0, retries=0
    )
    return [*records, record]
