"""The page for an inspector: what stands on it, in four languages, and that it is sound HTML."""

from __future__ import annotations

import base64
import hashlib
import html as escapes
import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import msgspec
import pytest

from agent.model import LANGUAGES, Finding, Verdict
from agent.reports import html_page
from agent.reports._texts import words
from agent.result import ClauseState, Counts, Result
from tests.reports.listed import ListedFindings

VOID = {"meta", "br", "input", "use", "path", "rect", "circle"}


def page(result: Result, language: str = "en") -> str:
    out = io.BytesIO()
    html_page.render(result, out, language)
    return out.getvalue().decode()


def flat(html: str) -> str:
    """The words of a page, as one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"<(style|script)>.*?</\1>", "", html, flags=re.DOTALL)).split())


class Balance(HTMLParser):
    """Complains of elements that are not closed in order, of ids given twice and of links that lead nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in {"href", "for", "aria-labelledby"}:
                self.links.append((value or "").removeprefix("#"))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_sound(result: Result, language: str) -> None:
    found = Balance()
    html = page(result, language)
    found.feed(html)
    assert not found.open
    assert len(found.ids) == len(set(found.ids))
    assert set(found.links) <= set(found.ids)
    assert f'<html lang="{language}">' in html


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_in_the_language_of_the_page(result: Result, language: str) -> None:
    text = " ".join(escapes.unescape(flat(page(result, language))).split())
    for outcome in result.policies:
        assert " ".join(outcome.policy.title.of(language).split()) in text
    for clause in result.clauses:
        assert " ".join(clause.summary.of(language).split()) in text


def test_the_first_lines_say_verdict_denominator_and_gaps(result: Result) -> None:
    text = flat(page(result).split('<section id="clauses"')[0])
    assert "4 clauses of the agreement do not hold: 3.2, 3.5, 3.6 and 3.13." in text
    assert f"{result.counts.assessed} of {result.counts.total} findings assessed" in text
    assert "5 questions to systems were not answered" in text
    for digest in (result.run.policies_digest, result.run.law_digest, result.run.previous_manifest):
        assert digest in text


def test_every_failure_and_unknown_is_told_with_its_evidence(result: Result) -> None:
    text = flat(page(result))
    told = frozenset({Verdict.FAIL, Verdict.UNKNOWN, Verdict.WAIVED})
    for outcome in result.policies:
        for finding in result.findings.of(outcome.policy.id, told):
            assert (finding.resource or finding.scope) in text
            assert finding.reason in text
            assert finding.digest[:16] in text
            assert all(name in text for name in finding.evidence)


def test_skipped_policies_are_named_with_the_reason(result: Result) -> None:
    text = flat(page(result))
    assert "No Kubernetes cluster is configured." in text
    assert all(skipped.policy in text for skipped in result.skipped)


def test_what_is_left_out_is_said(result: Result) -> None:
    outcome = result.policies[0]
    template = next(result.findings.of(outcome.policy.id))
    many = [
        msgspec.structs.replace(template, id=f"{index:016}", resource=f"bucket-{index:04}", verdict=verdict)
        for verdict in (Verdict.FAIL, Verdict.PASS)
        for index in range(1234)
    ]
    counts = Counts(failed=1234, passed=1234)
    policies = (msgspec.structs.replace(outcome, counts=counts, verdict=Verdict.FAIL),)
    html = page(msgspec.structs.replace(result, policies=policies, findings=ListedFindings(many)))
    assert "and 1,034 more, all in the JSON report" in flat(html)
    assert "and 1,134 more, all in the JSON report" in flat(html)
    assert "bucket-0199" in html
    assert "bucket-0200" not in html


def test_a_long_list_of_gaps_says_how_many_more(result: Result) -> None:
    many = tuple(msgspec.structs.replace(result.gaps[0], resource=f"bucket-{index}") for index in range(700))
    assert "and 200 more" in flat(page(msgspec.structs.replace(result, gaps=many)))


def test_nothing_seen_is_not_told_as_nothing_there(result: Result) -> None:
    outcome = next(o for o in result.policies if not o.counts.total)
    assert outcome.gaps
    one = msgspec.structs.replace(result, policies=(outcome,))
    assert "part of what this control reads could not be seen" in flat(page(one))
    seen = msgspec.structs.replace(one, policies=(msgspec.structs.replace(outcome, gaps=0),))
    assert "Nothing of this kind was found in the 10 scopes" in flat(page(seen))


def test_a_policy_that_broke_says_why(result: Result) -> None:
    broken = msgspec.structs.replace(result.policies[0], error="it ran longer than 60 s")
    text = flat(page(msgspec.structs.replace(result, policies=(broken, *result.policies[1:]))))
    assert "could not be evaluated, so nothing passes: it ran longer than 60 s" in text


