"""Kubernetes permissions as the rules of a ClusterRole: what the chart grants is what the plan asks, and no more.

Permissions are written `<API group>/<resource>:<verb>`; the core group is empty: `/nodes:list`. Only reading is ever
granted: another verb, a wildcard or Secrets are refused here, whatever a table declares. So are subresources, for
`get` on `nodes/proxy` or `pods/exec` is more than reading.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

_PERMISSION = re.compile(r"(?P<group>[a-z0-9.-]*)/(?P<resource>[a-z0-9-]+):(?P<verb>get|list|watch)")
_NEVER = ("secrets",)
_HEADER = "# Made by `make generate` from the Kubernetes tables that the policies read. Do not edit.\n"

Rule = dict[str, list[str]]


def rules(permissions: Iterable[str]) -> list[Rule]:
    """The fewest RBAC rules that grant exactly these permissions, sorted; ValueError for what is never granted."""
    verbs: dict[tuple[str, str], set[str]] = defaultdict(set)
    for permission in permissions:
        group, resource, verb = _parts(permission)
        verbs[group, resource].add(verb)
    resources: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (group, resource), granted in sorted(verbs.items()):
        resources[group, tuple(sorted(granted))].append(resource)
    return [
        {"apiGroups": [group], "resources": names, "verbs": list(granted)}
        for (group, granted), names in sorted(resources.items())
    ]


def document(permissions: Iterable[str]) -> str:
    """The rules as the YAML file that the chart reads."""
    import yaml  # noqa: PLC0415 - only `make generate` writes YAML

    return _HEADER + yaml.safe_dump(rules(permissions), sort_keys=False)


def _parts(permission: str) -> tuple[str, str, str]:
    found = _PERMISSION.fullmatch(permission)
    if found is None:
        raise ValueError(f"{permission}: is not <API group>/<resource>:<get, list or watch>")
    if found["resource"] in _NEVER:
        raise ValueError(f"{permission}: is never granted")
    return found["group"], found["resource"], found["verb"]
