"""What the Kubernetes client needs to ask a question: the path of a list."""

from __future__ import annotations

from agent.model import Call


class KubeCall(Call, frozen=True, kw_only=True):
    """A list request to the API server.

    Its permission is written `GROUP/RESOURCE:VERB`, with nothing before the slash for the core group: `/nodes:list`,
    `networking.k8s.io/networkpolicies:list`.
    """

    path: str
    """From the root of the server, over all namespaces: `/api/v1/nodes`."""


def list_call(group: str, version: str, resource: str) -> KubeCall:
    """The list of all objects of a resource; `group` is empty for the core group."""
    root = f"/apis/{group}/{version}" if group else f"/api/{version}"
    return KubeCall(
        name=f"{resource}:list",
        role="list",
        permissions=(f"{group}/{resource}:list",),
        path=f"{root}/{resource}",
    )