@pytest.mark.parametrize("state", ClauseState)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_has_a_sentence(result: Result, state: ClauseState, language: str) -> None:
    empty = msgspec.structs.replace(
        result,
        state=state,
        counts=Counts(),
        clauses=(),
        policies=(),
        gaps=(),
        scopes=(),
        locations=(),
        skipped=(),
        waivers=(),
    )
    text = flat(page(empty, language))
    for key in ("gaps.empty", "places.empty"):
        assert " ".join(words(language)(key).split()) in text


def test_only_our_own_script_and_style_may_act(result: Result) -> None:
    html = page(result)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)
    assert policy
    for tag in ("style", "script"):
        content = re.search(f"<{tag}>(.*?)</{tag}>", html, flags=re.DOTALL)
        assert content
        digest = base64.b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert f"{tag}-src &#39;sha256-{digest}&#39;" in policy[1]
    assert "default-src &#39;none&#39;" in policy[1]


def test_every_table_has_a_caption_and_scoped_headers(result: Result) -> None:
    html = page(result)
    assert html.count("<caption>") == html.count("<table")
    assert not re.search(r"<th(?![a-z])(?![^>]*scope=)", html)


def colours(css: str, start: str) -> dict[str, str]:
    block = css[css.index(start) :]
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", block[: block.index("}")]))


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(c * 2 for c in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    "theme", [":root {\n  color-scheme: light dark", "@media (prefers-color-scheme: dark)", "color-scheme: light;"]
)
def test_text_has_enough_contrast(theme: str) -> None:
    """WCAG 2.2 AA: 4.5 to 1."""
    css = (html_page._TEMPLATES / "report.css").read_text()
    palette = colours(css, theme)
    for ink in ("ink", "quiet", "link", "pass", "fail", "unknown", "waived", "none"):
        for ground in ("ground", "raised", "fail-tint", "unknown-tint", "pass-tint", "none-tint"):
            light, dark = sorted((luminance(palette[ink]), luminance(palette[ground])), reverse=True)
            ratio = (light + 0.05) / (dark + 0.05)
            assert ratio >= 4.5, f"{ink} on {ground}: {ratio:.2f}"


def test_findings_are_asked_for_with_a_limit(result: Result) -> None:
    asked: list[int | None] = []

    class Counting(ListedFindings):
        def of(
            self, policy: str, verdicts: frozenset[Verdict] | None = None, limit: int | None = None
        ) -> Iterator[Finding]:
            asked.append(limit)
            return super().of(policy, verdicts, limit)

    everything: list[Finding] = [f for o in result.policies for f in result.findings.of(o.policy.id)]
    page(msgspec.structs.replace(result, findings=Counting(everything)))
    assert asked
    assert None not in asked


def gaps_section(html: str) -> str:
    return html.split('<section id="gaps"')[1].split("</section>", maxsplit=1)[0]


def test_unknown_findings_are_told_together_even_without_a_gap(result: Result) -> None:
    html = page(msgspec.structs.replace(result, gaps=()))
    section = gaps_section(html)
    for outcome in result.policies:
        linked = f'href="#policy-{outcome.policy.id}"' in section
        assert linked == bool(outcome.counts.unknown)
    assert "arn:aws:s3:::outpost-kelder : the place of the data is not known" in flat(section)
    assert f"{result.counts.unknown} findings are unknown." in flat(html.split('<section id="clauses"')[0])


def test_no_green_tick_while_a_finding_is_unknown(result: Result) -> None:
    known = [msgspec.structs.replace(o, counts=msgspec.structs.replace(o.counts, unknown=0)) for o in result.policies]
    clear = msgspec.structs.replace(result, gaps=(), policies=tuple(known))
    assert "#i-pass" in gaps_section(page(clear))
    assert "#i-pass" not in gaps_section(page(msgspec.structs.replace(result, gaps=())))


def test_a_place_without_a_code_has_a_dash(result: Result) -> None:
    nowhere = (msgspec.structs.replace(result.locations[0], code="", country="", standing="unknown"),)
    html = page(msgspec.structs.replace(result, locations=nowhere))
    assert '<td data-label="region or zone">–</td>' in html  # noqa: RUF001 - the sign that is shown


def test_evidence_of_one_minute_has_one_moment(result: Result) -> None:
    def collected(started: str, finished: str) -> str:
        run = msgspec.structs.replace(result.run, started=started, finished=finished)
        return flat(page(msgspec.structs.replace(result, run=run))).split("Evidence collected ")[1].split(" Clauses")[0]

    one, other = "22 November 2026, 23:04 UTC", "22 November 2026, 23:05 UTC"
    assert collected("2026-11-22T23:04:00Z", "2026-11-22T23:04:41Z") == one
    assert collected("2026-11-22T23:04:00Z", "2026-11-22T23:05:00Z") == f"{one} – {other}"  # noqa: RUF001 - a range
