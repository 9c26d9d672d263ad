"""The law of clause 3.13: the dated cases of the fact file, and laws of its own."""

from __future__ import annotations

import datetime as dt

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agent import law
from agent.law import Standing

FACTS = yaml.load((law.FACTS / "jurisdictions.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
CASES = FACTS["test_cases"]
EXPECTED = {
    "inside": {Standing.INSIDE},
    "inside_eea": {Standing.INSIDE},
    "see_note": {Standing.INSIDE},  # Norway before the GDPR: Directive 95/46 applied through the EEA Agreement
    "adequacy": {Standing.ADEQUATE, Standing.CONDITIONAL},
    "adequacy_if_listed": {Standing.CONDITIONAL},
    "adequacy_if_pipeda": {Standing.CONDITIONAL},
    "safeguard_required": {Standing.NONE},
}
ORDER = [Standing.INSIDE, Standing.ADEQUATE, Standing.CONDITIONAL, Standing.NONE]
CODES = [country["alpha2"] for country in FACTS["countries"]]
days = st.dates(dt.date(1995, 1, 1), dt.date(2040, 1, 1)).map(str)


def test_there_are_all_cases() -> None:
    assert len(CASES) == 35


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['code']}-{case['date']}")
def test_dated_cases(case: dict[str, str]) -> None:
    found = law.jurisdiction(case["code"], case["date"])
    if case["expect"] == "insufficient_evidence":
        assert found is None
    else:
        assert found is not None
        assert found.standing in EXPECTED[case["expect"]]


@pytest.mark.parametrize(
    ("provider", "code", "country"),
    [
        ("aws", "eu-west-2", "GB"),
        ("aws", "eu-central-2", "CH"),
        ("aws", "eusc-de-east-1", "DE"),
        ("aws", "eu-central-1-ist-1a", "TR"),
        ("aws", "ap-east-1", "HK"),
        ("wasabi", "eu-west-1", "GB"),
    ],
)
def test_a_name_proves_nothing(provider: str, code: str, country: str) -> None:
    assert law.places()[provider, code].country == country


def test_what_is_no_place_is_unknown() -> None:
    for code in ("aws-global", "", "eu", "eu-west-9", "EU-WEST-1"):
        assert ("aws", code) not in law.places()


def test_every_place_has_a_known_country() -> None:
    for place in law.places().values():
        assert law.jurisdiction(place.country, "2026-11-23") is not None


def test_every_status_of_the_fact_file_agrees_on_its_day() -> None:
    """`status` summarises the same facts for `as_of`, and was written separately."""
    meaning = {
        "eu": Standing.INSIDE,
        "eu_territory": Standing.INSIDE,
        "eea": Standing.INSIDE,
        "adequate": Standing.ADEQUATE,
        "adequate_conditional": Standing.CONDITIONAL,
        "third": Standing.NONE,
    }
    for country in FACTS["countries"]:
        found = law.jurisdiction(country["alpha2"], law.as_of())
        assert found is not None
        assert found.standing is meaning[country["status"]], country["alpha2"]


@pytest.mark.parametrize(("alias", "country"), [("UK", "GB"), ("EL", "GR")])
def test_aliases(alias: str, country: str) -> None:
    assert law.jurisdiction(alias, "2026-11-23") == law.jurisdiction(country, "2026-11-23")


@pytest.mark.parametrize(
    ("date", "basis"),
    [("2025-06-27", "(EU) 2021/1772"), ("2025-09-01", "(EU) 2025/1226"), ("2026-11-23", "(EU) 2025/2574")],
)
def test_the_decision_named_is_the_one_of_the_day(date: str, basis: str) -> None:
    found = law.jurisdiction("GB", date)
    assert found is not None
    assert found.basis == basis


@given(st.text(max_size=4), days, st.sampled_from(["chapter_v", "literal_eu"]))
def test_an_unknown_country_has_no_standing(code: str, date: str, reading: law.Reading) -> None:
    found = law.jurisdiction(code, date, reading)
    assert (found is None) == (law.country_code(code) is None)


@given(st.sampled_from(CODES), days)
def test_the_literal_reading_is_never_kinder(code: str, date: str) -> None:
    kind, literal = law.jurisdiction(code, date, "chapter_v"), law.jurisdiction(code, date, "literal_eu")
    assert kind is not None
    assert literal is not None
    assert ORDER.index(kind.standing) <= ORDER.index(literal.standing)


@given(st.sampled_from(FACTS["adequacy_decisions"]), st.integers(1, 4000))
def test_a_decision_never_holds_outside_its_days(decision: dict[str, str], days_off: int) -> None:
    code = decision["target"]["code"]
    for edge, sign in (("valid_from", -1), ("valid_to", 1)):
        if decision[edge]:
            day = str(dt.date.fromisoformat(decision[edge]) + sign * dt.timedelta(days=days_off))
            found = law.jurisdiction(code, day, "literal_eu")
            numbers = {decision["decision"], *(period["decision"] for period in decision.get("periods", ()))}
            assert found is None or found.basis not in numbers


def test_consent_and_the_intra_eu_clauses_are_no_safeguard() -> None:
    found = law.safeguards()
    assert found["CONSENT"].derogation
    assert not found["NOT-2021-915"].is_transfer_tool
    assert not found["NOT-UK-IDTA"].is_transfer_tool
    assert found["SCC-2010-87"].valid_to == "2021-09-26"


def test_the_digest_covers_every_fact_file() -> None:
    assert len(law.facts_digest()) == 64
    assert law.as_of() == FACTS["as_of"]
