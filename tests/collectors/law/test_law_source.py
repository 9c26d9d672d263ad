"""The law as evidence: the tables law_place and law_jurisdiction."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.config import settings
from agent.errors import UsageError
from agent.law import facts_digest
from collectors.law import SOURCE
from tests.collecting import gather


def test_places_and_jurisdictions_are_rows(tmp_path: Path) -> None:
    found = gather("law", tmp_path)
    assert found.gaps == []
    london = found.rows["law_place"]["aws/eu-west-2"]
    assert {key: value for key, value in london.items() if not key.startswith("_")} == {
        "facts": facts_digest(),
        "id": "aws/eu-west-2",
        "provider": "aws",
        "code": "eu-west-2",
        "kind": "region",
        "city": "London",
        "country": "GB",
        "countries": ["GB"],
        "standing": "adequate",
        "basis": "(EU) 2025/2574",
        "valid_until": "2031-12-27",
    }
    assert found.rows["law_place"]["aws/eu-central-1-ist-1a"]["standing"] == "none"
    assert "aws/aws-global" not in found.rows["law_place"]
    states = found.rows["law_jurisdiction"]
    assert states["US"]["conditions"] == ["importer_on_dpf_list_active_at_date", "hr_data_covered_if_hr_data"]
    assert (states["NO"]["standing"], states["BE"]["standing"], states["EPO"]["standing"]) == (
        "inside",
        "inside",
        "adequate",
    )
    assert {row["country"] for row in found.rows["law_place"].values()} <= set(states)


@pytest.mark.parametrize(
    ("reading", "time", "standing"),
    [
        ("chapter_v", "2026-11-23T12:00:00Z", "inside"),
        ("literal_eu", "2026-11-23T12:00:00Z", "none"),
        ("chapter_v", "2018-07-19T12:00:00Z", None),
        ("chapter_v", "2018-07-20T00:30:00+02:00", None),
    ],
)
def test_the_rows_follow_the_audit_time_and_the_reading(
    tmp_path: Path, reading: str, time: str, standing: str | None
) -> None:
    found = gather("law", tmp_path, time, reading=reading)
    assert found.rows["law_jurisdiction"]["NO"]["standing"] == standing
    assert found.rows["law_place"]["azure/norwayeast"]["standing"] == standing
    assert found.gaps == []


def test_the_same_day_gives_the_same_scope() -> None:
    made = SOURCE(SOURCE.Settings(), "2026-11-23T12:00:00Z")
    (scope,) = made.discover(frozenset({"law"})).scopes
    assert (scope.name, scope.group) == ("law/facts", facts_digest())
    assert made.discover(frozenset()).scopes == ()


def test_an_unknown_reading_is_refused() -> None:
    with pytest.raises(UsageError, match="chapter_5"):
        settings("law", {"reading": "chapter_5"})
