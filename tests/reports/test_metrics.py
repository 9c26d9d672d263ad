"""The metrics: right numbers by account, nothing hidden, sound for Prometheus, and documented."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from agent import groups, metrics
from agent.model import Gap, GapKind, Verdict
from agent.reports import prometheus
from agent.result import ClauseState, Counts, GroupCounts, Result
from tests.reports.listed import ListedFindings

DOCS = Path(__file__).parents[2] / "docs" / "metrics.md"
Series = dict[tuple[str, ...], float]


def text(result: Result) -> str:
    out = io.BytesIO()
    prometheus.render(result, out, "en")
    return out.getvalue().decode()


def series(result: Result, name: str, *labels: str) -> Series:
    for family in text_string_to_metric_families(text(result)):
        if family.name == name:
            return {tuple(sample.labels[label] for label in labels): sample.value for sample in family.samples}
    raise AssertionError(f"there is no {name}")


def one_hot(found: Series) -> dict[tuple[str, ...], str]:
    sums: dict[tuple[str, ...], float] = {}
    for key, value in found.items():
        sums[key[:-1]] = sums.get(key[:-1], 0.0) + value
    assert set(sums.values()) == {1.0}
    return {key[:-1]: key[-1] for key, value in found.items() if value}


def test_a_clause_has_one_state_in_each_group(result: Result) -> None:
    states = one_hot(series(result, "clausule_clause_status", "clause", "scope", "state"))
    assert states["3.2", "111111111111"] == "fails"
    assert states["3.5.d", "111111111111"] == "holds"
    assert states["3.5.d", "222222222222"] == "unknown", "its databases in us-east-1 could not be listed"
    assert states["3.6.b", "restore_drill_register"] == "fails"
    assert states["3.13.c", "transfer_register"] == "fails"


def test_the_state_of_the_whole_run_is_that_of_the_report(result: Result) -> None:
    states = one_hot(series(result, "clausule_clause_overall_status", "clause", "state"))
    assert states == {(clause.id,): clause.state.value for clause in result.clauses}


def test_controls_are_counted_by_their_verdict_in_a_group(result: Result) -> None:
    found = series(result, "clausule_controls", "clause", "scope", "state")
    for clause in result.clauses:
        for group in {key[1] for key in found if key[0] == clause.id}:
            total = sum(found[clause.id, group, verdict.value] for verdict in Verdict)
            looking = [o for o in result.policies if o.policy.id in clause.policies]
            assert total == sum(any(part.group == group for part in o.groups) for o in looking)
    assert found["3.2.a", "222222222222", "fail"] == 1
    assert found["3.2.a", "111111111111", "pass"] == 0


def test_a_gap_without_findings_is_no_coverage_and_no_pass(result: Result) -> None:
    outcome = msgspec.structs.replace(
        result.policies[0], counts=Counts(), groups=(GroupCounts(source="aws", group="333", counts=Counts(), gaps=1),)
    )
    alone = msgspec.structs.replace(result, policies=(outcome,), findings=ListedFindings([]))
    assert series(alone, "clausule_coverage_ratio", "scope", "collector") == {("333", "aws"): 0.0}
    states = one_hot(series(alone, "clausule_clause_status", "clause", "scope", "state"))
    assert states["3.2.d", "333"] == "unknown"
    assert series(alone, "clausule_controls", "clause", "scope", "state")["3.2.d", "333", "unknown"] == 1


def test_a_policy_that_broke_passes_nowhere(result: Result) -> None:
    policies = [msgspec.structs.replace(o, error="out of memory") for o in result.policies]
    broken = msgspec.structs.replace(result, policies=tuple(policies))
    assert "holds" not in one_hot(series(broken, "clausule_clause_status", "clause", "scope", "state")).values()
    controls = series(broken, "clausule_controls", "clause", "scope", "state")
    assert not [key for key, value in controls.items() if key[2] == "pass" and value]


def test_coverage_is_assessed_of_total(result: Result) -> None:
    found = series(result, "clausule_coverage_ratio", "scope", "collector")
    parts = [g for o in result.policies for g in o.groups if (g.group, g.source) == ("222222222222", "aws")]
    counts = sum((part.counts for part in parts), Counts())
    assert 0 < counts.assessed < counts.total
    assert found["222222222222", "aws"] == counts.assessed / counts.total


def test_counts_by_group_that_hide_a_finding_are_refused(result: Result) -> None:
    hiding = msgspec.structs.replace(result.policies[0], groups=())
    with pytest.raises(groups.InconsistentResultError):
        text(msgspec.structs.replace(result, policies=(hiding, *result.policies[1:])))


def test_gaps_of_a_scope_that_was_never_reached_are_counted(result: Result) -> None:
    gap = Gap(
        source="kubernetes", scope="kubernetes/prod", group="prod", table="k8s_node", call="list nodes",
        kind=GapKind.UNREACHABLE, detail="connection refused", at="2026-11-22T23:04:11Z",
    )  # fmt: skip
    more = msgspec.structs.replace(result, gaps=(*result.gaps, gap))
    found = series(more, "clausule_gaps", "scope", "collector", "kind")
    assert found["prod", "kubernetes", "unreachable"] == 1
    assert sum(found.values()) == len(more.gaps)


def test_places_outside_the_union_are_counted_once_each(result: Result) -> None:
    found = series(result, "clausule_nonadequate_locations", "scope", "jurisdiction_class")
    assert found["222222222222", "none"] == 2, "ap-southeast-1, and the local zone in Istanbul"
    assert found["222222222222", "adequate_conditional"] == 1
    assert found["111111111111", "none"] == 0


def test_a_group_whose_places_are_not_known_has_no_reassuring_zero(result: Result) -> None:
    only = tuple(at for at in result.locations if at.group == "111111111111")
    found = series(msgspec.structs.replace(result, locations=only), "clausule_nonadequate_locations", "scope")
    assert ("222222222222",) not in found


def drills(result: Result, **shown: object) -> Series:
    """The metric, were the one drill of the result to show these values."""
    outcome = next(o for o in result.policies if o.policy.table == "restore_drill_register")
    template = next(result.findings.of(outcome.policy.id))
    finding = msgspec.structs.replace(template, verdict=Verdict.FAIL, evidence=shown)
    one = msgspec.structs.replace(result, findings=ListedFindings([finding]))
    return series(one, "clausule_restore_test_last_success_timestamp_seconds", "scope", "resource_class")


ARN = "arn:aws:rds:eu-west-1:111111111111:db:bevolking"


def test_the_last_success_is_by_account_and_kind(result: Result) -> None:
    found = drills(result, outcome="success", performed="2026-09-02", resource=ARN, validated=True)
    assert found == {("111111111111", "rds"): 1788307200.0}


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "failure"},
        {"validated": False},
        {"document_matches": False},
        {"performed": "2027-01-01"},
        {"performed": None},
    ],
    ids=["failed", "not validated", "another document", "in the future", "no date"],
)
def test_what_is_no_proven_restore_is_no_success(result: Result, changes: dict[str, object]) -> None:
    assert drills(result, **{"outcome": "success", "performed": "2026-09-02", "resource": ARN, **changes}) == {}


def test_waivers_are_counted_for_a_clause_and_its_parent(result: Result) -> None:
    found = series(result, "clausule_waivers", "clause", "state")
    assert found["3.2.d", "active"] == found["3.2", "active"] == 2
    assert found["3.2.b", "expired"] == 1
    ends = series(result, "clausule_waiver_next_expiry_timestamp_seconds", "clause")
    assert ends["3.2.d",] == 1798761600.0, "the end of 31 December 2026"


def test_times_are_those_of_the_run(result: Result) -> None:
    assert series(result, "clausule_run_last_success_timestamp_seconds") == {(): 1795388752.0}
    assert series(result, "clausule_run_duration_seconds", "stage") == {("total",): 112.0, ("collect",): 99.0}


def test_no_sample_has_a_timestamp_and_no_label_a_resource(result: Result) -> None:
    lines = [line for line in text(result).splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"\w+(\{.*\})? \S+", line) for line in lines)
    resources = {
        f.resource for o in result.policies for f in result.findings.of(o.policy.id) if f.resource.startswith("arn:")
    }
    assert not [resource for resource in resources if resource in text(result)]


def test_one_hot_states_are_the_fixed_set(result: Result) -> None:
    found = series(result, "clausule_clause_status", "clause", "scope", "state")
    assert {key[2] for key in found} == {state.value for state in ClauseState}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian: prometheus) is not installed")
def test_promtool_has_nothing_to_say(result: Result) -> None:
    command = ["promtool", "check", "metrics"]
    done = subprocess.run(command, input=text(result), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def documented() -> Iterable[tuple[str, set[str]]]:
    for line in DOCS.read_text(encoding="utf-8").splitlines():
        row = re.match(r"\| `(clausule_\w+)` \|([^|]*)\|", line)
        if row:
            yield row[1], set(re.findall(r"`(\w+)`", row[2]))


def test_every_family_is_documented_with_its_labels() -> None:
    assert dict(documented()) == {family.name: set(family.labels) for family in metrics.FAMILIES}
