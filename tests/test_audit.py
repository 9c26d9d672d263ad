"""The whole of it: the real command over HTTP against an estate whose truth is known."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from agent.runs import runs
from agent.store import FolderStore
from tests.estate.demo import CLAUSULE, Demo, estate

ROOT = Path(__file__).parent.parent
AT = "2026-11-23"
VERDICTS = Path(__file__).parent / "estate" / "verdicts.yaml"

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("estate")]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with estate(tmp_path_factory.mktemp("estate")) as running:
        yield running


@pytest.fixture(scope="module")
def audited(demo: Demo) -> dict[str, Any]:
    """The JSON report of one whole audit."""
    done = demo.run("audit", "--json", "--quiet", "--as-of", AT)
    assert done.returncode == 1, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def verdicts(report: dict[str, Any]) -> dict[str, dict[str, str]]:
    """policy -> resource (the scope, for what could not be listed) -> verdict."""
    given: dict[str, dict[str, str]] = {policy["id"]: {} for policy in report["policies"]}
    for finding in report["findings"]:
        given[finding["policy"]][finding["resource"] or finding["scope"]] = finding["verdict"]
    return given


def named(truth: dict[str, dict[str, dict[str, Any]]]) -> dict[str, str]:
    """What the server made up the ids of, so that `verdicts.yaml` can name it by what it is."""
    volumes = {key: f"{row['availability_zone']}/{row['size_gib']}GiB" for key, row in truth["aws_ebs_volume"].items()}
    plans = {key: str(row["name"]) for key, row in truth["aws_backup_plan"].items()}
    return volumes | plans


def test_every_verdict_equals_the_truth(demo: Demo, audited: dict[str, Any]) -> None:
    """`verdicts.yaml` says for each policy and resource what is right, as the declarations of the estate have it."""
    truth = yaml.safe_load(VERDICTS.read_text(encoding="utf-8"))
    names = named(demo.truth)
    actual: dict[str, dict[str, list[str]]] = {}
    for policy, given in verdicts(audited).items():
        for resource, verdict in given.items():
            actual.setdefault(policy, {}).setdefault(verdict, []).append(names.get(resource, resource))
    for policy in sorted({*truth, *actual}):
        was = {verdict: sorted(resources) for verdict, resources in actual.get(policy, {}).items()}
        right = {verdict: sorted(resources) for verdict, resources in truth.get(policy, {}).items()}
        assert was == right, policy


def test_the_report_keeps_its_schema(audited: dict[str, Any]) -> None:
    schema = json.loads((ROOT / "agent/reports/schema/report-1.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(audited, schema)


def test_finding_ids_are_unique_and_stable(demo: Demo, audited: dict[str, Any]) -> None:
    ids = {finding["id"]: (finding["policy"], finding["resource"]) for finding in audited["findings"]}
    assert len(ids) == len(audited["findings"])
    again = json.loads(demo.run("audit", "--json", "-q", "--as-of", AT, "--clause", "3.13").stdout)
    assert again["findings"]
    for finding in again["findings"]:
        assert ids[finding["id"]] == (finding["policy"], finding["resource"])


def test_judged_again_without_network_it_is_the_same_bytes(demo: Demo, audited: dict[str, Any]) -> None:
    offline = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "KUBECONFIG": "/nonexistent"}
    done = demo.run("evaluate", audited["run"]["id"], **offline)
    assert "byte for byte" in done.stdout, done.stderr
    assert done.returncode == 1
    first = demo.run("report", audited["run"]["id"], "--format", "json", **offline).stdout
    assert json.loads(first) == audited
    for name in ("html", "prometheus", "terminal"):
        pages = {demo.run("report", audited["run"]["id"], "-f", name, **offline).stdout for _ in range(2)}
        assert len(pages) == 1
        assert pages != {""}


def test_tampered_evidence_is_refused(demo: Demo, audited: dict[str, Any], tmp_path: Path) -> None:
    shutil.copytree(demo.folder / ".clausule", tmp_path / "store")
    segment = next((tmp_path / "store/runs" / audited["run"]["id"] / "evidence/aws_s3_bucket").iterdir())
    segment.write_text(segment.read_text().replace("AES256", "aws:kms"))
    for command in ("evaluate", "report"):
        done = demo.run(command, audited["run"]["id"], "--store", str(tmp_path / "store"))
        assert done.returncode == 3
        assert "was changed after the run" in done.stderr


def test_killed_at_any_moment_it_is_finished_by_resume(demo: Demo, audited: dict[str, Any], tmp_path: Path) -> None:
    """Scopes that were done are not asked again, and the verdicts are those of a run that was never stopped."""
    store = tmp_path / "store"
    for scopes_done in (0, 3, 20):
        _kill_after(demo, store, scopes_done)
    stopped = [run for run in runs(FolderStore(store)) if not run.finished()]
    assert len(stopped) == 3, "none was to end by itself"
    for run in stopped:
        for command in ("report", "evaluate"):
            refused = demo.run(command, run.id, "--store", str(store))
            assert refused.returncode == 3
            assert f"--resume {run.id}" in refused.stderr
        scopes = [store / run.name(name) for name in run.names() if name.startswith("scopes/")]
        before = {path: path.stat().st_mtime_ns for path in scopes}
        done = demo.run("audit", "--resume", run.id, "--store", str(store), "--json")
        assert done.returncode == 1, done.stderr
        assert verdicts(json.loads(done.stdout)) == verdicts(audited)
        assert all(path.stat().st_mtime_ns == when for path, when in before.items())
    assert demo.run("runs", "--verify", "--store", str(store)).returncode == 0


def _kill_after(demo: Demo, store: Path, scopes: int) -> None:
    """Start an audit and kill it once it has a plan and so many scopes."""
    known = set(store.glob("runs/*"))
    command = [CLAUSULE, "audit", "-q", "--as-of", AT, "--store", str(store)]
    process = subprocess.Popen(command, cwd=demo.folder, env=demo.environment, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        new = [path for path in store.glob("runs/*") if path not in known and (path / "plan.json").exists()]
        if new and len(list(new[0].glob("scopes/*.json"))) >= scopes:
            break
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("part", ["evidence/aws_s3_bucket/*", "evidence/law_place/*", "policies.json"])
def test_what_was_changed_before_the_end_is_not_judged(demo: Demo, tmp_path: Path, part: str) -> None:
    store = tmp_path / "store"
    _kill_after(demo, store, 29)
    folder = next(store.glob("runs/*"))
    path = next(folder.glob(part))
    text = path.read_text(encoding="utf-8")
    changed = (
        text.replace("BucketOwnerEnforced'", "x' OR true").replace("AES256", "aws:kms").replace('"none"', '"inside"')
    )
    assert changed != text
    path.write_text(changed, encoding="utf-8")
    done = demo.run("audit", "--resume", folder.name, "--store", str(store), "-q")
    assert done.returncode == 3
    assert "is not what" in done.stderr


def test_a_cluster_that_is_gone_when_resumed_is_a_gap(demo: Demo, tmp_path: Path) -> None:
    """What was found when the run started is not forgotten because it is not found later."""
    store = tmp_path / "store"
    _kill_after(demo, store, 0)
    folder = next(store.glob("runs/*"))
    found = json.loads((folder / "found.json").read_text(encoding="utf-8"))
    found["kubernetes"]["scopes"].append(
        {**found["kubernetes"]["scopes"][0], "name": "kubernetes/gone", "group": "gone"}
    )
    (folder / "found.json").write_text(json.dumps(found), encoding="utf-8")
    report = json.loads(demo.run("audit", "--resume", folder.name, "--store", str(store), "--json", "-q").stdout)
    assert {gap["kind"] for gap in report["gaps"] if gap["group"] == "gone"} == {"not_collected"}
    assert verdicts(report)["k8s-node-inside"]["kubernetes/gone"] == "unknown"


def test_regions_left_out_by_the_settings_are_gaps(demo: Demo, tmp_path: Path) -> None:
    text = (demo.folder / "clausule.yaml").read_text(encoding="utf-8")
    (tmp_path / "narrow.yaml").write_text(text.replace("endpoint_url", "regions: [eu-west-1]\n  endpoint_url"))
    narrow = ["-c", str(tmp_path / "narrow.yaml"), "--store", str(tmp_path / "store")]
    report = json.loads(demo.run("audit", "--json", "-q", "--clause", "3.13", *narrow).stdout)
    assert "aws/123456789012/us-east-1" in {gap["scope"] for gap in report["gaps"]}
    assert verdicts(report)["rds-inside"]["aws/123456789012/us-east-1"] == "unknown"


def test_no_secret_reaches_evidence_or_reports(demo: Demo, audited: dict[str, Any]) -> None:
    secrets = [demo.environment["AWS_SECRET_ACCESS_KEY"], "recorded-token"]
    for path in (demo.folder / ".clausule").rglob("*"):
        if path.is_file() and path.suffix != ".parquet":
            text = path.read_text(encoding="utf-8", errors="replace")
            assert not [word for word in secrets if word in text and word != "testing"], path


def test_only_the_clause_asked_for_is_collected(demo: Demo) -> None:
    whole = json.loads(demo.run("plan", "--json").stdout)
    part = json.loads(demo.run("plan", "--json", "--clause", "3.13").stdout)
    calls = {call for table in part["plan"]["tables"] for call in table["calls"]}
    assert calls < {call for table in whole["plan"]["tables"] for call in table["calls"]}
    assert "s3:GetBucketEncryption" not in calls
    assert set(part["permissions"]["aws"]) < set(whole["permissions"]["aws"])


def test_a_bucket_as_store_works_like_a_folder(demo: Demo, tmp_path: Path) -> None:
    import boto3

    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    client = boto3.client("s3", endpoint_url=demo.endpoint, region_name="us-east-1", **keys)
    client.create_bucket(Bucket="clausule-runs")
    try:
        there = {"AWS_ENDPOINT_URL": demo.endpoint}
        done = demo.run("audit", "--iac", "iac", "--store", "s3://clausule-runs/x", "--json", "-q", **there)
        assert done.returncode == 1, done.stderr
        again = demo.run("evaluate", "--store", "s3://clausule-runs/x", **there)
        assert "byte for byte" in again.stdout, again.stderr
    finally:
        for item in client.list_objects_v2(Bucket="clausule-runs").get("Contents", []):
            client.delete_object(Bucket="clausule-runs", Key=item["Key"])
        client.delete_bucket(Bucket="clausule-runs")


def test_infrastructure_code_alone_needs_no_configuration(demo: Demo, tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "KUBE"))}
    command = [CLAUSULE, "audit", "--iac", str(ROOT / "tests/estate/iac")]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert list(tmp_path.glob(".clausule/reports/*/report.html"))


def test_an_installed_wheel_works_outside_the_checkout(demo: Demo, tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    wheel = next((tmp_path / "dist").glob("*.whl"))
    uv = str(Path(sys.executable).parent / "uv")
    target = tmp_path / "site"
    install = [uv, "pip", "install", "-q", "--no-deps", "--target", str(target), str(wheel), "--python", sys.executable]
    subprocess.run(install, check=True, capture_output=True)
    probe = "import agent; assert agent.__file__.startswith(%r), agent.__file__; from agent.cli import main; main()"
    command = [sys.executable, "-P", "-c", probe % str(target), "audit", "-q", "--clause", "3.13"]
    environment = {**demo.environment, "PYTHONPATH": str(target)}
    store = ["--store", str(tmp_path / "store"), "-c", str(demo.folder / "clausule.yaml")]
    whole = [*command, *store]
    done = subprocess.run(whole, cwd=demo.folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    report = next((tmp_path / "store").glob("reports/*/report.html"))
    assert report.stat().st_size > 10_000
