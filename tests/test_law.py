"""The law of clause 3.13: the dated cases of the fact file, and laws of its own."""

from __future__ import annotations

import csv
import datetime as dt

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agent import law
from agent.law import FACTS, MechanismKind, Reading, Standing
from agent.places import judge, places

FILE = yaml.load((FACTS / "jurisdictions.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
CASES = FILE["test_cases"]
DECISIONS = FILE["adequacy_decisions"]
CODES = [country["alpha2"] for country in FILE["countries"]]
TODAY = dt.date(2026, 11, 23)
EXPECTED = {
    "inside": {Standing.INSIDE},
    "inside_eea": {Standing.INSIDE},
    "see_note": {None},
    "adequacy": {Standing.ADEQUATE, Standing.ADEQUATE_CONDITIONAL},
    "adequacy_if_listed": {Standing.ADEQUATE_CONDITIONAL},
    "adequacy_if_pipeda": {Standing.ADEQUATE_CONDITIONAL},
    "safeguard_required": {Standing.NONE},
    "insufficient_evidence": {None},
}
CLASSES = {
    "eu": Standing.INSIDE,
    "eu_territory": Standing.INSIDE,
    "eea": Standing.INSIDE,
    "adequate": Standing.ADEQUATE,
    "adequate_conditional": Standing.ADEQUATE_CONDITIONAL,
    "third": Standing.NONE,
}
ALLOWED = {Standing.INSIDE: 3, Standing.ADEQUATE: 2, Standing.ADEQUATE_CONDITIONAL: 1, Standing.NONE: 0, None: 0}
days = st.dates(dt.date(1995, 1, 1), dt.date(2040, 1, 1))
readings: st.SearchStrategy[Reading] = st.sampled_from(["chapter_v", "literal_eu"])


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def at(code: str, date: str, reading: Reading = "chapter_v") -> law.Jurisdiction:
    found = law.at(day(date), reading).jurisdiction(code)
    assert found is not None
    return found


def test_all_dated_cases_are_there() -> None:
    assert len(CASES) == 35


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['code']}-{case['date']}")
def test_dated_case(case: dict[str, str]) -> None:
    assert law.at(day(case["date"])).standing(case["code"]) in EXPECTED[case["expect"]]


@pytest.mark.parametrize(
    ("code", "date", "basis", "until"),
    [
        ("GB", "2020-01-31", "TEU art. 52", "2020-01-31"),
        ("GB", "2020-02-01", "Withdrawal Agreement art. 126-127", "2020-12-31"),
        ("GB", "2021-07-01", "(EU) 2021/1772", "2025-06-27"),
        ("GB", "2025-10-01", "(EU) 2025/1226", "2025-12-27"),
        ("GB", "2025-12-20", "(EU) 2025/2574", "2031-12-27"),
        ("GB", "2026-11-23", "(EU) 2025/2574", "2031-12-27"),
        ("CH", "2026-11-23", "2000/518/EC", None),
        ("US", "2019-01-01", "(EU) 2016/1250", "2020-07-15"),
        ("HU", "2004-04-30", "2000/519/EC", "2004-04-30"),
        ("HU", "2004-05-01", "TEU art. 52", None),
        ("BE", "2026-11-23", "TEU art. 52", None),
        ("RE", "2026-11-23", "TFEU art. 355", None),
        ("NO", "2026-11-23", "EEA Joint Committee Decision 154/2018", None),
        ("IN", "2026-11-23", "", None),
    ],
)
def test_what_the_standing_rests_on(code: str, date: str, basis: str, until: str | None) -> None:
    found = at(code, date)
    assert (found.basis, found.valid_until) == (basis, until and day(until))


def test_conditions_are_those_of_the_date() -> None:
    assert at("US", "2026-11-23").conditions == ("importer_on_dpf_list_active_at_date", "hr_data_covered_if_hr_data")
    assert at("GB", "2025-12-18").conditions == ("not_for_uk_immigration_control",)
    assert at("GB", "2025-12-18").standing is Standing.ADEQUATE_CONDITIONAL
    assert at("GB", "2025-12-19").conditions == ()
    assert at("GB", "2025-12-19").standing is Standing.ADEQUATE
    assert at("US", "2021-01-01").conditions == ()


@pytest.mark.parametrize(("alias", "code"), [("UK", "GB"), ("EL", "GR")])
def test_aliases(alias: str, code: str) -> None:
    assert at(alias, "2026-11-23") is at(code, "2026-11-23")


@pytest.mark.parametrize("code", ["NO", "IS", "LI"])
def test_the_readings_differ_on_the_eea(code: str) -> None:
    assert at(code, "2018-07-20").standing is Standing.INSIDE
    assert at(code, "2018-07-19").standing is None
    assert at(code, "2026-11-23", "literal_eu").standing is Standing.NONE


def test_the_literal_reading_keeps_members_and_decisions() -> None:
    assert at("IE", "2026-11-23", "literal_eu").standing is Standing.INSIDE
    assert at("GP", "2026-11-23", "literal_eu").standing is Standing.INSIDE
    assert at("CH", "2026-11-23", "literal_eu").standing is Standing.ADEQUATE
    assert at("GB", "2021-03-01", "literal_eu").standing is Standing.NONE


@pytest.mark.parametrize("country", FILE["countries"], ids=lambda country: country["alpha2"])
def test_the_summary_agrees_with_the_dates(country: dict[str, str]) -> None:
    """`status` says the same facts for people, and was written apart from the dates."""
    assert at(country["alpha2"], FILE["as_of"]).standing is CLASSES[country["status"]]


def test_countries_name_the_decisions_about_them() -> None:
    named = {(country["alpha2"], known) for country in FILE["countries"] for known in country.get("adequacy", ())}
    about = {(d["target"]["code"], d["id"]) for d in DECISIONS if d["target"]["type"] != "organisation"}
    assert named == about


@given(st.text(max_size=12), days, readings)
def test_an_unknown_code_stands_nowhere(code: str, date: dt.date, reading: Reading) -> None:
    known = {*CODES, "UK", "EL", "EPO"}
    found = law.at(date, reading)
    assert (found.jurisdiction(code) is None) == (code not in known)
    if code not in known:
        assert found.standing(code) is None


@given(days)
def test_the_literal_reading_is_never_kinder(date: dt.date) -> None:
    kind, literal = law.at(date, "chapter_v"), law.at(date, "literal_eu")
    for code in CODES:
        assert ALLOWED[literal.standing(code)] <= ALLOWED[kind.standing(code)], code


@given(st.sampled_from(DECISIONS), days, readings)
def test_a_decision_holds_on_its_days_only(decision: dict[str, str], date: dt.date, reading: Reading) -> None:
    found = law.at(date, reading).jurisdiction(decision["target"]["code"])
    assert found is not None
    numbers = {decision["decision"], *(period["decision"] for period in decision.get("periods", ()))}  # type: ignore[index]
    last = decision["valid_to"]
    holds = day(decision["valid_from"]) <= date and (last is None or date <= day(last))
    if not holds:
        assert found.basis not in numbers
    elif found.standing is not Standing.INSIDE:
        assert found.basis in numbers
        assert found.valid_until is None or found.valid_until >= date


@pytest.mark.parametrize(
    ("mechanism", "date", "kind"),
    [
        ("adequacy", "2026-11-23", MechanismKind.ADEQUACY),
        ("scc", "2026-11-23", MechanismKind.SAFEGUARD),
        ("scc", "2021-06-26", MechanismKind.ENDED),
        ("scc-2010-87", "2021-09-26", MechanismKind.SAFEGUARD),
        ("scc-2010-87", "2021-09-27", MechanismKind.ENDED),
        ("bcr", "2026-11-23", MechanismKind.SAFEGUARD),
        ("consent", "2026-11-23", MechanismKind.DEROGATION),
        ("art28-clauses", "2026-11-23", MechanismKind.NO_TRANSFER_TOOL),
        ("uk-idta", "2026-11-23", MechanismKind.NO_TRANSFER_TOOL),
    ],
)
def test_what_a_mechanism_is_worth(mechanism: str, date: str, kind: MechanismKind) -> None:
    assert mechanism in law.mechanisms()
    assert law.mechanism_kind(mechanism, day(date)) is kind


@pytest.mark.parametrize(
    ("provider", "code", "city", "country"),
    [
        ("aws", "eu-west-2", "London", "GB"),
        ("aws", "eu-central-2", "Zurich", "CH"),
        ("aws", "eusc-de-east-1", "Brandenburg", "DE"),
        ("aws", "eu-central-1", "Frankfurt", "DE"),
        ("aws", "eu-central-1-ist-1", "Istanbul", "TR"),
        ("aws", "eu-central-1-ist-1a", "Istanbul", "TR"),
        ("aws", "eu-west-3-cmn-wlz-1a", "Casablanca", "MA"),
        ("wasabi", "eu-central-1", "Amsterdam", "NL"),
        ("wasabi", "eu-west-1", "London", "GB"),
        ("oci", "eu-jovanovac-1", "Kragujevac", "RS"),
    ],
)
def test_a_name_proves_nothing(provider: str, code: str, city: str, country: str) -> None:
    place = places()[provider, code]
    assert (place.city, place.countries) == (city, (country,))


@pytest.mark.parametrize(
    ("provider", "code"),
    [
        ("aws", "aws-global"),
        ("aws", "eu-isoe-west-1"),  # its country is a guess
        ("aws", "outpost"),
        ("aws", "global:iam"),
        ("aws", "s3-location:EU"),
        ("aws", "EU-WEST-1"),
        ("aws", "eu-central-1-xyz-1a"),
        ("aws", ""),
        ("gcp", "europe"),  # which countries it spans differs by product
        ("gcp", "global"),
        ("minio", "us-east-1"),  # what MinIO calls every place
        ("", "eu-central-1"),
    ],
)
def test_what_is_no_place_is_unknown(provider: str, code: str) -> None:
    assert (provider, code) not in places()


@pytest.mark.parametrize(
    ("code", "decides", "standing"),
    [("EU", "BE", Standing.INSIDE), ("eur5", "GB", Standing.ADEQUATE), ("asia", "TW", Standing.NONE)],
)
def test_a_place_that_spans_countries_stands_as_its_weakest(code: str, decides: str, standing: Standing) -> None:
    found = judge(law.at(TODAY), places()["gcp", code])
    assert (found.country, found.standing) == (decides, standing)


def test_a_place_is_unknown_where_one_of_its_countries_is() -> None:
    found = judge(law.at(day("2018-06-01")), places()["azure", "norwayeast"])
    assert (found.standing, found.basis) == (None, "")


@pytest.mark.parametrize("name", ["aws-regions.csv", "cloud-regions.csv"])
def test_every_place_stands_as_its_list_says(name: str) -> None:
    """The lists carry the standing on the day they were made, worked out apart from the dates."""
    today, checked = law.at(TODAY), 0
    with (FACTS / name).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            place = places().get((row.get("provider", "aws"), row["code"]))
            if place is not None:
                assert judge(today, place).standing is CLASSES[row["class_2026_11_23"]], row["code"]
                checked += 1
    assert checked > 100


@given(days, readings)
def test_every_place_has_a_known_country(date: dt.date, reading: Reading) -> None:
    found = law.at(date, reading)
    assert all(found.jurisdiction(country) for place in places().values() for country in place.countries)


def test_the_digest_changes_with_any_fact(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("facts")
    for path in FACTS.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(law, "FACTS", folder)
    digests = {law.facts_digest.__wrapped__()}
    assert digests == {law.facts_digest()}
    for path in sorted(folder.iterdir()):
        path.write_bytes(path.read_bytes() + b"\n")
        digests.add(law.facts_digest.__wrapped__())
    assert len(digests) == 1 + len(list(folder.iterdir()))


def test_the_facts_say_when_they_were_checked() -> None:
    assert law.as_of() == "2026-11-23"
