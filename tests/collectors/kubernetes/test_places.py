"""Where nodes and volumes are, by the marks of the providers; what tells no place stays unknown."""

from __future__ import annotations

from typing import Any

import pytest

from collectors.kubernetes._places import (
    node_provider,
    node_region,
    node_zone,
    volume_provider,
    volume_region,
    volume_zone,
)

ZONE, REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"
OLD_ZONE = "failure-domain.beta.kubernetes.io/zone"
EBS, GKE, AZURE = "topology.ebs.csi.aws.com/zone", "topology.gke.io/zone", "topology.disk.csi.azure.com/zone"
HOST = "kubernetes.io/hostname"


@pytest.mark.parametrize(
    ("provider_id", "provider"),
    [
        ("aws:///eu-west-1a/i-0a1b", "aws"),
        ("azure:///subscriptions/0/resourceGroups/g/providers/x", "azure"),
        ("gce://project/europe-west1-b/node-1", "gcp"),
        ("hcloud://123", "hetzner"),
        ("kind://docker/kind/kind-control-plane", None),
        ("ocid1.instance.oc1.eu-frankfurt-1.x", None),
        ("aws", None),
        ("", None),
    ],
)
def test_a_provider_id_tells_the_provider(provider_id: str, provider: str | None) -> None:
    assert node_provider(provider_id) == provider


def test_the_current_label_goes_before_the_old_one() -> None:
    assert node_zone({OLD_ZONE: "eu-west-1b", ZONE: "eu-west-1a"}) == "eu-west-1a"
    assert node_zone({OLD_ZONE: "eu-west-1b", ZONE: ""}) == "eu-west-1b"
    assert node_zone({EBS: "eu-west-1a"}) is None, "a driver's key says where it attaches disks, not where the node is"
    assert node_region({}) is None


def volume(*terms: dict[str, list[str]], driver: str = "ebs.csi.aws.com", **labels: str) -> dict[str, Any]:
    """A volume whose node affinity has these terms; `not KEY` is a condition that excludes."""
    selector = [
        {
            "matchExpressions": [
                {"key": key.removeprefix("not "), "operator": "NotIn" if key.startswith("not ") else "In", "values": v}
                for key, v in term.items()
            ]
        }
        for term in terms
    ]
    spec: dict[str, Any] = {"csi": {"driver": driver}}
    if terms:
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": selector}}
    named = {"zone": OLD_ZONE, "region": REGION}
    return {"metadata": {"name": "v", "labels": {named[key]: value for key, value in labels.items()}}, "spec": spec}


@pytest.mark.parametrize(
    ("given", "zone", "region"),
    [
        (volume({EBS: ["eu-west-1a"]}), "eu-west-1a", "eu-west-1"),
        (volume({ZONE: ["us-gov-west-1b"]}), "us-gov-west-1b", "us-gov-west-1"),
        (volume({ZONE: ["eusc-de-east-1a"]}), "eusc-de-east-1a", "eusc-de-east-1"),
        (volume({EBS: ["eu-central-1-ist-1a"]}), "eu-central-1-ist-1a", "eu-central-1"),
        (volume({EBS: ["eu-west-3-cmn-wlz-1a"]}), "eu-west-3-cmn-wlz-1a", "eu-west-3"),
        (volume({GKE: ["europe-west1-b"]}, driver="pd.csi.storage.gke.io"), "europe-west1-b", "europe-west1"),
        (volume({AZURE: ["westeurope-1"]}, driver="disk.csi.azure.com"), "westeurope-1", "westeurope"),
        (volume({AZURE: [""]}, driver="disk.csi.azure.com"), None, None),
        (volume({ZONE: ["a", "b"], REGION: ["fsn1"]}, driver="csi.hetzner.cloud"), None, "fsn1"),
        (volume({"csi.hetzner.cloud/location": ["nbg1"]}, driver="csi.hetzner.cloud"), None, "nbg1"),
    ],
)
def test_node_affinity_tells_the_place(given: dict[str, Any], zone: str | None, region: str | None) -> None:
    assert (volume_zone(given), volume_region(given)) == (zone, region)


@pytest.mark.parametrize(
    ("given", "zone", "region"),
    [
        pytest.param(volume({ZONE: ["eu-west-1a", "eu-west-1b"]}), None, "eu-west-1", id="one region"),
        pytest.param(volume({ZONE: ["eu-west-1a"]}, {ZONE: ["eu-west-2a"]}), None, None, id="two regions"),
        pytest.param(
            volume({ZONE: ["eu-central-1a", "eu-central-1-ist-1a"]}), None, None, id="a local zone may be abroad"
        ),
        pytest.param(volume({ZONE: ["eu-west-1a"]}, {HOST: ["n1"]}), None, None, id="one term allows any zone"),
        pytest.param(volume({"not " + ZONE: ["eu-west-1a"]}), None, None, id="anywhere but there"),
        pytest.param(
            volume({ZONE: ["eu-west-1a", "eu-west-1b"], EBS: ["eu-west-1b"]}), "eu-west-1b", "eu-west-1", id="both"
        ),
        pytest.param(volume({ZONE: ["zone-1"]}, driver="csi.example.org"), "zone-1", None, id="unknown provider"),
        pytest.param(volume(), None, None, id="nothing said"),
    ],
)
def test_what_may_be_in_several_places_is_in_none(given: dict[str, Any], zone: str | None, region: str | None) -> None:
    assert (volume_zone(given), volume_region(given)) == (zone, region)


def test_labels_tell_the_place_where_affinity_does_not() -> None:
    assert volume_zone(volume({HOST: ["n1"]}, zone="eu-west-1c")) == "eu-west-1c"
    assert volume_zone(volume(zone="europe-west1-b__europe-west1-c")) is None
    regional = volume(driver="pd.csi.storage.gke.io", zone="europe-west1-b__europe-west1-c")
    assert volume_region(regional) == "europe-west1"
    assert volume_region(volume(zone="us-east-1a", region="us-east-1")) == "us-east-1"


def test_a_volume_is_its_drivers_providers() -> None:
    assert volume_provider({"csi": {"driver": "disk.csi.azure.com"}}) == "azure"
    assert volume_provider({"csi": {"driver": "nfs.csi.k8s.io"}}) is None
    assert volume_provider({"gcePersistentDisk": {"pdName": "d"}}) == "gcp"
    assert volume_provider({"hostPath": {"path": "/srv"}}) is None
