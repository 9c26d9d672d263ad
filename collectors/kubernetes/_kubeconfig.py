"""Which clusters there are, and how to reach them: the kubeconfig, or the pod that Clausule runs in.

The file is read twice on purpose. First here, for what a user can mend (a context that is not there, a certificate
file that moved, an exec plugin that is not installed), with file, line and key. Then by the official client, which
knows every way to log in but whose errors may print whole users with their tokens; so those texts are not shown.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from agent.documents import Document, read, suggest
from agent.errors import DocumentError, UsageError
from collectors.kubernetes._http import quiet


class CredentialsError(UsageError):
    """A context that is as it should be, but whose credentials could not be had just now."""


class _Exec(msgspec.Struct, frozen=True):
    command: str = ""


class _User(msgspec.Struct, frozen=True, rename="kebab"):
    exec: _Exec | None = None
    client_certificate: str = ""
    client_key: str = ""
    token_file: str = msgspec.field(default="", name="tokenFile")


class _Cluster(msgspec.Struct, frozen=True, rename="kebab"):
    server: str
    certificate_authority: str = ""


class _Context(msgspec.Struct, frozen=True):
    cluster: str
    user: str = ""


class _NamedUser(msgspec.Struct, frozen=True):
    name: str
    user: _User | None = None


class _NamedCluster(msgspec.Struct, frozen=True):
    name: str
    cluster: _Cluster


class _NamedContext(msgspec.Struct, frozen=True):
    name: str
    context: _Context


class _File(msgspec.Struct, frozen=True, rename="kebab"):
    """The parts of a kubeconfig that are checked here. None of them is a secret."""

    current_context: str | None = None
    contexts: tuple[_NamedContext, ...] | None = None
    clusters: tuple[_NamedCluster, ...] | None = None
    users: tuple[_NamedUser, ...] | None = None


Named = TypeVar("Named", _NamedUser, _NamedCluster)


class Kubeconfig:
    """One or more kubeconfig files as one: the first that has a name decides, as for kubectl."""

    def __init__(self, setting: str) -> None:
        """Read the file that is set, else those of KUBECONFIG, else `~/.kube/config`; raises `DocumentError`."""
        self.paths = _paths(setting)
        self._files = [(path, _load(path)) for path in self.paths]

    def current(self) -> str:
        """The current context; raises `UsageError` when none is set."""
        for _, file in self._files:
            if file.current_context:
                return file.current_context
        known = ", ".join(sorted(self._contexts())) or "it has none"
        remedy = f"set kubernetes.contexts; its contexts: {known}"
        raise DocumentError(self.paths[0], "is not set", key="current-context", remedy=remedy)

    def configuration(self, context: str) -> Any:
        """The official client's configuration for a context; raises `UsageError`. Runs its exec plugin, if any."""
        self._check(context)
        from kubernetes.client import Configuration  # noqa: PLC0415 - takes a second
        from kubernetes.config import load_kube_config  # noqa: PLC0415

        configuration = Configuration()
        paths = os.pathsep.join(map(str, self.paths))
        try:
            with quiet():
                load_kube_config(  # type: ignore[no-untyped-call]
                    paths, context, configuration, persist_config=False
                )
        except Exception:  # noqa: BLE001 - ConfigException, KeyError, binascii.Error …: its text may hold a secret
            raise self._no_credentials(context, "cannot be loaded") from None
        if self._has_exec(context) and not configuration.api_key and not configuration.cert_file:
            raise self._no_credentials(context, "did not come from its exec plugin")
        return configuration

    def _check(self, context: str) -> None:
        """Everything about a context that can be said with file and key."""
        contexts = self._contexts()
        if context not in contexts:
            remedy = suggest(context, contexts) or "see: kubectl config get-contexts"
            raise UsageError(f"kubernetes.contexts: {self.paths[0]} has no context '{context}'; {remedy}")
        path, entry = contexts[context]
        names = entry.context
        cluster = _first(names.cluster, ((file_path, file.clusters) for file_path, file in self._files))
        if cluster is None:
            raise _missing(path, context, "cluster", names.cluster)
        _check_cluster(*cluster)
        if names.user:
            user = self._user(names.user)
            if user is None:
                raise _missing(path, context, "user", names.user)
            _check_user(*user)

    def _has_exec(self, context: str) -> bool:
        """The official client carries on without credentials when an exec plugin fails; that is not what was asked."""
        found = self._user(self._contexts()[context][1].context.user)
        return found is not None and found[1].user is not None and found[1].user.exec is not None

    def _no_credentials(self, context: str, problem: str) -> CredentialsError:
        path, entry = self._contexts()[context]
        return CredentialsError(
            f"{path}: users[{entry.context.user}].user: the credentials of context '{context}' {problem}; "
            f"see what this says: kubectl --context {context} version"
        )

    def _contexts(self) -> dict[str, tuple[Path, _NamedContext]]:
        named = [(entry.name, (path, entry)) for path, file in self._files for entry in file.contexts or ()]
        return dict(reversed(named))  # the first of a name decides

    def _user(self, name: str) -> tuple[Path, _NamedUser] | None:
        return _first(name, ((path, file.users) for path, file in self._files))


