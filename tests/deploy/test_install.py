"""The chart on a real API server: installed, upgraded, run, uninstalled; and what its ServiceAccount may really do.

The server of the tests is older than what the chart supports, so a copy of the chart with its kubeVersion lowered is
installed. The defaults use no field that such a server lacks.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.errors import Unanswered
from agent.model import GapKind
from collectors.kubernetes._call import KubeCall, list_call
from collectors.kubernetes._client import KubeClient
from collectors.kubernetes._kubeconfig import Kubeconfig
from tests.deploy.helm import CHART, Helm
from tests.kube import ApiServer

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kube")]

NAMESPACE = "audit"
RELEASE = "nightly"
NAME = "nightly-clausule"

Run = Callable[..., str]


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """The chart, but for the version of Kubernetes that it asks for."""
    copy = shutil.copytree(CHART, tmp_path / "clausule")
    lowered = (copy / "Chart.yaml").read_text().replace(">=1.25.0-0", ">=1.20.0-0")
    (copy / "Chart.yaml").write_text(lowered)
    return copy


@pytest.fixture
def run(helm: Helm, api_server: ApiServer) -> Iterator[Run]:
    """Helm on that server, in a namespace that is empty before and after."""

    def ask(*arguments: str, values: dict[str, Any] | None = None) -> str:
        where = [f"--kubeconfig={api_server.kubeconfig}", f"--namespace={NAMESPACE}"]
        return helm.run(*arguments, *where, values=values)

    yield ask
    if RELEASE in ask("list", "--short"):
        ask("uninstall", RELEASE)
    api_server.kubectl("delete", "jobs,persistentvolumeclaims", "--all", "--wait=false", f"--namespace={NAMESPACE}")


def fetched(server: ApiServer, kind: str) -> list[dict[str, Any]]:
    found = json.loads(server.kubectl("get", kind, f"--namespace={NAMESPACE}", "--output=json"))
    items: list[dict[str, Any]] = found["items"]
    return items


def offered(server: ApiServer) -> list[KubeCall]:
    """Every list that the server offers, over all namespaces."""
    groups = json.loads(server.kubectl("get", "--raw", "/apis"))["groups"]
    versions = ["v1", *(group["preferredVersion"]["groupVersion"] for group in groups)]
    calls = []
    for version in versions:
        group, _, number = version.rpartition("/")
        root = f"/apis/{version}" if group else f"/api/{version}"
        resources = json.loads(server.kubectl("get", "--raw", root))["resources"]
        calls += [list_call(group, number, found["name"]) for found in resources if "list" in found["verbs"]]
    return calls


def answer(client: KubeClient, call: KubeCall) -> GapKind | None:
    """Why the list was not read; None when it was."""
    try:
        list(client.items(call))
    except Unanswered as problem:
        return problem.kind
    return None


def test_from_install_to_uninstall(run: Run, chart: Path, api_server: ApiServer) -> None:
    notes = run("install", RELEASE, str(chart), "--create-namespace", values={})
    assert "list: " in notes, "the notes say what was granted"
    assert f"--from=cronjob/{NAME}-audit" in notes
    assert {job["metadata"]["name"] for job in fetched(api_server, "cronjobs")} == {
        f"{NAME}-audit",
        f"{NAME}-residency",
    }

    run(
        "upgrade", RELEASE, str(chart), values={"config": {"agreement": "Agreement 7"}, "residency": {"enabled": False}}
    )
    assert {job["metadata"]["name"] for job in fetched(api_server, "cronjobs")} == {f"{NAME}-audit"}
    (config,) = [made for made in fetched(api_server, "configmaps") if made["metadata"]["name"] == NAME]
    assert yaml.safe_load(config["data"]["clausule.yaml"])["agreement"] == "Agreement 7"

    run("uninstall", RELEASE)
    for kind in ("cronjobs", "configmaps", "networkpolicies"):
        assert not [made for made in fetched(api_server, kind) if made["metadata"]["name"].startswith(NAME)]
    assert NAME not in api_server.kubectl("get", "clusterroles,clusterrolebindings", "--output=name")
    claims = [claim["metadata"]["name"] for claim in fetched(api_server, "persistentvolumeclaims")]
    assert claims == [f"{NAME}-store"], "the evidence stays"

    run("install", RELEASE, str(chart), values={})
    assert run("status", RELEASE), "a later release takes the kept claim over"


def test_a_job_can_be_made_at_once_as_the_notes_say(run: Run, chart: Path, api_server: ApiServer) -> None:
    run("install", RELEASE, str(chart), "--create-namespace", values={})
    api_server.kubectl("create", "job", f"{NAME}-first", f"--from=cronjob/{NAME}-audit", f"--namespace={NAMESPACE}")
    (job,) = fetched(api_server, "jobs")
    pod = job["spec"]["template"]["spec"]
    assert job["spec"]["activeDeadlineSeconds"] > 0
    assert pod["restartPolicy"] == "Never"
    assert pod["serviceAccountName"] == NAME
    assert pod["containers"][0]["args"][0] == "audit"


def test_its_account_can_list_what_the_rules_say_and_nothing_else(
    run: Run, chart: Path, api_server: ApiServer, tmp_path: Path
) -> None:
    """Every list that this server offers is asked for, Secrets among them."""
    run("install", RELEASE, str(chart), "--create-namespace", values={})
    token = {"token": api_server.token(NAMESPACE, NAME)}
    kubeconfig = api_server.write_kubeconfig(tmp_path / "kubeconfig", token)
    client = KubeClient(Kubeconfig(str(kubeconfig)).configuration("test"), 30)
    asked = {call.permissions[0]: answer(client, call) for call in offered(api_server)}
    rules = yaml.safe_load((CHART / "files/rules.yaml").read_text())
    granted = {
        f"{rule['apiGroups'][0]}/{name}:list" for rule in rules if "list" in rule["verbs"] for name in rule["resources"]
    }
    assert {permission for permission, kind in asked.items() if kind is None} == granted
    assert {kind for permission, kind in asked.items() if permission not in granted} == {GapKind.DENIED}
    assert asked["/secrets:list"] is GapKind.DENIED
