"""The table k8s_node: the machines of a cluster, where they are and how they are.

A condition that the node controller marks `Unknown` is NULL: it has not heard from that node.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.model import Column, Json, Place, Table
from collectors.kubernetes._call import list_call
from collectors.kubernetes._places import node_provider, node_region, node_zone

_LIST = list_call("", "v1", "nodes")


def _provider(node: Json) -> str | None:
    return node_provider(node["spec"].get("providerID", ""))


def _zone(node: Json) -> str | None:
    return node_zone(node["metadata"].get("labels") or {})


def _region(node: Json) -> str | None:
    return node_region(node["metadata"].get("labels") or {})


def _condition(kind: str) -> Callable[[Json], bool | None]:
    """A node condition as a boolean; None where the node did not report it or is not heard from."""

    def value(node: Json) -> bool | None:
        conditions = node.get("status", {}).get("conditions", ())
        status = next((condition["status"] for condition in conditions if condition["type"] == kind), "Unknown")
        return {"True": True, "False": False, "Unknown": None}[status]

    return value


def _unschedulable(node: Json) -> bool:
    return bool(node["spec"].get("unschedulable", False))


TABLE = Table(
    name="k8s_node",
    source="kubernetes",
    scope="cluster",
    key="name",
    description="Nodes of a cluster.",
    calls=(_LIST,),
    columns=(
        Column("name", "VARCHAR", "The node's name.", _LIST.name, "metadata.name"),
        Column("zone", "VARCHAR", "The zone that its labels name; NULL if they name none.", _LIST.name, _zone),
        Column("region", "VARCHAR", "The region that its labels name; NULL if they name none.", _LIST.name, _region),
        Column("provider_id", "VARCHAR", "The machine's id at its provider.", _LIST.name, "spec.providerID"),
        Column(
            "provider",
            "VARCHAR",
            "The provider that the id belongs to, as in `law_place`; NULL if unknown.",
            _LIST.name,
            _provider,
        ),
        Column("ready", "BOOLEAN", "Whether it can run pods; NULL if not heard from.", _LIST.name, _condition("Ready")),
        Column("kubelet_version", "VARCHAR", "Version of its kubelet.", _LIST.name, "status.nodeInfo.kubeletVersion"),
        Column("os_image", "VARCHAR", "Its operating system and release.", _LIST.name, "status.nodeInfo.osImage"),
        Column(
            "container_runtime",
            "VARCHAR",
            "Its container runtime and version, such as `containerd://2.0.5`.",
            _LIST.name,
            "status.nodeInfo.containerRuntimeVersion",
        ),
        Column("unschedulable", "BOOLEAN", "Whether it takes no new pods (cordoned).", _LIST.name, _unschedulable),
        Column(
            "memory_pressure",
            "BOOLEAN",
            "Whether it is short of memory; NULL if not heard from.",
            _LIST.name,
            _condition("MemoryPressure"),
        ),
        Column(
            "disk_pressure",
            "BOOLEAN",
            "Whether it is short of disk space; NULL if not heard from.",
            _LIST.name,
            _condition("DiskPressure"),
        ),
    ),
    place=Place(columns=("zone", "region"), provider_column="provider"),
)
