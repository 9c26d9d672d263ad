"""Where a country stands under clause 3.13 on a date. No network and no clock: the date is the audit's.

Decisions:

- The facts are `agent/facts/jurisdictions.yaml`: dated memberships and decisions, each with its source. Only dates
  decide; the file's `status` of a country is a summary for people, and a test holds it to the dates.
- `chapter_v` reads "outside the European Union" as the GDPR's chapter V does: the EEA is inside since the GDPR applies
  there, and so was the United Kingdom in its transition and bridging periods. `literal_eu` counts only what the
  Treaties apply to. Adequacy decisions count in both.
- Between joining the EEA and the GDPR's entry into its agreement a state's standing is unknown, not inside: what
  applied then was the directive, and a lawyer must say.
- Unknown is None, and never inside.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from agent.documents import load

Reading = Literal["chapter_v", "literal_eu"]

FACTS = Path(__file__).parent / "facts"


class Standing(StrEnum):
    """How a place stands under clause 3.13, the best first."""

    INSIDE = "inside"
    ADEQUATE = "adequate"
    ADEQUATE_CONDITIONAL = "adequate_conditional"
    """An adequacy decision covers it only where every one of the decision's conditions holds."""
    NONE = "none"
    """Outside, and without an adequacy decision: a transfer needs a safeguard."""


class Jurisdiction(msgspec.Struct, frozen=True, kw_only=True):
    """A country, territory or international organisation, as it stands on a date."""

    code: str
    """ISO 3166-1 alpha-2, or the short name of an organisation."""
    name: str
    standing: Standing | None
    """None when the facts do not say."""
    basis: str = ""
    """The treaty or the decision's number that the standing rests on; empty when it rests on nothing."""
    conditions: tuple[str, ...] = ()
    valid_until: dt.date | None = None
    """The last day of what it rests on; None when no end is set."""


class MechanismKind(StrEnum):
    """What a transfer mechanism is worth."""

    ADEQUACY = "adequacy"
    SAFEGUARD = "safeguard"
    DEROGATION = "derogation"
    """An exception for single cases (GDPR art. 49), such as consent: no safeguard."""
    ENDED = "ended"
    """Not in force on the date."""
    NO_TRANSFER_TOOL = "no_transfer_tool"
    """A document that people take for a safeguard."""


