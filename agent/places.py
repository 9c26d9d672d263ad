"""Codes of places become countries: the regions and zones of providers, from the lists in `agent/facts`.

Decisions. A name proves nothing: only what is listed is known, and what the lists call `unknown` (pseudo regions,
undisclosed sites) is no place at all. Local zones are places of their own, for one of Frankfurt stands in Istanbul;
ordinary zones, which lie in their region's country and carry its code, are not listed. A place that spans countries
stands as its weakest part.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from functools import cache

import msgspec

from agent.law import FACTS, Jurisdiction, Law, Standing

_KINDS = frozenset("region local_zone wavelength_zone multi_region dual_region network_zone object_storage".split())
"""What the lists hold besides are global services, pseudo regions, sites of customers and notes: no places."""
_ORDER = {standing: rank for rank, standing in enumerate(reversed(Standing))}


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A code of a provider and where it is."""

    provider: str
    code: str
    kind: str
    city: str
    countries: tuple[str, ...]
    """ISO 3166-1 alpha-2; several for a place that spans countries."""


class PlaceStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A place and how it stands on a date."""

    place: Place
    country: str
    """The country that decides: the only one, or the one with the weakest standing."""
    standing: Standing | None
    basis: str
    valid_until: dt.date | None


@cache
def places() -> dict[tuple[str, str], Place]:
    """Every known place by provider and code."""
    return {(place.provider, place.code): place for place in (*_aws(), *_others())}


def judge(law: Law, place: Place) -> PlaceStanding:
    """How a place stands; by its weakest country, and unknown when one of them is."""
    found = [law.jurisdiction(country) for country in place.countries]
    known = [jurisdiction for jurisdiction in found if jurisdiction and jurisdiction.standing]
    if len(known) < len(place.countries):
        return PlaceStanding(place=place, country=place.countries[0], standing=None, basis="", valid_until=None)
    weakest = min(known, key=_rank)
    return PlaceStanding(
        place=place,
        country=weakest.code,
        standing=weakest.standing,
        basis=weakest.basis,
        valid_until=weakest.valid_until,
    )


def _rank(jurisdiction: Jurisdiction) -> int:
    return _ORDER[jurisdiction.standing] if jurisdiction.standing else -1


def _rows(name: str) -> Iterator[dict[str, str]]:
    """The rows of a list that are places: of a kind that is one, and not marked as unknown."""
    with (FACTS / name).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["kind"] in _KINDS and row["iso_country"] and row["class_2026_11_23"] != "unknown":
                yield row


def _aws() -> Iterator[Place]:
    """Regions by name; local and wavelength zones by their group's name and by the zone name that the API uses."""
    for row in _rows("aws-regions.csv"):
        yield _place("aws", row["code"], row)
        zone = row["name"].removeprefix("zone ")
        if zone != row["name"] and zone != row["code"]:
            yield _place("aws", zone, row)


def _others() -> Iterator[Place]:
    for row in _rows("cloud-regions.csv"):
        yield _place(row["provider"], row["code"], row)


def _place(provider: str, code: str, row: dict[str, str]) -> Place:
    countries = tuple(row["iso_country"].split("|"))
    return Place(provider=provider, code=code, kind=row["kind"], city=row["city"], countries=countries)
