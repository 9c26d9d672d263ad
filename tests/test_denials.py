"""The denial matrix, made from the declarations: every call of every table, denied, in a whole audit.

No policy that reads what the call fills passes anywhere, and the gap is in the JSON, the HTML, the metrics and the exit
code. New tables are covered without being named. AWS and Kubernetes refuse at their HTTP edge; other sources have none.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from agent import config, policy, registry, reports, run
from agent.errors import Unanswered
from agent.model import Answers, Call, GapKind, Json, Source, Table
from agent.result import Result
from agent.store import FolderStore
from collectors.checkov import _environment
from collectors.checkov._client import FRAMEWORKS
from tests import faults
from tests.estate import cluster
from tests.estate.demo import Demo, estate
from tests.needs import missing

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("denials")]

CALLS = [(table, call) for table in registry.tables().values() for call in table.calls]
NO_AUDIT = {"sts:GetCallerIdentity"}
"""Denied, there is no audit at all: tests/test_cli.py."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with estate(tmp_path_factory.mktemp("denials")) as running:
        _replay_checkov(running.folder)
        yield running


def _replay_checkov(folder: Path) -> None:
    """Ask the real Checkov once, and leave a command that says the same again: a run takes seconds."""
    command = _environment.find()
    if command is None:
        missing("Checkov's environment (make setup)")
    asked = [
        str(command),
        "--directory=iac",
        "--output=json",
        "--compact",
        "--skip-download",
        "--framework",
        *FRAMEWORKS,
    ]
    done = subprocess.run(asked, cwd=folder, capture_output=True, check=False)
    (folder / "checkov.json").write_bytes(done.stdout)
    script = folder / "checkov-again"
    script.write_text(f"#!/bin/sh\ncat {folder / 'checkov.json'}\nexit {done.returncode}\n", encoding="utf-8")
    script.chmod(0o755)


@contextmanager
def refused(kind: type[Source], call: Call) -> Iterator[None]:
    """The source's answers to this call are refused, at the last place before the collector."""
    real = kind.answers

    class Refusing:
        def __init__(self, answers: Answers) -> None:
            self._answers = answers

        @property
        def retries(self) -> int:
            return self._answers.retries

        def items(self, asked: Call) -> Iterator[Json]:
            if asked == call:
                raise Unanswered(GapKind.DENIED, "refused")
            return self._answers.items(asked)

        def ask(self, asked: Call, item: Json) -> Json:
            if asked == call:
                raise Unanswered(GapKind.DENIED, "refused")
            return self._answers.ask(asked, item)

    with patch.object(kind, "answers", lambda self, scope: Refusing(real(self, scope))):
        yield


@contextmanager
def denied(demo: Demo, table: Table, call: Any) -> Iterator[None]:
    """This call is denied, wherever it is made."""
    if table.source == "aws":
        with faults.fault(call.name, "denied"):
            yield
    elif table.source == "kubernetes":
        demo.server.break_path(call.path, cluster.refuse(403))
        yield
        demo.server.break_path(call.path, cluster.refuse(403), times=0)
    else:
        with refused(registry.sources()[table.source], call):
            yield


@contextmanager
def audited(demo: Demo, folder: Path) -> Iterator[Result]:
    """A whole audit in this process, in two regions and with Checkov's answers recorded."""
    text = (demo.folder / "clausule.yaml").read_text(encoding="utf-8")
    text = text.replace("endpoint_url:", "regions: [eu-west-1, us-east-1]\n  endpoint_url:")
    text = text.replace("checkov:\n", f"checkov:\n  command: {demo.folder / 'checkov-again'}\n")
    before, found = Path.cwd(), built_in()
    os.chdir(demo.folder)
    try:
        with (
            patch.object(policy, "load", lambda places, *_: found if places else []),
            run.audit(config.parse(text, "clausule.yaml"), FolderStore(folder)) as (_, result),
        ):
            yield result
    finally:
        os.chdir(before)


def rendered(result: Result, name: str) -> str:
    out = BytesIO()
    reports.formats()[name].render(result, out, "en")
    return out.getvalue().decode()


def readers(table: Table, call: Call) -> set[str]:
    """The policies that read what the call fills."""
    filled = {column.name for column in table.columns if column.call == call.name}
    if call.role == "list":
        return {one.id for one in built_in() if table.name in one.reads}
    return {one.id for one in built_in() if filled.intersection(one.reads.get(table.name, ()))}


@cache
def built_in() -> list[policy.BoundPolicy]:
    return policy.load([policy.BUILT_IN])


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch, demo: Demo) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, demo.environment[name])


def test_there_is_something_to_lose(demo: Demo, tmp_path: Path) -> None:
    """With nothing denied there are passes to lose, and no gap in what is denied below."""
    with audited(demo, tmp_path) as result:
        assert sum(outcome.counts.passed > 0 for outcome in result.policies) > len(result.policies) / 2


@pytest.mark.parametrize(
    ("table", "call"), [pair for pair in CALLS if pair[1].name not in NO_AUDIT], ids=lambda item: item.name
)
def test_denied(demo: Demo, tmp_path: Path, table: Table, call: Call) -> None:
    affected = readers(table, call)
    with denied(demo, table, call), audited(demo, tmp_path) as result:
        if not affected:
            assert all(gap.call != call.name for gap in result.gaps), "a call that nobody needs was made"
            return
        assert [gap for gap in result.gaps if gap.call == call.name and gap.kind is GapKind.DENIED]
        for outcome in result.policies:
            if outcome.policy.id in affected:
                assert outcome.counts.passed == 0, outcome.policy.id
                assert outcome.verdict != "pass", outcome.policy.id
                assert outcome.gaps > 0, outcome.policy.id
        assert result.exit_code in (1, 2)
        document = json.loads(rendered(result, "json"))
        assert any(gap["call"] == call.name for gap in document["gaps"])
        assert call.name in rendered(result, "html")
        assert call.name in rendered(result, "terminal")
        counted = [line for line in rendered(result, "prometheus").splitlines() if line.startswith("clausule_gaps{")]
        assert any(f'collector="{table.source}"' in line and 'kind="denied"' in line for line in counted)
