"""The PrometheusRule, judged by Prometheus' own promtool, and held to the metrics that Clausule really writes."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.metrics import FAMILIES, NOT_ADEQUATE
from agent.result import ClauseState
from tests.deploy.helm import Helm
from tests.deploy.test_chart import of_kind
from tests.needs import missing

CASES = Path(__file__).with_name("alerts.yaml")
GIVEN_BY_PROMETHEUS = {"job"}


def groups(helm: Helm, values: dict[str, Any]) -> list[dict[str, Any]]:
    given = {**values, "prometheusRule": {"enabled": True, **values.get("prometheusRule", {})}}
    (rule,) = of_kind(helm.template(given), "PrometheusRule")
    found: list[dict[str, Any]] = rule["spec"]["groups"]
    return found


def alerts(helm: Helm, values: dict[str, Any]) -> dict[str, str]:
    """Expression by name."""
    return {rule["alert"]: rule["expr"] for group in groups(helm, values) for rule in group["rules"]}


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        missing("promtool (Debian: prometheus)")
    return str(found)


def test_the_rules_fire_when_they_should(helm: Helm, promtool: str, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": groups(helm, {})}))
    shutil.copy(CASES, tmp_path)
    done = subprocess.run(
        [promtool, "test", "rules", str(tmp_path / CASES.name)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_case(helm: Helm) -> None:
    cases = yaml.safe_load(CASES.read_text())["tests"]
    fired = {check["alertname"] for case in cases for check in case["alert_rule_test"] if check["exp_alerts"]}
    assert fired == set(alerts(helm, {}))


def test_they_read_metrics_that_there_are(helm: Helm) -> None:
    labels = {family.name: set(family.labels) for family in FAMILIES}
    for name, expression in alerts(helm, {}).items():
        read = re.findall(r"(clausule_\w+)\{([^}]*)\}", expression)
        assert len(read) == len(re.findall(r"\bclausule_", expression)), name
        for metric, selector in read:
            assert metric in labels, name
            assert set(re.findall(r"(\w+)=~?\"", selector)) - GIVEN_BY_PROMETHEUS <= labels[metric], name


def test_they_ask_for_states_that_there_are(helm: Helm) -> None:
    text = " ".join(alerts(helm, {}).values())
    assert set(re.findall(r'jurisdiction_class="(\w+)"', text)) == set(NOT_ADEQUATE)
    asked = "|".join(re.findall(r'state=~?"([\w|]+)"', text))
    assert set(asked.split("|")) <= set(ClauseState)


def test_thresholds_and_jobs_are_values(helm: Helm) -> None:
    given = {
        "jobs": {"audit": "a", "residency": "r"},
        "auditMaxAgeSeconds": 7200,
        "minCoverage": 0.5,
        "maxGaps": 3,
        "waiverWarningDays": 1,
    }
    found = alerts(helm, {"prometheusRule": given})
    assert found["ClausuleAuditStale"].endswith("> 7200")
    assert '{job="a"}' in found["ClausuleAuditStale"]
    assert found["ClausuleCoverageLow"].endswith("< 0.5")
    assert found["ClausuleEvidenceMissing"].endswith("> 3")
    assert found["ClausuleWaiverEnds"].endswith("< 86400")


def test_a_job_that_is_off_alerts_nobody(helm: Helm) -> None:
    found = alerts(helm, {"residency": {"enabled": False}})
    assert not {"ClausuleResidencyStale", "ClausuleResidencyAbsent"} & set(found)
    assert 'job="clausule-audit"' in found["ClausuleDataOutsideEU"], "then the full audit tells it"


def test_off_by_default(helm: Helm) -> None:
    assert not of_kind(helm.template({}), "PrometheusRule")
