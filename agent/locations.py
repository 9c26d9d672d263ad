"""Where data is: resources by place, over every collected table that declares which of its columns say so."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from agent import registry, sql
from agent.plan import Plan
from agent.result import Location


def locations(made: Plan, connection: duckdb.DuckDBPyConnection) -> Iterator[Location]:
    """Resources by place, for the collected tables that declare where their data is."""
    planned = {table.table: table for table in made.tables}
    if "law_place" not in planned or not {"provider", "code", "country", "standing"} <= set(
        planned["law_place"].columns
    ):
        return
    for name, plan in planned.items():
        place = plan.declared().place
        have = {*plan.columns, *(column.name for column in registry.scope_columns(plan.declared()))}
        if place is None or not have.issuperset(place.columns):
            continue
        provider = sql.quote(place.provider) if place.provider else f"r.{sql.name(place.provider_column)}"
        rows = connection.execute(_location_query(name, provider, place.columns)).fetchall()
        for group, owner, code, country, standing, count in rows:
            yield Location(
                group=group,
                table=name,
                provider=owner or "",
                code=code or "",
                country=country or "",
                standing=standing or "unknown",
                resources=count,
            )


def _location_query(table: str, provider: str, codes: tuple[str, ...]) -> str:
    """Resources by group and place; `codes` are a zone and its region, or a region alone."""
    code = _place_code(provider, *(f"r.{sql.name(code)}" for code in codes))
    return (
        f"SELECT r._group, {provider}, {code}, p.country, p.standing, count(*) FROM evidence.{sql.name(table)} r "
        f"LEFT JOIN evidence.law_place p ON p.provider = {provider} AND p.code = {code} GROUP BY ALL ORDER BY ALL"
    )


def _place_code(provider: str, *codes: str) -> str:
    """Which code says where it is, as the policies of 3.13 decide it.

    A listed zone is a place of its own (a local zone of Frankfurt stands in Istanbul); an ordinary zone is its region
    and a letter or number; any other zone is unknown although its region is known.
    """
    region = codes[-1]
    if len(codes) == 1:
        return region
    zone = codes[0]
    listed = f"{zone} IN (SELECT z.code FROM evidence.law_place z WHERE z.provider = {provider})"
    ordinary = f"starts_with({zone}, {region}) AND ({provider} <> 'aws' OR len({zone}) = len({region}) + 1)"
    return (
        f"CASE WHEN {listed} THEN {zone} WHEN coalesce({zone}, '') = '' OR regexp_matches({zone}, '^[0-9]+$') "
        f"OR ({ordinary}) THEN {region} ELSE {zone} END"
    )
