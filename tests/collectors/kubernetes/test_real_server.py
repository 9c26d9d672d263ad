"""The same against a real API server: pages, expired lists, rights, and the truth of the seeded cluster."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent import registry
from agent.model import GapKind
from collectors.kubernetes import SOURCE
from collectors.kubernetes._client import KubeClient
from collectors.kubernetes._kubeconfig import Kubeconfig
from tests.estate import cluster
from tests.kube import ApiServer, running

from .conftest import TABLES, Collected, true_rows

pytestmark = [pytest.mark.xdist_group("kube"), pytest.mark.slow]

NODES = registry.tables()["k8s_node"].list_call


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A server of its own: the truth is about everything in it."""
    with running(tmp_path_factory.mktemp("kube")) as server:
        cluster.seed(server.kubectl)
        yield server


def paged_client(server: ApiServer) -> KubeClient:
    configuration = Kubeconfig(str(server.kubeconfig)).configuration("test")
    return KubeClient(configuration, 30, page_size=2)


def auditor(server: ApiServer, name: str, permissions: set[str], folder: Path) -> Path:
    """A kubeconfig of a new service account that has exactly these permissions."""
    rules = [
        {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
        for group, resource, verb in (re.split("[/:]", permission) for permission in sorted(permissions))
    ]
    kind = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": name}}
    subject = {"kind": "ServiceAccount", "name": name, "namespace": "default"}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    things = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": "default"}},
        kind | {"kind": "ClusterRole", "rules": rules},
        kind | {"kind": "ClusterRoleBinding", "subjects": [subject], "roleRef": reference},
    ]
    server.kubectl("create", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": things}))
    return server.write_kubeconfig(folder / name, {"token": server.token("default", name)})


def test_the_seeded_cluster_is_the_truth(gather: Callable[..., Collected], seeded: ApiServer) -> None:
    found = gather(kubeconfig=str(seeded.kubeconfig))
    assert found.gaps == []
    for table in TABLES:
        assert found.rows[table.name] == true_rows(table.name, "test")


def test_the_recording_is_what_a_real_server_answers(seeded: ApiServer) -> None:
    for name, answer in cluster.answers(seeded.kubectl):
        recorded = json.loads((cluster.FOLDER / name).read_text())
        assert without_history(answer) == without_history(recorded), name


def without_history(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what every server gives anew: ids, versions and times of making."""
    history = {"uid", "resourceVersion", "creationTimestamp"}
    for thing in (answer, *answer.get("items", ())):
        metadata = thing.get("metadata", {})
        thing["metadata"] = {key: value for key, value in metadata.items() if key not in history}
    return answer


def test_pages_are_read_to_the_end(seeded: ApiServer) -> None:
    client = paged_client(seeded)
    names = [item["metadata"]["name"] for item in client.items(NODES)]
    assert names == sorted(cluster.TRUTH["k8s_node"])
    assert client.retries == 0


def test_a_list_that_expires_midway_is_read_again(seeded: ApiServer) -> None:
    client = paged_client(seeded)
    items = client.items(NODES)
    names = [next(items)["metadata"]["name"], next(items)["metadata"]["name"]]
    seeded.kubectl("label", "node", "archive-01", "seen=yes")
    seeded.compact()
    names += [item["metadata"]["name"] for item in items]
    seeded.kubectl("label", "node", "archive-01", "seen-")
    assert names == sorted(cluster.TRUTH["k8s_node"]), "each once"
    assert client.retries == 1, "the server answered 410 once"


@pytest.mark.parametrize("denied", TABLES, ids=lambda table: table.name)
def test_a_right_that_is_missing_is_a_gap(
    gather: Callable[..., Collected], seeded: ApiServer, tmp_path: Path, denied: registry.Table
) -> None:
    granted = {permission for table in TABLES if table is not denied for permission in table.list_call.permissions}
    name = f"without-{denied.name.replace('_', '-')}"
    found = gather(kubeconfig=str(auditor(seeded, name, granted, tmp_path)))
    [gap] = found.gaps
    assert (gap.table, gap.kind, gap.permission) == (denied.name, GapKind.DENIED, denied.list_call.permissions[0])
    assert f"system:serviceaccount:default:{name}" in gap.detail
    assert found.rows[denied.name] == {}
    for table in TABLES:
        if table is not denied:
            assert found.rows[table.name] == true_rows(table.name, "test")


def test_the_declared_permissions_are_enough_and_none_reads_secrets(
    gather: Callable[..., Collected], seeded: ApiServer, tmp_path: Path
) -> None:
    declared = {permission for table in TABLES for permission in table.list_call.permissions}
    assert not any("secrets" in permission for permission in declared)
    found = gather(kubeconfig=str(auditor(seeded, "auditor", declared, tmp_path)))
    assert found.gaps == []


def test_from_inside_a_pod(
    gather: Callable[..., Collected], seeded: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kubernetes.config import incluster_config

    declared = {permission for table in TABLES for permission in table.list_call.permissions}
    config = json.loads(auditor(seeded, "in-pod", declared, tmp_path).read_text())
    (tmp_path / "token").write_text(config["users"][0]["user"]["token"])
    host, _, port = seeded.address.removeprefix("https://").partition(":")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(seeded.folder / "pki/ca.crt"))
    found = gather(in_cluster=True, cluster_name="mine")
    assert found.gaps == []
    assert found.rows["k8s_node"] == true_rows("k8s_node", "mine")


def test_a_token_that_is_not_good_is_refused(seeded: ApiServer, tmp_path: Path) -> None:
    path = seeded.write_kubeconfig(tmp_path / "config", {"token": "not-a-token"})
    source = SOURCE(SOURCE.Settings(kubeconfig=str(path)), "2026-11-23T09:00:00Z")
    with pytest.raises(Exception, match="401 Unauthorized.*renew the credentials"):
        source.discover(frozenset({"cluster"}))


def test_a_certificate_of_another_authority_is_refused(seeded: ApiServer, tmp_path: Path) -> None:
    path = seeded.write_kubeconfig(tmp_path / "config", {"token": "x"})
    config = json.loads(path.read_text())
    del config["clusters"][0]["cluster"]["certificate-authority"]
    path.write_text(json.dumps(config))
    source = SOURCE(SOURCE.Settings(kubeconfig=str(path)), "2026-11-23T09:00:00Z")
    with pytest.raises(Exception, match="TLS failed.*certificate verify failed"):
        source.discover(frozenset({"cluster"}))
