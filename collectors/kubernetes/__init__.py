"""The Kubernetes source: clusters, by the contexts of a kubeconfig or from inside a pod.

A scope is a cluster and is called by its context. Whether a cluster is there is asked once, cheaply, before anything
is collected: one of several that does not answer becomes a gap and the others go on; when none answers there is
nothing to audit, which is an error of use.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Annotated, ClassVar

import msgspec

from agent.errors import UsageError
from agent.model import Answers, Call, Discovery, GapKind, Scope, UnlistedScopes
from collectors.kubernetes._call import KubeCall
from collectors.kubernetes._client import KubeClient
from collectors.kubernetes._http import Unserved
from collectors.kubernetes._kubeconfig import CredentialsError, Kubeconfig, in_cluster

_VERSION = KubeCall(name="version", role="list", path="/version")
"""Asked to see whether a cluster answers. Every cluster lets everyone ask it, so it needs no permission."""
_KIND = "cluster"
_AT_ONCE = 8


class KubernetesSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The section `kubernetes` of `clausule.yaml`."""

    contexts: tuple[str, ...] = ()
    """Contexts of the kubeconfig; without any, and not `in_cluster`, the current one."""
    kubeconfig: str = ""
    """A kubeconfig file; by default those of KUBECONFIG, else `~/.kube/config`."""
    in_cluster: bool = False
    """The cluster that Clausule itself runs in, with its pod's service account."""
    cluster_name: str = ""
    """What to call that cluster; `in-cluster` if not said."""
    timeout_seconds: Annotated[int, msgspec.Meta(ge=1, le=600)] = 30
    """How long one page of a list may take."""


class _Version(msgspec.Struct):
    git_version: str = msgspec.field(name="gitVersion")


class KubernetesSource:
    """Clusters; meets `agent.model.Source`."""

    name: ClassVar[str] = "kubernetes"
    title: ClassVar[str] = "Kubernetes"
    group_column: ClassVar[str] = "cluster"
    scope_columns: ClassVar[Mapping[str, Mapping[str, str]]] = {
        _KIND: {"cluster": "The cluster: its context in the kubeconfig, or the name configured for it."}
    }
    Settings: ClassVar[type[msgspec.Struct]] = KubernetesSettings
    discovery: ClassVar[Mapping[str, tuple[Call, ...]]] = {_KIND: (_VERSION,)}
    typical_scopes: ClassVar[Mapping[str, int]] = {_KIND: 1}

    def __init__(self, settings: KubernetesSettings, audit_time: str) -> None:  # noqa: ARG002 - part of the contract
        """`audit_time` is not needed: a list shows a cluster as it is now."""
        self._settings = settings
        self._clients: dict[str, KubeClient] = {}
        self._lock = threading.Lock()

    def discover(self, kinds: frozenset[str]) -> Discovery:
        """The clusters that answer, and those that do not; raises `UsageError` when none does."""
        if _KIND not in kinds:
            return Discovery(scopes=())
        names = self._names()
        opened = {name: self._try_open(name) for name in names}  # one by one: an exec plugin may ask for a password
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            unlisted = tuple(filter(None, pool.map(_probe, opened, opened.values())))
        if len(unlisted) == len(names):
            raise UsageError("; ".join(problem.detail for problem in unlisted))
        missing = {problem.group for problem in unlisted}
        return Discovery(scopes=tuple(_scope(name) for name in names if name not in missing), unlisted=unlisted)

    def answers(self, scope: Scope) -> Answers:
        """A client for one cluster."""
        return self._open(scope.group)

    def _names(self) -> list[str]:
        """What the clusters are called; raises `UsageError` where the settings contradict each other."""
        settings = self._settings
        if settings.cluster_name and not settings.in_cluster:
            raise UsageError(
                "kubernetes.cluster_name: names the cluster of in_cluster; set in_cluster: true or remove it"
            )
        names = list(dict.fromkeys(settings.contexts))
        if settings.in_cluster:
            if self._own_name in names:
                raise UsageError(
                    f"kubernetes.cluster_name: '{self._own_name}' is also in contexts; give this cluster another name"
                )
            return [*names, self._own_name]
        return names or [Kubeconfig(settings.kubeconfig).current()]

    @property
    def _own_name(self) -> str:
        return self._settings.cluster_name or "in-cluster"

    def _try_open(self, name: str) -> KubeClient | CredentialsError:
        """A client, or why there is none; a kubeconfig or context that is wrong as such is raised."""
        try:
            return self._open(name)
        except CredentialsError as error:
            return error

    def _open(self, name: str) -> KubeClient:
        with self._lock:
            if name not in self._clients:
                own = self._settings.in_cluster and name == self._own_name
                configuration = in_cluster() if own else Kubeconfig(self._settings.kubeconfig).configuration(name)
                self._clients[name] = KubeClient(configuration, self._settings.timeout_seconds)
            return self._clients[name]


def _scope(name: str) -> Scope:
    return Scope(source="kubernetes", kind=_KIND, group=name, name=f"kubernetes/{name}", labels={"cluster": name})


def _probe(name: str, client: KubeClient | CredentialsError) -> UnlistedScopes | None:
    """Why a cluster cannot be looked at; None when it answers."""
    if isinstance(client, CredentialsError):
        return _unlisted(name, GapKind.DENIED, str(client))
    where = f"kubernetes context '{name}' at {client.connection.server}"
    try:
        msgspec.json.decode(client.connection.get(_VERSION.path), type=_Version)
    except Unserved as problem:
        if problem.status == HTTPStatus.FORBIDDEN:  # it is there and knows who asks: the lists will say what is granted
            return None
        remedy = "renew the credentials" if problem.kind is GapKind.DENIED else "check the address and the network"
        return _unlisted(name, problem.kind, f"{where}: {problem.detail}; {remedy}")
    except msgspec.DecodeError:
        return _unlisted(name, GapKind.UNEXPECTED, f"{where}: does not answer like an API server; check the address")
    return None


def _unlisted(name: str, kind: GapKind, detail: str) -> UnlistedScopes:
    return UnlistedScopes(
        kind=_KIND, group=name, name=f"kubernetes/{name}", call=_VERSION.name, gap=kind, detail=detail
    )


SOURCE = KubernetesSource
