"""The report for a terminal: the verdict of each clause, the worst failures, the gaps and how to mend them.

It fits 80 columns and stays legible without colour: every state has a sign and a word. Colour is used when the output
is a terminal and neither NO_COLOR nor a dumb terminal says otherwise (rich decides). Text from the estate is put in as
plain `Text` of one line, so that neither rich's markup nor an escape sequence in a name can act.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from agent.model import Severity, Verdict
from agent.plain import line
from agent.reports import Format, _view
from agent.reports._sentences import denominator, verdict_sentence
from agent.reports._texts import Words, words
from agent.result import ClauseResult, ClauseState, PolicyResult, Result

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

_SIGNS = {ClauseState.HOLDS: "✓", ClauseState.FAILS: "✗", ClauseState.UNKNOWN: "?", ClauseState.NOT_ASSESSED: "–"}  # noqa: RUF001
_STYLES = {
    ClauseState.HOLDS: "green",
    ClauseState.FAILS: "red",
    ClauseState.UNKNOWN: "yellow",
    ClauseState.NOT_ASSESSED: "dim",
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "dim",
}
_FIXED = 84
"""Columns that the table of clauses needs in any language; what is left of the width is for what each one says."""
_WAIVED = 12
"""What the column of waived findings adds to them."""
_POLICIES = 10
_RESOURCES = 3
_LONGEST = 160


def render(result: Result, out: BinaryIO, language: str) -> None:
    """Write the report; without a terminal the same result gives the same bytes."""
    from rich.console import Console  # noqa: PLC0415

    stream = io.TextIOWrapper(out, encoding="utf-8")
    try:
        console = Console(file=stream, highlight=False, markup=False, emoji=False, legacy_windows=False)
        with console.capture() as captured:
            for part in _parts(result, words(language), console.width):
                console.print(part)
    finally:
        stream.detach()
    lines = (text.rstrip() for text in captured.get().splitlines())
    out.write("".join(f"{text}\n" for text in lines).encode())


def _parts(result: Result, w: Words, width: int) -> Iterator[RenderableType]:
    yield from _verdict(result, w)
    yield from _clauses(result, w, width - _FIXED)
    yield from _told(result, w, Verdict.FAIL)
    yield from _told(result, w, Verdict.UNKNOWN)
    yield from _waivers(result, w)
    yield from _outside(result, w)
    yield from _gaps(result, w)
    yield from _skipped(result, w)


def _verdict(result: Result, w: Words) -> Iterator[RenderableType]:
    name = line(result.run.agreement) or w("report.no_agreement")
    yield _text((name, "bold"))
    yield _text((f"{w('report.as_of', moment=w.moment(result.run.audit_time))} · {line(result.run.id)}", "dim"))
    yield ""
    style = _STYLES[result.state]
    yield _hanging((f"{_SIGNS[result.state]} ", style), (verdict_sentence(result, w), f"bold {style}"))
    yield _hanging(("  ", ""), (denominator(result, w), ""))


def _clauses(result: Result, w: Words, room: int) -> Iterator[RenderableType]:
    yield _heading(w("clauses.title"))
    waived = bool(result.counts.waived)
    room -= _WAIVED if waived else 0
    table = _table(1 if waived else 2)
    table.add_column(w("column.clause"), no_wrap=True)
    table.add_column(w("column.state"), no_wrap=True)
    table.add_column(w("column.assessed"), no_wrap=True)
    for key in ("verdict.fail", "verdict.unknown", *(["verdict.waived"] if waived else []), "gaps.short"):
        table.add_column(w(key), justify="right")
    if room > 0:
        table.add_column("", no_wrap=True, overflow="ellipsis", max_width=room)
    for section in _view.walk(_view.sections(result)):
        cells = [*_clause(section.clause, w, waived=waived), _text((section.clause.summary.of(w.language), "dim"))]
        table.add_row(*cells[: len(table.columns)])
    yield table
    left = _view.unassessed(result)
    if left:
        ids = ", ".join(clause.id for clause in left)
        yield _text((f"{w.count('unassessed', len(left))} {ids}", "dim"))


def _clause(clause: ClauseResult, w: Words, *, waived: bool) -> Iterator[RenderableType]:
    counts = clause.counts
    top = "" if clause.parent else "bold"
    yield _text((f"  {clause.id}" if clause.parent else clause.id, top))
    yield _text((f"{_SIGNS[clause.state]} {w(f'state.{clause.state}')}", f"{top} {_STYLES[clause.state]}".strip()))
    yield _text((w("ratio", assessed=counts.assessed, total=counts.total), top))
    accepted = [(counts.waived, "magenta")] if waived else []
    for number, style in ((counts.failed, "red"), (counts.unknown, "yellow"), *accepted, (clause.gaps, "yellow")):
        yield _text((w.number(number), style if number else "dim"))


def _told(result: Result, w: Words, verdict: Verdict) -> Iterator[RenderableType]:
    """The controls that fail, or those that could not be decided, with the first findings of each."""
    fails = verdict is Verdict.FAIL
    found = _view.failing_policies(result) if fails else _view.undecided_policies(result)
    if not found:
        return
    yield _heading(w("failing.title" if fails else "undecided.title"))
    for outcome in found[:_POLICIES]:
        number = outcome.counts.failed if fails else outcome.counts.unknown
        yield from _control(result, outcome, verdict, number, w)
    if len(found) > _POLICIES:
        yield _text((w.count("terminal.more", len(found) - _POLICIES), "dim"))


def _control(
    result: Result, outcome: PolicyResult, verdict: Verdict, number: int, w: Words
) -> Iterator[RenderableType]:
    policy = outcome.policy
    sign, severity = "✗" if verdict is Verdict.FAIL else "?", w(f"severity.{policy.severity}")
    share = f" · {w.number(number)}/{w.number(outcome.counts.total)} · {', '.join(policy.clauses)}"
    title = line(policy.title.of(w.language))
    yield _hanging((f"{sign} {severity} ", _STYLES[policy.severity]), (title, "bold"), (share, "dim"))
    for finding in _view.capped(result, policy.id, verdict, _RESOURCES):
        name, reason = (line(text, _LONGEST) for text in (finding.resource or finding.scope, finding.reason))
        yield _hanging(("    ", ""), (name, ""), (f": {reason}" if reason else "", "dim"))
    if number > _RESOURCES:
        yield _hanging(("    ", ""), (w.count("terminal.more", number - _RESOURCES), "dim"))


def _waivers(result: Result, w: Words) -> Iterator[RenderableType]:
    if not result.waivers:
        return
    yield _heading(w("waivers.title"))
    for given in result.waivers[:_POLICIES]:
        waiver = given.waiver
        who = f" · {w('column.approver')} {line(waiver.approver)} · {w('column.expires')} {w.date(waiver.expires)}"
        about = f"{who} · {w(f'waiver.{given.state}')} · {line(waiver.reason, _LONGEST)}"
        yield _hanging(("≈ ", "magenta"), (f"{waiver.policy}: {line(waiver.resource)}", ""), (about, "dim"))
    if len(result.waivers) > _POLICIES:
        yield _text((w.count("terminal.more", len(result.waivers) - _POLICIES), "dim"))


def _outside(result: Result, w: Words) -> Iterator[RenderableType]:
    found = [place for place in _view.places(result) if place.standing != "inside"]
    if not found:
        return
    yield _heading(w("terminal.outside"))
    table = _table()
    for key in ("column.country", "column.standing"):
        table.add_column(w(key))
    table.add_column(w("column.resources"), justify="right")
    table.add_column(w("column.regions"))
    for place in found:
        country = w.get(f"country.{place.country}", place.country) if place.country else w("country.unknown")
        style = {"none": "red", "adequate": ""}.get(place.standing, "yellow")
        standing = w(f"standing.{place.standing}")
        codes = _listed(place.codes, w) or "–"  # noqa: RUF001 - a sign
        table.add_row(line(country), _text((standing, style)), w.number(place.resources), _text((codes, "")))
    yield table


def _gaps(result: Result, w: Words) -> Iterator[RenderableType]:
    groups = _view.gap_groups(result)
    if not groups:
        return
    yield _heading(w("gaps.title"))
    for group in groups[:_POLICIES]:
        times = w.count("terminal.times", len(group.gaps))
        where = _listed(group.scopes, w)
        cause = f"{w(f'gap.{group.kind}')}: {line(group.call)}"
        yield _hanging(
            ("? ", "yellow"), (cause, "yellow"), (f" · {times} · {', '.join(group.tables)} · {where}", "dim")
        )
        remedy = w(f"gap_remedy.{group.kind}")
        grant = f" {w('gaps.permission')} {line(group.permission)}" if group.permission else ""
        yield _hanging(("    ", ""), (f"{remedy}{grant}", ""))
    if len(groups) > _POLICIES:
        yield _text((w.count("terminal.more", len(groups) - _POLICIES), "dim"))


def _skipped(result: Result, w: Words) -> Iterator[RenderableType]:
    found = _view.skipped_by_source(result)
    if not found:
        return
    yield _heading(w("skipped.title"))
    for source, policies in found:
        why = w.get(f"skipped.{source}", w("skipped.other", source=source))
        yield _hanging(("– ", ""), (f"{why} ", ""), (_listed(policies, w), "dim"))  # noqa: RUF001 - a sign


def _listed(names: tuple[str, ...], w: Words) -> str:
    """As many names as have room, each whole, and how many more there are; always the first."""
    shown = [line(name, _LONGEST) for name in names]
    room = next((at for at in range(1, len(shown)) if len(", ".join(shown[: at + 1])) > _LONGEST), len(shown))
    more = [w.count("terminal.more", len(shown) - room)] if len(shown) > room else []
    return " ".join([", ".join(shown[:room]), *more])


def _heading(title: str) -> Text:
    return _text(("\n", ""), (title, "bold underline"))


def _table(between: int = 2) -> Table:
    from rich.table import Table  # noqa: PLC0415

    return Table(box=None, pad_edge=False, padding=(0, between, 0, 0), header_style="dim", show_edge=False)


def _text(*parts: tuple[str, str]) -> Text:
    from rich.text import Text  # noqa: PLC0415

    return Text.assemble(*parts, overflow="fold")


def _hanging(sign: tuple[str, str], *parts: tuple[str, str]) -> RenderableType:
    """A paragraph whose later lines stand under its first word, not under its sign."""
    from rich.table import Table  # noqa: PLC0415

    grid = Table.grid(padding=0)
    grid.add_column(no_wrap=True, width=len(sign[0]))
    grid.add_column(overflow="fold")
    grid.add_row(_text(sign), _text(*parts))
    return grid


FORMAT = Format(name="terminal", suffix=".txt", title="A summary for the terminal", render=render)
