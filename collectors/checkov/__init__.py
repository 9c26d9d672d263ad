"""Infrastructure code, read by Checkov: a scope is a directory.

Checkov runs as a program of its own in its own environment (`_environment`). That it is missing is not a mistake of
the user's, so it becomes a gap with the remedy; a directory or a command that is not there is one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec

from agent.errors import Unanswered, UsageError
from agent.model import Answers, Call, Discovery, GapKind, Scope
from collectors.checkov import _environment

_KIND = "directory"


class CheckovSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The section `checkov` of `clausule.yaml`."""

    directories: tuple[str, ...] = ()
    command: str = ""
    """Checkov's executable; by default the one of `clausule checkov install`, then `checkov` on the PATH."""
    timeout_seconds: Annotated[int, msgspec.Meta(ge=1)] = 600


class CheckovSource:
    """Directories; meets `agent.model.Source`."""

    name: ClassVar[str] = "checkov"
    title: ClassVar[str] = "Checkov"
    group_column: ClassVar[str] = "directory"
    scope_columns: ClassVar[Mapping[str, Mapping[str, str]]] = {
        _KIND: {"directory": "The directory that was scanned, as configured."}
    }
    Settings: ClassVar[type[msgspec.Struct]] = CheckovSettings
    discovery: ClassVar[Mapping[str, tuple[Call, ...]]] = {}
    typical_scopes: ClassVar[Mapping[str, int]] = {}

    def __init__(self, settings: CheckovSettings, audit_time: str) -> None:  # noqa: ARG002 - part of the contract
        """`audit_time` is not needed: code has no clock."""
        self._settings = settings

    def discover(self, kinds: frozenset[str]) -> Discovery:
        """The directories; raises `UsageError` for one that is not there, and for a command that is not."""
        if _KIND not in kinds:
            return Discovery(scopes=())
        if self._settings.command and shutil.which(self._settings.command) is None:
            raise UsageError(
                f"checkov.command: there is no program '{self._settings.command}'; leave it out to use that of: "
                "clausule checkov install"
            )
        directories = dict.fromkeys(os.path.normpath(directory) for directory in self._settings.directories)
        return Discovery(scopes=tuple(_scope(directory) for directory in directories))

    def answers(self, scope: Scope) -> Answers:
        """Checkov for one directory; raises `Unanswered` when it is not installed."""
        from collectors.checkov._client import CheckovAnswers  # noqa: PLC0415 - subprocess and yaml only when needed

        return CheckovAnswers(self._command(), Path(scope.group), self._settings.timeout_seconds)

    def _command(self) -> Path:
        configured = self._settings.command and shutil.which(self._settings.command)
        found = configured or _environment.find() or shutil.which("checkov")
        if not found:
            raise Unanswered(GapKind.UNSUPPORTED, "Checkov is not installed; install it with: clausule checkov install")
        return Path(found).absolute()


def _scope(directory: str) -> Scope:
    path = Path(directory)
    if not path.is_dir():
        problem = "is not a directory" if path.exists() else "does not exist"
        raise UsageError(f"checkov.directories: '{directory}' {problem}; check the path")
    if not os.access(path, os.R_OK | os.X_OK):
        raise UsageError(f"checkov.directories: '{directory}' cannot be read; check its permissions")
    return Scope(
        source="checkov", kind=_KIND, group=directory, name=f"checkov/{directory}", labels={"directory": directory}
    )


SOURCE = CheckovSource
