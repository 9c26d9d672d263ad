"""The law as a source like the others: its rows, as of the audit date, are part of the evidence.

So that a verdict about clause 3.13 can be checked next year against what the law was taken to be.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import ClassVar

import msgspec

from agent import law, places
from agent.model import Call, Discovery, Json, Scope


class LawSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How clause 3.13 is read; `reading_3_13` in `clausule.yaml`."""

    reading: law.Reading = "chapter_v"


class LawAnswers:
    """The facts on one day under one reading."""

    retries = 0

    def __init__(self, found: law.Law) -> None:
        self._law = found

    def items(self, call: Call) -> Iterator[Json]:
        """Jurisdictions, or places with how they stand; the keys are the tables' columns."""
        if call.name == "facts:jurisdictions":
            yield from (_jurisdiction(found) for found in self._law.jurisdictions())
        else:
            yield from (_place(places.judge(self._law, place)) for place in places.places().values())

    def ask(self, call: Call, item: Json) -> Json:
        """No table of the law asks more than once."""
        raise NotImplementedError(call.name)


def _jurisdiction(found: law.Jurisdiction) -> Json:
    fields = msgspec.to_builtins(found)
    return {**fields, "country": fields.pop("code")}


def _place(found: places.PlaceStanding) -> Json:
    fields = msgspec.to_builtins(found)
    place = fields.pop("place")
    return {**place, **fields, "id": f"{place['provider']}/{place['code']}"}


class LawSource:
    """See `agent.model.Source`."""

    name: ClassVar[str] = "law"
    title: ClassVar[str] = "Law"
    group_column: ClassVar[str] = "facts"
    scope_columns: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "law": {"facts": "SHA-256 of the files that the facts come from."}
    }
    discovery: ClassVar[Mapping[str, tuple[Call, ...]]] = {}
    typical_scopes: ClassVar[Mapping[str, int]] = {}
    Settings: ClassVar[type[msgspec.Struct]] = LawSettings

    def __init__(self, settings: LawSettings, audit_time: str) -> None:
        day = dt.datetime.fromisoformat(audit_time).astimezone(dt.UTC).date()
        self._law = law.at(day, settings.reading)

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
        return LawAnswers(self._law)


SOURCE = LawSource
