"""What the chart makes is valid Kubernetes, restricted, and what the values say; what it must not take it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import pytest
import yaml

from agent import __version__, publish
from agent.clauses import expand
from agent.cli.audit import command
from tests.deploy.conftest import VALUES
from tests.deploy.helm import CHART, Helm, Refused

Objects = list[dict[str, Any]]
OLDEST = 25
NEWEST = int(kubernetes_validate.latest_version().split(".")[1])


def of_kind(objects: Objects, kind: str) -> Objects:
    return [made for made in objects if made["kind"] == kind]


def pods(objects: Objects) -> Objects:
    """The pod of each CronJob."""
    return [job["spec"]["jobTemplate"]["spec"]["template"] for job in of_kind(objects, "CronJob")]


def arguments(objects: Objects) -> list[list[str]]:
    return [pod["spec"]["containers"][0]["args"] for pod in pods(objects)]


def configuration(objects: Objects) -> dict[str, Any]:
    """The clausule.yaml in the ConfigMap."""
    found: dict[str, Any] = json.loads(of_kind(objects, "ConfigMap")[0]["data"]["clausule.yaml"])
    return found


@pytest.mark.parametrize("name", sorted(VALUES))
def test_lint_finds_nothing(helm: Helm, name: str) -> None:
    helm.run("lint", "--strict", str(CHART), values=VALUES[name])


def test_every_object_is_valid_in_every_version_of_kubernetes(objects: Objects) -> None:
    ours = [made for made in objects if made["kind"] != "PrometheusRule"]
    assert ours
    for minor in range(OLDEST, NEWEST + 1):
        for made in ours:
            kubernetes_validate.validate(made, f"1.{minor}", strict=True)


def test_an_older_kubernetes_is_refused(helm: Helm) -> None:
    with pytest.raises(Refused, match="incompatible with Kubernetes"):
        helm.template({}, "--kube-version=1.24.0")


def test_pods_are_restricted(objects: Objects) -> None:
    """Every control of the restricted Pod Security Standard, and a root file system that is read-only."""
    allowed = {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
    assert pods(objects)
    for pod in pods(objects):
        spec = pod["spec"]
        assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers", "ephemeralContainers"} & set(spec)
        assert all(set(volume) - {"name"} <= allowed for volume in spec["volumes"])
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] == 10001
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert "sysctls" not in spec["securityContext"]
        for container in spec["containers"]:
            assert "ports" not in container
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["requests"]
            assert container["resources"]["limits"]["memory"]


def test_what_is_written_has_a_volume(objects: Objects) -> None:
    """With a read-only root, the store and /tmp are the only places to write to."""
    config = configuration(objects)
    for pod in pods(objects):
        spec = pod["spec"]
        names = [volume["name"] for volume in spec["volumes"]]
        mounts = {mount["mountPath"]: mount["name"] for mount in spec["containers"][0]["volumeMounts"]}
        assert len(set(names)) == len(names)
        assert set(mounts.values()) == set(names)
        assert mounts["/tmp"] == "scratch"
        if "://" in config["store"]:
            assert "store" not in names
        else:
            assert mounts[config["store"]] == "store"


def test_names_fit_the_jobs_that_the_controller_makes(objects: Objects) -> None:
    for job in of_kind(objects, "CronJob"):
        assert len(job["metadata"]["name"]) <= 52


def test_the_network_policy_selects_the_pods(objects: Objects) -> None:
    for policy in of_kind(objects, "NetworkPolicy"):
        wanted = policy["spec"]["podSelector"]["matchLabels"].items()
        assert wanted
        assert all(wanted <= pod["metadata"]["labels"].items() for pod in pods(objects))


def test_two_schedules_that_never_overlap_themselves(helm: Helm) -> None:
    objects = helm.template({})
    jobs = {job["metadata"]["name"]: job["spec"] for job in of_kind(objects, "CronJob")}
    assert {name: job["schedule"] for name, job in jobs.items()} == {
        "nightly-clausule-audit": "17 2 * * *",
        "nightly-clausule-residency": "*/15 * * * *",
    }
    for job in jobs.values():
        assert job["concurrencyPolicy"] == "Forbid"
        assert job["startingDeadlineSeconds"] >= 10
        assert "timeZone" not in job
    assert jobs["nightly-clausule-residency"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] < 15 * 60


def test_the_command_line(helm: Helm) -> None:
    audit, residency = arguments(helm.template({}))
    assert audit[0] == residency[0] == "audit"
    assert {"--exit-zero", "--no-progress", "--config=/etc/clausule/clausule.yaml"} <= set(audit) & set(residency)
    assert not any(argument.startswith("--clause=") for argument in audit)
    assert "--clause=3.13" in residency
    files = [argument for argument in audit + residency if argument.startswith("--metrics-file=")]
    assert len(set(files)) == 2


@pytest.mark.parametrize("name", sorted(VALUES))
def test_the_program_takes_the_command_line(helm: Helm, name: str) -> None:
    for given in arguments(helm.template(VALUES[name])):
        with command.make_context("audit", list(given[1:])) as context:
            assert context.params["exit_zero"]
            assert publish.choose(context.params["formats"])
            for clause in context.params["clauses"]:
                assert expand(clause)


def test_bucket_with_cloud_identity(helm: Helm) -> None:
    objects = helm.template(VALUES["bucket-and-cloud-identity"])
    assert configuration(objects)["store"] == "s3://evidence.example.org/clausule"
    assert not of_kind(objects, "PersistentVolumeClaim")
    assert not of_kind(objects, "ClusterRole"), "this cluster is not audited"
    account = of_kind(objects, "ServiceAccount")[0]
    assert account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"].endswith("role/clausule")
    for pod in pods(objects):
        container = pod["spec"]["containers"][0]
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert not any(argument.startswith("--metrics-file") for argument in container["args"])
        assert pod["metadata"]["labels"]["azure.workload.identity/use"] == "true"
        assert pod["metadata"]["labels"]["app.kubernetes.io/name"] == "clausule"
        secret = next(entry for entry in container["env"] if entry["name"] == "PARTNER_SECRET")
        assert secret["valueFrom"]["secretKeyRef"] == {"name": "partner", "key": "secret"}
        assert container["envFrom"] == [{"secretRef": {"name": "cloud"}}]
        assert "affinity" not in pod["spec"]


def test_own_volume_and_registers(helm: Helm) -> None:
    objects = helm.template(VALUES["own-volume-and-registers"])
    data = of_kind(objects, "ConfigMap")[0]["data"]
    assert data["transfers.yaml"] == VALUES["own-volume-and-registers"]["registers"]["transfer"]
    assert configuration(objects)["registers"] == {
        "transfer": ["/data/more.yaml", "/etc/clausule/transfers.yaml"],
        "restore_drill": ["/etc/clausule/restore-drills.yaml"],
    }
    (pod,) = pods(objects)
    assert "affinity" not in pod["spec"], "a ReadWriteMany volume can be mounted on every node"
    assert pod["spec"]["containers"][0]["image"] == "registry.example.org/clausule:1.2@sha256:" + "a" * 64
    claims = [volume.get("persistentVolumeClaim", {}).get("claimName") for volume in pod["spec"]["volumes"]]
    assert "evidence" in claims
    egress = of_kind(objects, "NetworkPolicy")[0]["spec"]
    assert egress["policyTypes"] == ["Ingress", "Egress"]
    assert [port["port"] for rule in egress["egress"] for port in rule["ports"]] == [53, 53, 443]


def test_nothing_may_connect_to_the_pods(helm: Helm) -> None:
    (policy,) = of_kind(helm.template({}), "NetworkPolicy")
    assert policy["spec"]["policyTypes"] == ["Ingress"]
    assert "ingress" not in policy["spec"]


def test_audits_that_overlap_share_a_node_for_a_volume_that_needs_it(helm: Helm) -> None:
    objects = helm.template({})
    for pod in pods(objects):
        (term,) = pod["spec"]["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        assert term["topologyKey"] == "kubernetes.io/hostname"
        assert term["labelSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()


def test_evidence_outlives_the_release_unless_asked_otherwise(helm: Helm) -> None:
    (kept,) = of_kind(helm.template({}), "PersistentVolumeClaim")
    (not_kept,) = of_kind(helm.template(VALUES["nothing-granted"]), "PersistentVolumeClaim")
    assert kept["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert not_kept["metadata"]["annotations"] == {"backup": "daily"}
    assert not_kept["spec"]["storageClassName"] == "fast"


def test_two_releases_of_one_name_do_not_meet_in_the_cluster(helm: Helm) -> None:
    names = [
        {
            made["metadata"]["name"]
            for made in helm.template({}, f"--namespace={namespace}")
            if made["kind"].startswith("ClusterRole")
        }
        for namespace in ("one", "two")
    ]
    assert names[0]
    assert not names[0] & names[1]


def test_it_works_as_a_part_of_another_chart(helm: Helm) -> None:
    assert helm.template({"global": {"imageRegistry": "registry.example.org"}})


REFUSED = {
    "unknown key": ({"schedule": "@daily"}, "schedule"),
    "unknown key of the configuration": ({"config": {"kubernets": {}}}, "kubernets"),
    "the store belongs to the chart": ({"config": {"store": "s3://b"}}, "store"),
    "secret by its name": ({"env": {"AWS_SECRET_ACCESS_KEY": "x"}}, "AWS_SECRET_ACCESS_KEY"),
    "token by its name": ({"env": {"PARTNER_TOKEN": "x"}}, "PARTNER_TOKEN"),
    "key id by its value": ({"env": {"SETTING": "AKIA" + "A" * 16}}, "SETTING"),
    "password in a proxy's URL": ({"env": {"HTTPS_PROXY": "http://me:pass@proxy:3128"}}, "HTTPS_PROXY"),
    "private key in the agreement's name": ({"config": {"agreement": "-----BEGIN PRIVATE KEY-----"}}, "agreement"),
    "secret by its value in a register": ({"registers": {"transfer": "id: ASIA" + "B" * 16}}, "transfer"),
    "credentials in the store's URL": ({"store": {"url": "s3://key:secret@bucket"}}, "url"),
    "a host's path": ({"extraVolumes": [{"name": "etc", "hostPath": {"path": "/etc"}}]}, "hostPath"),
    "a volume of the chart's own name": ({"extraVolumes": [{"name": "store", "emptyDir": {}}]}, "extraVolumes"),
    "a country that YAML reads as false": (
        {
            "config": {
                "waivers": [{"policy": "p", "resource": False, "reason": "r", "approver": "a", "expires": "2027-01-31"}]
            }
        },
        "resource",
    ),
    "a language that there is not": ({"audit": {"language": "es"}}, "language"),
    "a schedule that is none": ({"residency": {"schedule": "15"}}, "schedule"),
    "a clause that is none": ({"residency": {"clauses": ["residency"]}}, "clauses"),
    "a digest that is none": ({"image": {"digest": "latest"}}, "digest"),
    "another privilege": ({"securityContext": {"privileged": True}}, "securityContext"),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_refused_with_the_name_of_what_is_wrong(helm: Helm, case: str) -> None:
    values, named = REFUSED[case]
    with pytest.raises(Refused, match=f"(?s)schema.*{named}"):
        helm.template(values)


def test_no_secret_is_repeated_in_a_refusal(helm: Helm) -> None:
    secret = "AKIA" + "Q" * 16
    with pytest.raises(Refused) as refusal:
        helm.template({"env": {"SETTING": secret}})
    assert secret not in str(refusal.value)


def test_the_chart_and_the_program_have_one_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == __version__


def test_values_and_schema_name_the_same_keys() -> None:
    """So that values.yaml, with a comment on each, is the whole reference."""
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    for part in ("global", "config"):  # a parent chart's; and what test_config.py looks at
        schema["properties"].pop(part)
    values.pop("config")
    assert set(leaves(values)) == set(schema_leaves(schema, schema))


def leaves(values: dict[str, Any], path: str = "") -> Iterator[str]:
    for key, value in values.items():
        here = f"{path}.{key}"
        if isinstance(value, dict) and value and key not in ("requests", "limits"):
            yield from leaves(value, here)
        else:
            yield here


def schema_leaves(schema: dict[str, Any], part: dict[str, Any], path: str = "") -> Iterator[str]:
    for key, value in part["properties"].items():
        target = value
        if "$ref" in value:
            target = schema["definitions"][value["$ref"].rsplit("/", 1)[1]]
        if "properties" in target:
            yield from schema_leaves(schema, target, f"{path}.{key}")
        else:
            yield f"{path}.{key}"
