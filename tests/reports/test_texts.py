"""The words of the reports: four files with the same keys and places to fill in, and nothing missing or unused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import agent.reports
from agent.model import LANGUAGES, GapKind, Severity, Verdict
from agent.reports._texts import words
from agent.reports._view import STANDINGS
from agent.result import ClauseState, WaiverState

HERE = Path(agent.reports.__file__).parent


def blanks(text: str) -> set[str]:
    return set(re.findall(r"(?<!{){(\w+)}", text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_four_languages_have_the_same_keys(language: str) -> None:
    assert words(language).keys() == words("en").keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_four_languages_fill_in_the_same(language: str) -> None:
    other, english = words(language), words("en")
    different = [key for key in english.keys() if blanks(other.get(key, "")) != blanks(english.get(key, ""))]  # noqa: SIM118
    assert not different


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_model_has_a_text(language: str) -> None:
    wanted = {f"verdict.{which}" for which in Verdict}
    wanted |= {f"state.{which}" for which in ClauseState}
    wanted |= {f"severity.{which}" for which in Severity}
    wanted |= {f"waiver.{which}" for which in WaiverState}
    wanted |= {f"{kind}.{which}" for which in GapKind for kind in ("gap", "gap_remedy")}
    wanted |= {f"standing.{which}" for which in STANDINGS}
    assert wanted <= words(language).keys()


def test_no_text_is_left_unused() -> None:
    used = "\n".join(path.read_text(encoding="utf-8") for path in [*HERE.glob("*.py"), *HERE.glob("templates/*.j2")])
    families: tuple[str, ...] = (
        "verdict.",
        "state.",
        "severity.",
        "waiver.",
        "gap.",
        "gap_remedy.",
        "standing.",
        "source.",
        "skipped.",
    )
    families += ("reference.", "reading.", "country.", "sentence.", "method.", "legend.", "date.")
    stems = {re.sub(r"\.(one|many)$", "", key) for key in words("en").keys()}  # noqa: SIM118
    looked = sorted(stem for stem in stems if not stem.startswith(families))
    assert [stem for stem in looked if not re.search(rf"[\"']{re.escape(stem)}[\"']", used)] == []


def test_numbers_and_dates_are_written_as_the_language_does() -> None:
    assert [words(x).number(1234567) for x in LANGUAGES] == [
        "1.234.567",
        "1\u202f234\u202f567",
        "1.234.567",
        "1,234,567",
    ]
    dates = [words(x).date("2026-03-01") for x in LANGUAGES]
    assert dates == ["1 maart 2026", "1 mars 2026", "1. März 2026", "1 March 2026"]


def test_a_moment_is_told_in_utc() -> None:
    assert words("en").moment("2026-11-23T00:30:00+01:00") == "22 November 2026, 23:30 UTC"
    assert words("en").moment("not a moment") == "not a moment"


def test_french_counts_none_as_one() -> None:
    assert words("fr").count("findings", 0) == "0 constat"
    assert words("en").count("findings", 0) == "0 findings"


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(KeyError):
        words("es")


def test_french_states_agree_with_their_heading() -> None:
    """`État` is masculine, though the clause they tell of may be called otherwise."""
    french = words("fr")
    assert french("column.state") == "état"
    states = [french(f"state.{which}") for which in ClauseState]
    assert states == ["respecté", "non respecté", "indéterminé", "non évalué"]
