"""The terminal report: narrow, legible without colour, in colour only where it may be."""

from __future__ import annotations

import io

import pytest

from agent.model import LANGUAGES
from agent.reports import terminal
from agent.result import Result


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
