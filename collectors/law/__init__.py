"""The law as a source like the others: its rows, as of the audit date, are part of the evidence.

So that a verdict about clause 3.13 can be checked next year against what the law was taken to be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import msgspec

from agent import law
from agent.model import Call, Discovery, Json, Scope


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How clause 3.13 is read; `reading_3_13` in `clausule.yaml`."""

    reading: law.Reading = "chapter_v"


class LawAnswers:
    """The facts on one day under one reading."""

    retries = 0

    def __init__(self, date: str, reading: law.Reading) -> None:
        self._standing = {found.country: found for found in law.jurisdictions(date, reading)}

    def items(self, call: Call) -> Iterator[Json]:
        """Places with their country's standing, or the countries themselves."""
        if call.name == "facts:jurisdictions":
            yield from (msgspec.to_builtins(found) for found in self._standing.values())
            return
        for place in law.places().values():
            country = msgspec.to_builtins(self._standing[law.country_code(place.country) or ""])
            yield {**country, **msgspec.to_builtins(place), "id": f"{place.provider}/{place.code}"}

    def ask(self, call: Call, item: Json) -> Json:
        """No table of the law asks more than once."""
        raise NotImplementedError(call.name)


class Law:
    """See `agent.model.Source`."""

    name: ClassVar[str] = "law"
    title: ClassVar[str] = "Law"
    group_column: ClassVar[str] = "facts"
    scope_columns: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "law": {"facts": "SHA-256 of the files that the facts come from."}
    }
    discovery: ClassVar[Mapping[str, tuple[Call, ...]]] = {}
    typical_scopes: ClassVar[Mapping[str, int]] = {}
    Settings: ClassVar[type[msgspec.Struct]] = Settings

    def __init__(self, settings: Settings, audit_time: str) -> None:
        self._reading, self._date = settings.reading, audit_time[:10]

    def discover(self, kinds: frozenset[str]) -> Discovery:
        """One scope: the facts."""
        digest = law.facts_digest()
        return Discovery(
            scopes=tuple(
                Scope(source="law", kind=kind, group=digest, name="law/facts", labels={"facts": digest})
                for kind in sorted(kinds)
            )
        )

    def answers(self, scope: Scope) -> LawAnswers:
        """The facts; every scope is the same."""
        del scope
        return LawAnswers(self._date, self._reading)


SOURCE = Law
