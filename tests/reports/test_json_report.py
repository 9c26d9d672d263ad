"""The JSON report: its schema is current, output obeys it, findings are streamed, and the docs show a real one."""

from __future__ import annotations

import io
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from agent.model import Finding, Verdict
from agent.reports import _document, json_report
from agent.reports._document import Report
from agent.result import ClauseState, Counts, Result
from tests.reports.listed import ListedFindings

DOCS = Path(__file__).parents[2] / "docs" / "json-report.md"


def document(result: Result) -> bytes:
    out = io.BytesIO()
    json_report.render(result, out, "en")
    return out.getvalue()


def test_the_published_schema_is_current() -> None:
    published = _document.SCHEMA_FILE.read_bytes()
    assert published == _document.schema(), "run: python -m agent.reports._document"


def test_a_report_obeys_the_schema(result: Result) -> None:
    schema = json.loads(_document.SCHEMA_FILE.read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads(document(result)))


@pytest.mark.parametrize("path", [("state",), ("counts", "total"), ("gaps", 0, "kind"), ("findings", 0, "verdict")])
def test_the_schema_refuses_a_wrong_value(result: Result, path: tuple[str | int, ...]) -> None:
    report: Any = json.loads(document(result))
    place = report
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = "nonsense"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(report, json.loads(_document.SCHEMA_FILE.read_bytes()))


def test_a_report_says_all_of_the_result(result: Result) -> None:
    report = msgspec.json.decode(document(result), type=Report)
    assert report.run == result.run
    assert report.gaps == result.gaps
    assert report.scopes == result.scopes
    assert report.locations == result.locations
    assert report.waivers == result.waivers
    assert [clause.id for clause in report.clauses] == [clause.id for clause in result.clauses]
    expected = [f for outcome in result.policies for f in result.findings.of(outcome.policy.id)]
    assert list(report.findings) == expected
    assert report.counts.total == len(expected)


def test_the_counts_are_those_of_the_findings(result: Result) -> None:
    report = msgspec.json.decode(document(result), type=Report)
    for verdict, number in (
        (Verdict.PASS, report.counts.passed),
        (Verdict.FAIL, report.counts.failed),
        (Verdict.UNKNOWN, report.counts.unknown),
        (Verdict.WAIVED, report.counts.waived),
    ):
        assert sum(finding.verdict is verdict for finding in report.findings) == number


def test_findings_are_written_while_they_are_read(result: Result) -> None:
    """A finding is on its way out before the one after the next is asked for: nothing holds them all."""
    template = next(result.findings.of(result.policies[0].policy.id))
    out = io.BytesIO()
    written: list[int] = []

    class Endless:
        def of(self, policy: str, _verdicts: object = None, _limit: object = None) -> Iterator[Finding]:
            for index in range(1000 if policy == template.policy else 0):
                written.append(out.tell())
                yield msgspec.structs.replace(template, id=f"{index:016}")

    json_report.render(msgspec.structs.replace(result, findings=Endless()), out, "en")
    assert all(later > earlier for earlier, later in itertools.pairwise(written))
    assert len(json.loads(out.getvalue())["findings"]) == 1000


def small(result: Result) -> Result:
    """One clause, one policy, one failure, one gap: what the documentation shows."""
    outcome = next(o for o in result.policies if o.policy.id == "s3-bucket-not-public")
    failure = next(result.findings.of(outcome.policy.id, frozenset({Verdict.FAIL})))
    counts = Counts(failed=1)
    group = next(g for g in outcome.groups if g.group == failure.group)
    policy = msgspec.structs.replace(
        outcome,
        counts=counts,
        verdict=Verdict.FAIL,
        gaps=1,
        scopes=(failure.scope,),
        groups=(msgspec.structs.replace(group, counts=counts, gaps=1),),
    )
    clause = next(c for c in result.clauses if c.id == "3.2.d")
    return msgspec.structs.replace(
        result,
        state=ClauseState.FAILS,
        counts=counts,
        clauses=(msgspec.structs.replace(clause, counts=counts, gaps=1, policies=(policy.policy.id,)),),
        policies=(policy,),
        skipped=result.skipped[:1],
        waivers=result.waivers[:1],
        gaps=result.gaps[1:2],
        scopes=result.scopes[:1],
        locations=result.locations[:1],
        findings=ListedFindings([failure]),
    )


def test_the_documentation_shows_a_real_report(result: Result) -> None:
    shown = re.findall(r"```json\n(.*?)```", DOCS.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert shown == [document(small(result)).decode()]


def test_the_documentation_names_every_key() -> None:
    text = DOCS.read_text(encoding="utf-8")
    missing = [name for name in Report.__struct_fields__ if f"`{name}`" not in text]
    assert not missing
