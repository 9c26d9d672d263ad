"""A source of its own for tests of the engine: an estate in memory that can be told to fail.

It stands in a folder that tests add to the path of `collectors`, as any new source would be added.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import msgspec

from agent.errors import Unanswered
from agent.model import Call, Discovery, GapKind, Json, Scope, UnlistedScopes


class Estate:
    """What the source will answer. `faults` maps `call` or `call@group` to what happens instead."""

    def __init__(self) -> None:
        self.groups: list[str] = ["a", "b"]
        self.items: dict[tuple[str, str], list[dict[str, Any]]] = {}
        """(list call, group) -> items"""
        self.details: dict[tuple[str, str, str], Json] = {}
        """(row call, group, name) -> response"""
        self.faults: dict[str, Exception] = {}
        self.cut: dict[str, int] = {}
        """list call -> after how many items its answer stops"""
        self.asked: list[str] = []
        self.unlisted: list[str] = []

    def check(self, call: str, group: str) -> None:
        self.asked.append(f"{call}@{group}")
        for key in (call, f"{call}@{group}"):
            if key in self.faults:
                raise self.faults[key]


ESTATE = Estate()


class LabAnswers:
    retries = 0

    def __init__(self, group: str) -> None:
        self.group = group

    def items(self, call: Call) -> Iterator[Json]:
        ESTATE.check(call.name, self.group)
        for count, item in enumerate(ESTATE.items.get((call.name, self.group), [])):
            if ESTATE.cut.get(call.name) == count:
                raise Unanswered(GapKind.TRUNCATED, "the second page did not come")
            yield item

    def ask(self, call: Call, item: Json) -> Json:
        ESTATE.check(call.name, self.group)
        return ESTATE.details[call.name, self.group, item["name"]]


class LabSource:
    """See `agent.model.Source`."""

    name: ClassVar[str] = "lab"
    title: ClassVar[str] = "Lab"
    group_column: ClassVar[str] = "bench"
    scope_columns: ClassVar[Mapping[str, Mapping[str, str]]] = {"bench": {"bench": "The bench that it stands on."}}
    discovery: ClassVar[Mapping[str, tuple[Call, ...]]] = {}
    typical_scopes: ClassVar[Mapping[str, int]] = {}

    class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        """No settings."""

    def __init__(self, settings: Settings, audit_time: str) -> None:
        del settings, audit_time

    def discover(self, kinds: frozenset[str]) -> Discovery:
        scopes = [
            Scope(source="lab", kind=kind, group=group, name=f"lab/{group}", labels={"bench": group})
            for kind in sorted(kinds)
            for group in ESTATE.groups
        ]
        unlisted = tuple(
            UnlistedScopes(
                kind="bench", group=group, name=f"lab/{group}", call="lab:ListBenches", gap=GapKind.DENIED, detail="no"
            )
            for group in ESTATE.unlisted
        )
        return Discovery(scopes=tuple(scopes), unlisted=unlisted)

    def answers(self, scope: Scope) -> LabAnswers:
        return LabAnswers(scope.group)


SOURCE = LabSource
