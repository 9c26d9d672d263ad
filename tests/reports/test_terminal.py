"""The terminal report: narrow, legible without colour, in colour only where it may be."""

from __future__ import annotations

import io
import re

import msgspec
import pytest

from agent.model import LANGUAGES, Verdict
from agent.reports import terminal
from agent.result import ClauseResult, Counts, Result
from tests.reports.listed import ListedFindings


def shown(result: Result, language: str = "en") -> str:
    out = io.BytesIO()
    terminal.render(result, out, language)
    return out.getvalue().decode()


class Tty(io.BytesIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("language", LANGUAGES)
def test_it_fits_the_width(result: Result, language: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = shown(result, language).splitlines()
    assert max(map(len, lines)) <= width
    assert lines == [line.rstrip() for line in lines]


def test_a_pipe_gets_no_escapes(result: Result) -> None:
    assert "\x1b" not in shown(result)


def test_a_terminal_gets_colour_unless_it_says_no(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    out = Tty()
    terminal.render(result, out, "en")
    assert b"\x1b[" in out.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Tty()
    terminal.render(result, plain, "en")
    assert b"\x1b[31m" not in plain.getvalue()
    assert b"\x1b[1;31m" not in plain.getvalue()


def test_each_clause_has_its_state_and_denominator(result: Result) -> None:
    table = shown(result).split("Clause by clause")[1].split("What fails")[0]
    rows = {line.split()[0]: " ".join(line.split()) for line in table.splitlines() if line.strip()}
    for clause in result.clauses:
        if clause.policies:
            assert f"{clause.counts.assessed} of {clause.counts.total}" in rows[clause.id]
    assert "✗ does not hold" in rows["3.2"]
    assert "? cannot be said" in rows["3.5.d"]


def test_the_most_severe_failures_come_first(result: Result) -> None:
    text = shown(result)
    order = [line.split()[1] for line in text.splitlines() if line.startswith("✗ ") and "·" in line]
    ranks = {"critical": 0, "high": 1, "medium": 2, "low": 3}
    assert [ranks[word] for word in order] == sorted(ranks[word] for word in order)
    assert "critical" in order


def test_only_places_outside_the_union_are_listed(result: Result) -> None:
    part = shown(result).split("Data outside the Union")[1].split("What could not be seen")[0]
    assert "Türkiye" in part
    assert "Singapore" in part
    assert "Ireland" not in part


def unwrapped(text: str) -> str:
    """The text as one line, however it was folded."""
    return " ".join(text.split())


def test_waived_findings_are_in_the_head_and_in_the_table(result: Result) -> None:
    head, rest = shown(result).split("Clause by clause")
    assert f"{result.counts.waived} do not meet the requirement, which someone accepted until a date." in unwrapped(
        head
    )
    columns = next(line for line in rest.splitlines() if line.strip())
    assert "waived" in columns
    row = next(line.split() for line in rest.splitlines() if line.startswith("3.2 "))
    clause = next(clause for clause in result.clauses if clause.id == "3.2")
    assert row[-4:] == [
        str(n) for n in (clause.counts.failed, clause.counts.unknown, clause.counts.waived, clause.gaps)
    ]


def test_nothing_is_said_of_waivers_when_there_are_none(result: Result) -> None:
    def bare(clause: ClauseResult) -> ClauseResult:
        return msgspec.structs.replace(clause, counts=msgspec.structs.replace(clause.counts, waived=0))

    none = msgspec.structs.replace(
        result, counts=Counts(failed=1), clauses=tuple(map(bare, result.clauses)), waivers=()
    )
    text = shown(none)
    assert "Accepted deviations" not in text
    assert "waived" not in text.split("Clause by clause")[1].split("What fails")[0]


def test_each_waiver_is_told_with_who_until_when_and_what_became_of_it(result: Result) -> None:
    part = unwrapped(shown(result).split("Accepted deviations")[1].split("Data outside")[0])
    assert "s3-bucket-versioned: arn:aws:s3:::export-* · approved by J. Maes · until 30 June 2026 · expired" in part
    assert part.count("in use") == 2


def test_unknown_findings_are_told_between_failures_and_places(result: Result) -> None:
    """Also those without a gap: a value that is not there leaves nothing else to see."""
    part = unwrapped(shown(result).split("What fails")[1].split("What could not be decided")[1].split("Accepted")[0])
    assert "? critical S3 bucket is not public · 1/" in part
    assert "arn:aws:s3:::outpost-kelder: the place of the data is not known" in part
    assert part.index("? critical") < part.index("? high")


def test_a_long_list_of_unknown_findings_is_capped(result: Result) -> None:
    outcome = next(outcome for outcome in result.policies if outcome.counts.unknown)
    template = next(result.findings.of(outcome.policy.id, frozenset({Verdict.UNKNOWN})))
    many = [msgspec.structs.replace(template, resource=f"bucket-{index}") for index in range(8)]
    policies = (msgspec.structs.replace(outcome, counts=Counts(unknown=8), verdict=Verdict.UNKNOWN),)
    text = shown(msgspec.structs.replace(result, policies=policies, findings=ListedFindings(many)))
    assert "bucket-2:" in text
    assert "bucket-3" not in text
    assert "and 5 more" in text


def test_a_place_without_a_code_has_a_dash(result: Result) -> None:
    nowhere = tuple(msgspec.structs.replace(at, code="", country="", standing="unknown") for at in result.locations[:2])
    part = shown(msgspec.structs.replace(result, locations=nowhere)).split("Data outside the Union")[1]
    row = next(line for line in part.splitlines() if line.startswith("not known"))
    assert row.endswith("–")  # noqa: RUF001 - the sign that is shown


@pytest.mark.parametrize("number", [1, 3, 40])
def test_a_list_is_cut_between_names_and_says_how_many_more(result: Result, number: int) -> None:
    names = [f"control-number-{index:02}" for index in range(number)]
    skipped = tuple(msgspec.structs.replace(result.skipped[0], policy=name) for name in names)
    part = unwrapped(shown(msgspec.structs.replace(result, skipped=skipped)).split("Not looked at")[1])
    told = re.findall(r"control-number-\d\d(?=,| and|$)", part)
    assert told == names[: len(told)]
    assert len(told) == part.count("control")
    assert ("more" in part) == (len(told) < number)
    if len(told) < number:
        assert part.endswith(f"and {number - len(told)} more")


def test_a_long_list_of_waivers_says_how_many_more(result: Result) -> None:
    text = shown(msgspec.structs.replace(result, waivers=result.waivers[:1] * 14))
    assert "and 4 more" in text.split("Accepted deviations")[1].split("Data outside")[0]
