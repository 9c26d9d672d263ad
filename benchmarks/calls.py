"""Calls made against calls needed, and CPU per call beside boto3 alone making the same calls.

The account is that of the demo, on a server in a process of its own. What was asked is noted at botocore's edge; boto3
then asks the same again in one thread, with clients made in the same way, and nothing else done with the answers.
"""

from __future__ import annotations

import os
import resource
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import botocore.handlers
from botocore import xform_name
from botocore.exceptions import ClientError

from agent import collect, plan, policy, run
from agent.config import parse
from agent.runs import Run
from agent.steps import Steps
from agent.store import FolderStore
from benchmarks.figures import Figure
from tests.estate import aws

Asked = tuple[str, str, str, dict[str, Any]]
"""Service, operation, region, parameters."""


def measure() -> list[Figure]:
    """Collect the account once, then let boto3 ask the same."""
    with aws.moto(own_process=True) as endpoint, _credentials(), tempfile.TemporaryDirectory() as folder:
        aws.seed(endpoint)
        _audit(endpoint, Path(folder) / "warm")
        with _noted() as asked:
            ours, needed = _audit(endpoint, Path(folder) / "measured")
        theirs = _boto3_alone(endpoint, asked)
    made = len(asked)
    twice = sum(count - 1 for count in Counter(map(repr, asked)).values())
    each, bare = ours / made * 1000, theirs / made * 1000
    return [
        Figure("AWS calls made", f"{made}", f"{needed} needed by the plan for what is there, {twice} asked twice"),
        Figure("AWS CPU per call", f"{each:.2f} ms", f"boto3 alone {bare:.2f} ms: ratio {each / bare:.2f}"),
    ]


@contextmanager
def _credentials() -> Iterator[None]:
    with patch.dict(os.environ, aws.KEYS):
        yield


@contextmanager
def _noted() -> Iterator[list[Asked]]:
    asked: list[Asked] = []

    def note(params: dict[str, Any], model: Any, context: dict[str, Any], **_: object) -> None:
        service = model.service_model.service_name
        asked.append((service, model.name, context["client_region"], dict(params)))

    handlers = [*botocore.handlers.BUILTIN_HANDLERS, ("provide-client-params", note)]
    with patch.object(botocore.handlers, "BUILTIN_HANDLERS", handlers):
        yield asked


def _audit(endpoint: str, folder: Path) -> tuple[float, int]:
    """CPU seconds of discovering and collecting, and the calls that the plan needs for the rows that there are."""
    configured = parse(f"aws: {{endpoint_url: '{endpoint}'}}", "benchmark")
    made = plan.make(policy.load([policy.BUILT_IN]), ["aws"])
    asked = run.sources(configured.sources, "chapter_v", "2026-11-23T00:00:00Z")
    only = {"aws": asked["aws"]}
    before = resource.getrusage(resource.RUSAGE_SELF)
    records = collect.collect(Run(FolderStore(folder), "r"), made, only, collect.discover(made, only), Steps())
    after = resource.getrusage(resource.RUSAGE_SELF)
    discovery = 2  # GetCallerIdentity and DescribeRegions
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, discovery + sum(record.calls for record in records)


def _boto3_alone(endpoint: str, asked: list[Asked]) -> float:
    session = boto3.Session()
    clients: dict[tuple[str, str], Any] = {}
    before = resource.getrusage(resource.RUSAGE_SELF)
    for service, operation, region, params in asked:
        if (service, region) not in clients:
            clients[service, region] = session.client(service, region_name=region, endpoint_url=endpoint)
            clients[service, region].meta.events.register("before-sign.s3-control", aws.without_account_in_host)
        try:
            getattr(clients[service, region], xform_name(operation))(**params)
        except ClientError:
            continue  # "not configured" is an answer too
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
