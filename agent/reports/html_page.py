"""The HTML report, for an inspector: one file that opens from a mail attachment, offline, and prints.

The page asks for nothing outside itself, and its content security policy lets nothing but its own style sheet and
script act, by their digests. Every expression in a template goes through `visible` and then through autoescape, so
that names and messages from the estate can neither act nor deceive. A page is for reading: each policy shows its first
failures and says how many more there are; the JSON report has them all.
"""

from __future__ import annotations

import base64
import hashlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from agent.model import Finding, Verdict
from agent.plain import line, value, visible
from agent.reports import Format, _view
from agent.reports._sentences import denominator, verdict_sentence
from agent.reports._texts import words
from agent.result import ClauseState, Counts, PolicyResult, Result

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).parent / "templates"


class Limits(msgspec.Struct, frozen=True):
    """How many of each are shown."""

    findings: int = 200
    """Failures, unknowns and waivers of a policy, each."""
    examples: int = 3
    """Unknown findings of a policy where all such policies are told together."""
    passes: int = 100
    gaps: int = 500
    """Gaps with one cause."""
    scopes: int = 300


_KINDS: dict[str, str] = {
    Verdict.PASS: "pass",
    Verdict.FAIL: "fail",
    Verdict.UNKNOWN: "unknown",
    Verdict.WAIVED: "waived",
    Verdict.NOT_APPLICABLE: "none",
    ClauseState.HOLDS: "pass",
    ClauseState.FAILS: "fail",
    ClauseState.NOT_ASSESSED: "none",
}
"""Which sign and colour a verdict or state has."""

_STANDING_KINDS = {
    "inside": "pass",
    "adequate": "waived",
    "adequate_conditional": "unknown",
    "unknown": "none",
    "none": "fail",
}

_NUMBERS = {"fail": "failed", "unknown": "unknown", "waived": "waived"}


def render(result: Result, out: BinaryIO, language: str) -> None:
    """Write the page; the same result gives the same bytes."""
    template = _environment().get_template("report.html.j2")
    out.writelines(part.encode() for part in template.generate(_context(result, language)))


def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(line=line, value=value)
    return environment


def _finalize(thing: Any) -> Any:
    """Make text from the estate visible; what a template made (it has `__html__`) is visible already."""
    return visible(thing) if isinstance(thing, str) and not hasattr(thing, "__html__") else thing


def _context(result: Result, language: str) -> dict[str, Any]:
    w = words(language)
    sections = _view.sections(result)
    return {
        **_assets(),
        "w": w,
        "result": result,
        "limits": Limits(),
        "kinds": _KINDS,
        "standing_kinds": _STANDING_KINDS,
        "sentence": verdict_sentence(result, w),
        "denominator": denominator(result, w),
        "sections": sections,
        "walk": _view.walk,
        "anchors": {section.clause.id for section in _view.walk(sections)},
        "unassessed": _view.unassessed(result),
        "failing": _view.failing_policies(result),
        "undecided": _view.undecided_policies(result),
        "places": _view.places(result),
        "standings": _view.by_standing(result),
        "country": lambda code: w.get(f"country.{code}", code) if code else w("country.unknown"),
        "source": lambda name: w.get(f"source.{name}", name),
        "gap_groups": _view.gap_groups(result),
        "skipped": _view.skipped_by_source(result),
        "counts_of": _view.counts_of,
        "kinds_of": _kinds_of,
        "standing_parts": [(_STANDING_KINDS[which], number) for which, number in reversed(_view.by_standing(result))],
        "counts": {name: partial(_number, field) for name, field in _NUMBERS.items()},
        "look": partial(_look, result),
        "elsewhere": partial(_elsewhere, result),
    }


def _assets() -> dict[str, Any]:
    """The style sheet and the script, and the policy that lets only these two act."""
    from markupsafe import Markup  # noqa: PLC0415

    css, script = ((_TEMPLATES / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    allowed = f"style-src {_source(css)}; script-src {_source(script)}"
    policy = f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"
    return {"css": Markup(css), "script": Markup(script), "policy": policy}  # noqa: S704 - our own files


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _number(field: str, counts: Counts) -> int:
    number: int = getattr(counts, field)
    return number


def _kinds_of(counts: Counts) -> list[tuple[str, int]]:
    return [(_KINDS[verdict], number) for verdict, number in _view.counts_of(counts)]


def _look(result: Result, policy: str, verdict: str, limit: int) -> tuple[Finding, ...]:
    return _view.capped(result, policy, Verdict(verdict), limit)


def _elsewhere(result: Result, section: _view.Section) -> tuple[PolicyResult, ...]:
    """The policies that point at a clause and are told under another."""
    here = {outcome.policy.id for outcome in section.policies}
    return tuple(o for o in result.policies if o.policy.id in section.clause.policies and o.policy.id not in here)


FORMAT = Format(name="html", suffix=".html", title="One page for an inspector, to read, print and mail", render=render)
