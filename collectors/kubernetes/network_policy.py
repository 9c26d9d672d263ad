"""The table k8s_network_policy: which traffic of which pods is allowed.

A policy denies all traffic of a direction by default when it selects every pod of its namespace, is about that
direction, and allows nothing in it. `ingress: [{}]` is the opposite: one rule without conditions allows everything.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.model import Column, Json, Table
from collectors.kubernetes._call import list_call

_LIST = list_call("networking.k8s.io", "v1", "networkpolicies")


def _id(policy: Json) -> str:
    return f"{policy['metadata']['namespace']}/{policy['metadata']['name']}"


def _selects_all_pods(policy: Json) -> bool:
    selector = policy["spec"].get("podSelector") or {}
    return not selector.get("matchLabels") and not selector.get("matchExpressions")


def _policy_types(policy: Json) -> list[str]:
    """As written, else as the API documents its default: Ingress always, Egress when there are egress rules."""
    spec = policy["spec"]
    default = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
    return list(spec.get("policyTypes") or default)


def _default_deny(kind: str, rules: str) -> Callable[[Json], bool]:
    def value(policy: Json) -> bool:
        return _selects_all_pods(policy) and kind in _policy_types(policy) and not policy["spec"].get(rules)

    return value


TABLE = Table(
    name="k8s_network_policy",
    source="kubernetes",
    scope="cluster",
    key="id",
    description="Network policies of all namespaces of a cluster.",
    calls=(_LIST,),
    columns=(
        Column("id", "VARCHAR", "Namespace and name: `shop/default-deny`.", _LIST.name, _id),
        Column("namespace", "VARCHAR", "The namespace whose pods it is about.", _LIST.name, "metadata.namespace"),
        Column("name", "VARCHAR", "The policy's name.", _LIST.name, "metadata.name"),
        Column(
            "selects_all_pods",
            "BOOLEAN",
            "Whether it is about every pod of its namespace.",
            _LIST.name,
            _selects_all_pods,
        ),
        Column("policy_types", "VARCHAR[]", "The directions it is about: Ingress, Egress.", _LIST.name, _policy_types),
        Column(
            "default_deny_ingress",
            "BOOLEAN",
            "Whether it denies every pod of its namespace all incoming traffic that no other policy allows.",
            _LIST.name,
            _default_deny("Ingress", "ingress"),
        ),
        Column(
            "default_deny_egress",
            "BOOLEAN",
            "Whether it denies every pod of its namespace all outgoing traffic that no other policy allows.",
            _LIST.name,
            _default_deny("Egress", "egress"),
        ),
    ),
)
