"""The clauses of the agreement, broken into obligations (`agent/facts/clauses.yaml`)."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import msgspec

from agent.documents import Document, read, suggest
from agent.errors import UsageError
from agent.model import Texts

_FILE = Path(__file__).parent / "facts" / "clauses.yaml"


class Clause(msgspec.Struct, frozen=True, kw_only=True):
    """One obligation. Summaries are our own words, not the contract's text."""

    id: str
    parent: str | None
    core: bool
    summary: Texts
    gdpr: tuple[str, ...]
    technical_evidence: str
    """`full`: infrastructure alone can decide; `partial`: with a register or attestation; `none`: documents only."""
    evidence: tuple[str, ...]
    parameters: tuple[str, ...] = ()
    note: str = ""


class _File(msgspec.Struct, frozen=True):
    clauses: tuple[Clause, ...]


@cache
def clauses() -> dict[str, Clause]:
    """Every clause by id, in the agreement's order."""
    found = Document(read(_FILE), _FILE.name).to(_File).clauses
    return {clause.id: clause for clause in sorted(found, key=lambda clause: order(clause.id))}


def order(identifier: str) -> tuple[tuple[int, str], ...]:
    """A sort key that puts 3.2.a before 3.13."""
    parts = re.findall(r"(\d+)|([a-z]+)", identifier)
    return tuple((int(number or 0), word) for number, word in parts)


def expand(identifier: str) -> tuple[str, ...]:
    """The clause and everything under it; raises `UsageError` with a suggestion when there is none of that name."""
    if identifier not in clauses():
        raise UsageError(f"there is no clause '{identifier}'; {suggest(identifier, clauses())}".rstrip("; "))
    return tuple(key for key in clauses() if key == identifier or key.startswith(f"{identifier}."))
