"""The registers: what no API shows, kept by people as YAML files.

A register is a scope and is always there: without a file it is empty, so that a policy which asks for an entry says
that there is none, rather than that nobody looked. All files are checked before an audit starts.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import msgspec

from agent.errors import Unanswered
from agent.model import Call, Discovery, GapKind, Json, Scope
from collectors.registers._file import Entry, load
from collectors.registers.restore_drill_register import RestoreDrill
from collectors.registers.transfer_register import Transfer

_ENTRIES: Mapping[str, type[Entry]] = {"transfer_register": Transfer, "restore_drill_register": RestoreDrill}
_COLUMNS = {"register": "The register that it stands in."}


class RegistersSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The section `registers` of `clausule.yaml`: files, relative to the working directory."""

    transfer: tuple[str, ...] = ()
    restore_drill: tuple[str, ...] = ()


class RegisterAnswers:
    """One register; meets `agent.model.Answers`."""

    retries = 0

    def __init__(self, rows: list[Json]) -> None:
        self._rows = rows

    def items(self, call: Call) -> Iterator[Json]:
        """The entries, as they were when the audit started."""
        del call
        yield from self._rows

    def ask(self, call: Call, item: Json) -> Json:
        """Whether the entry's document has the registered digest; `Unanswered` when it cannot be read."""
        del call
        path = Path(item["file"]).parent / item["document"]
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            detail = f"{item['file']}: {item['id']}: {item['document']} cannot be read: {error.strerror}"
            raise Unanswered(GapKind.UNREADABLE, f"{detail}; put the signed document there") from None
        return {"sha256": found, "matches": found == item["document_sha256"]}


class RegistersSource:
    """Registers; meets `agent.model.Source`."""

    name: ClassVar[str] = "registers"
    title: ClassVar[str] = "Registers"
    group_column: ClassVar[str] = "register"
    scope_columns: ClassVar[Mapping[str, Mapping[str, str]]] = dict.fromkeys(_ENTRIES, _COLUMNS)
    Settings: ClassVar[type[msgspec.Struct]] = RegistersSettings
    discovery: ClassVar[Mapping[str, tuple[Call, ...]]] = {}
    typical_scopes: ClassVar[Mapping[str, int]] = {}

    def __init__(self, settings: RegistersSettings, audit_time: str) -> None:
        self._files = {"transfer_register": settings.transfer, "restore_drill_register": settings.restore_drill}
        self._date = dt.datetime.fromisoformat(audit_time).astimezone(dt.UTC).date()
        self._rows: dict[str, list[Json]] = {}

    def discover(self, kinds: frozenset[str]) -> Discovery:
        """The registers; raises `DocumentError` for a file that cannot be read or is not as it should be."""
        for name, files in self._files.items():
            self._rows[name] = load(files, _ENTRIES[name], self._date)
        return Discovery(scopes=tuple(_scope(name) for name in self._files if name in kinds))

    def answers(self, scope: Scope) -> RegisterAnswers:
        """The entries of one register, as discovered."""
        return RegisterAnswers(self._rows[scope.kind])


def _scope(name: str) -> Scope:
    return Scope(source="registers", kind=name, group=name, name=f"registers/{name}", labels={"register": name})


SOURCE = RegistersSource
