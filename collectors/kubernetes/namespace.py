"""The table k8s_namespace: the namespaces of a cluster and what they promise by their labels."""

from __future__ import annotations

from agent.model import Column, Json, Table
from collectors.kubernetes._call import list_call

_LIST = list_call("", "v1", "namespaces")
_ENFORCE = "pod-security.kubernetes.io/enforce"
_SYSTEM = frozenset({"kube-system", "kube-public", "kube-node-lease"})
"""The namespaces that Kubernetes makes for itself; `default` is for its users."""


def _labels(namespace: Json) -> Json:
    return namespace["metadata"].get("labels") or {}


def _enforce(namespace: Json) -> str:
    return str(_labels(namespace).get(_ENFORCE, ""))


def _is_system(namespace: Json) -> bool:
    return namespace["metadata"]["name"] in _SYSTEM


TABLE = Table(
    name="k8s_namespace",
    source="kubernetes",
    scope="cluster",
    key="name",
    description="Namespaces of a cluster.",
    calls=(_LIST,),
    columns=(
        Column("name", "VARCHAR", "The namespace's name.", _LIST.name, "metadata.name"),
        Column("phase", "VARCHAR", "`Active` or `Terminating`.", _LIST.name, "status.phase"),
        Column("labels", "MAP(VARCHAR, VARCHAR)", "Its labels; empty if it has none.", _LIST.name, _labels),
        Column(
            "pod_security_enforce",
            "VARCHAR",
            "The Pod Security Standard that its label enforces (`privileged`, `baseline`, `restricted`), '' if none.",
            _LIST.name,
            _enforce,
        ),
        Column(
            "is_system",
            "BOOLEAN",
            "Whether Kubernetes made it for itself: kube-system, kube-public, kube-node-lease.",
            _LIST.name,
            _is_system,
        ),
    ),
)