def in_cluster() -> Any:
    """The official client's configuration from the service account of the pod this runs in; raises `UsageError`."""
    from kubernetes.client import Configuration  # noqa: PLC0415
    from kubernetes.config import ConfigException, load_incluster_config  # noqa: PLC0415

    configuration = Configuration()
    try:
        load_incluster_config(configuration)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError):
        raise UsageError(
            "kubernetes.in_cluster: this is not a pod with a service account token; "
            "outside a cluster set kubernetes.contexts, in a pod automountServiceAccountToken: true"
        ) from None
    return configuration


def _paths(setting: str) -> list[Path]:
    """The files to read. Of those in KUBECONFIG, ones that are not there are left out, as kubectl does."""
    if setting:
        return [Path(setting).expanduser()]
    listed = [Path(part).expanduser() for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    paths = listed or [Path("~/.kube/config").expanduser()]
    return [path for path in paths if path.exists()] or paths[:1]


def _load(path: Path) -> _File:
    if not path.exists():
        remedy = "set kubernetes.kubeconfig or KUBECONFIG, or kubernetes.in_cluster: true inside a pod"
        raise DocumentError(path, "no such kubeconfig", remedy=remedy)
    try:
        return Document(read(path), path).to(_File)
    except DocumentError as error:
        if error.key.startswith("users"):  # the problem may quote a value
            raise DocumentError(
                path, "is not what a kubeconfig has here", line=error.line, key=error.key, remedy="put text in quotes"
            ) from None
        raise


def _first(name: str, files: Iterable[tuple[Path, tuple[Named, ...] | None]]) -> tuple[Path, Named] | None:
    return next(((path, entry) for path, entries in files for entry in entries or () if entry.name == name), None)


def _missing(path: Path, context: str, kind: str, name: str) -> DocumentError:
    key = f"contexts[{context}].context.{kind}"
    return DocumentError(path, f"no {kind} is called '{name}'", key=key, remedy=f"add it to {kind}s")


def _check_cluster(path: Path, entry: _NamedCluster) -> None:
    key = f"clusters[{entry.name}].cluster.certificate-authority"
    _check_file(path, key, entry.cluster.certificate_authority)


def _check_user(path: Path, entry: _NamedUser) -> None:
    user, base = entry.user or _User(), f"users[{entry.name}].user"
    _check_file(path, f"{base}.client-certificate", user.client_certificate)
    _check_file(path, f"{base}.client-key", user.client_key)
    _check_file(path, f"{base}.tokenFile", user.token_file)
    if user.exec is not None and shutil.which(_command(path, user.exec.command)) is None:
        raise DocumentError(
            path,
            f"'{user.exec.command}' is not installed or not on PATH",
            key=f"{base}.exec.command",
            remedy="install it or use another context",
        )


def _check_file(path: Path, key: str, name: str) -> None:
    if name and not (path.parent / name).is_file():
        raise DocumentError(path, f"no such file: {name}", key=key, remedy="check the path")


def _command(path: Path, command: str) -> str:
    """A command with a slash is relative to the kubeconfig; one without is looked up on PATH."""
    return str(path.parent / command) if os.sep in command else command