class _Period(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    decision: str
    from_: dt.date
    to: dt.date


class _FormerCondition(msgspec.Struct, frozen=True):
    condition: str
    valid_to: dt.date


class _Target(msgspec.Struct, frozen=True):
    code: str
    name: str
    type: Literal["country", "territory", "sector", "organisation"]


class _Decision(msgspec.Struct, frozen=True, kw_only=True):
    target: _Target
    decision: str
    valid_from: dt.date
    valid_to: dt.date | None
    conditions: tuple[str, ...]
    former_conditions: tuple[_FormerCondition, ...] = ()
    periods: tuple[_Period, ...] = ()


class _Country(msgspec.Struct, frozen=True, kw_only=True):
    alpha2: str
    name: str
    eu_from: dt.date | None = None
    eu_to: dt.date | None = None
    eu_via: str = ""
    eea_from: dt.date | None = None
    gdpr_from: dt.date | None = None


class _Regime(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    valid_from: dt.date
    valid_to: dt.date
    basis: str


class _InsideBasis(msgspec.Struct, frozen=True):
    eu: str
    eu_territory: str
    eea: str


class _Safeguard(msgspec.Struct, frozen=True, kw_only=True):
    mechanism: str
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    derogation: bool = False
    is_transfer_tool: bool = True


class _Facts(msgspec.Struct, frozen=True, kw_only=True):
    as_of: str
    aliases: dict[str, str]
    inside_basis: _InsideBasis
    interim_regimes: tuple[_Regime, ...]
    adequacy_decisions: tuple[_Decision, ...]
    safeguards: tuple[_Safeguard, ...]
    countries: tuple[_Country, ...]


@cache
def _facts() -> _Facts:
    return load(FACTS / "jurisdictions.yaml", _Facts)


def as_of() -> str:
    """The day that the facts were last checked, YYYY-MM-DD."""
    return _facts().as_of


@cache
def facts_digest() -> str:
    """SHA-256 over the names and contents of all fact files, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(file for file in FACTS.iterdir() if file.suffix in (".yaml", ".csv")):
        digest.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def mechanisms() -> tuple[str, ...]:
    """The words for transfer mechanisms that a register may use, those that are none among them."""
    return ("adequacy", *(safeguard.mechanism for safeguard in _facts().safeguards))


def mechanism_kind(mechanism: str, date: dt.date) -> MechanismKind:
    """What a mechanism of `mechanisms()` is worth on a date; KeyError for another word."""
    if mechanism == "adequacy":
        return MechanismKind.ADEQUACY
    safeguard = {known.mechanism: known for known in _facts().safeguards}[mechanism]
    if not safeguard.is_transfer_tool:
        return MechanismKind.NO_TRANSFER_TOOL
    if not _within(date, safeguard.valid_from, safeguard.valid_to):
        return MechanismKind.ENDED
    return MechanismKind.DEROGATION if safeguard.derogation else MechanismKind.SAFEGUARD


def _within(date: dt.date, first: dt.date | None, last: dt.date | None) -> bool:
    return (first is None or first <= date) and (last is None or date <= last)


@cache
def at(date: dt.date, reading: Reading = "chapter_v") -> Law:
    """The law on a date, under a reading of clause 3.13."""
    return Law(date, reading)


class Law:
    """Every jurisdiction as it stands on one date."""

    def __init__(self, date: dt.date, reading: Reading) -> None:
        self.date, self.reading = date, reading
        self._countries = {country.alpha2: country for country in _facts().countries}
        self._found = {jurisdiction.code: jurisdiction for jurisdiction in self._all()}

    def jurisdictions(self) -> tuple[Jurisdiction, ...]:
        """All of them, in the order of their codes."""
        return tuple(self._found[code] for code in sorted(self._found))

    def jurisdiction(self, code: str) -> Jurisdiction | None:
        """The jurisdiction of a code or one of its aliases (`UK`, `EL`); None when the code is unknown."""
        return self._found.get(_facts().aliases.get(code, code))

    def standing(self, code: str) -> Standing | None:
        """How a jurisdiction stands; None when the code or its standing is unknown."""
        found = self.jurisdiction(code)
        return found.standing if found else None

    def _all(self) -> Iterator[Jurisdiction]:
        for country in self._countries.values():
            yield self._inside(country) or self._outside(country.alpha2, country.name)
        organisations = {
            d.target.code: d.target for d in _facts().adequacy_decisions if d.target.type == "organisation"
        }
        for target in organisations.values():
            yield self._outside(target.code, target.name)

    def _inside(self, country: _Country) -> Jurisdiction | None:
        """The jurisdiction where it is inside, or where that cannot be said; None where it is outside."""
        code, name, basis = country.alpha2, country.name, _facts().inside_basis
        if self._in_union(country):
            treaty = basis.eu_territory if country.eu_via else basis.eu
            return Jurisdiction(code=code, name=name, standing=Standing.INSIDE, basis=treaty, valid_until=country.eu_to)
        if self.reading == "literal_eu":
            return None
        for regime in _facts().interim_regimes:
            if regime.code == code and _within(self.date, regime.valid_from, regime.valid_to):
                return Jurisdiction(
                    code=code, name=name, standing=Standing.INSIDE, basis=regime.basis, valid_until=regime.valid_to
                )
        if country.eea_from is None or self.date < country.eea_from:
            return None
        if country.gdpr_from is None or self.date < country.gdpr_from:
            return Jurisdiction(code=code, name=name, standing=None)
        return Jurisdiction(code=code, name=name, standing=Standing.INSIDE, basis=basis.eea)

    def _in_union(self, country: _Country) -> bool:
        state = self._countries[country.eu_via] if country.eu_via else country
        start = country.eu_from or state.eu_from
        return start is not None and _within(self.date, start, country.eu_to)

    def _outside(self, code: str, name: str) -> Jurisdiction:
        for decision in _facts().adequacy_decisions:
            if decision.target.code == code and _within(self.date, decision.valid_from, decision.valid_to):
                return self._adequate(decision, code, name)
        return Jurisdiction(code=code, name=name, standing=Standing.NONE)

    def _adequate(self, decision: _Decision, code: str, name: str) -> Jurisdiction:
        former = (past.condition for past in decision.former_conditions if self.date <= past.valid_to)
        conditions = (*decision.conditions, *former)
        periods = [period for period in decision.periods if _within(self.date, period.from_, period.to)]
        period = max(periods, key=lambda period: period.from_, default=None)  # a renewal replaces what it renews
        return Jurisdiction(
            code=code,
            name=name,
            standing=Standing.ADEQUATE_CONDITIONAL if conditions else Standing.ADEQUATE,
            basis=period.decision if period else decision.decision,
            conditions=conditions,
            valid_until=period.to if period else decision.valid_to,
        )
