"""What holds for every format: found by itself, written whole, deterministic, complete about gaps, safe."""

from __future__ import annotations

import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from agent import plain
from agent.errors import AuditError
from agent.model import LANGUAGES, Finding, Gap, GapKind, Verdict
from agent.reports import Format, formats, write
from agent.result import Result
from tests.reports.listed import ListedFindings

FORMATS = sorted(formats())
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "\x1b[2J\x1b]8;;https://example.org\x07link",
    "invoice\u202egpj.exe",
    "arn:aws:s3:::" + "long-" * 400,
    "two\nlines\r\nand\ttabs",
    "[bold red]markup[/] :smile: {{ 7 * 7 }} {% raw %}",
    "zero\u200bwidth﻿",
    'quote " backslash \\ brace }',
)


def rendered(result: Result, name: str, language: str = "en") -> bytes:
    out = io.BytesIO()
    formats()[name].render(result, out, language)
    return out.getvalue()


def hostile(result: Result, texts: tuple[str, ...] = HOSTILE) -> Result:
    """The result with hostile text wherever the estate's own text stands."""
    first = result.policies[0]
    template = next(result.findings.of(first.policy.id))
    findings: list[Finding] = [
        msgspec.structs.replace(
            template, id=f"{index}", verdict=Verdict.FAIL, resource=text, reason=text, evidence={text: text, "n": None}
        )
        for index, text in enumerate(texts)
    ]
    gaps = tuple(
        Gap(
            source="aws", scope=text, group=text, table="aws_s3_bucket", resource=text, call="ListBuckets",
            kind=GapKind.DENIED, detail=text, permission=text, at="2026-11-22T23:04:11Z",
        )
        for text in texts
    )  # fmt: skip
    counts = msgspec.structs.replace(first.counts, passed=0, failed=len(texts), unknown=0, waived=0)
    group = msgspec.structs.replace(first.groups[0], counts=counts)
    broken = msgspec.structs.replace(first, counts=counts, groups=(group,), error=texts[0])
    locations = tuple(
        msgspec.structs.replace(at, group=text, code=text, country=text[:2])
        for at, text in zip(result.locations, texts, strict=False)
    )
    run = msgspec.structs.replace(result.run, agreement=texts[0], id=texts[-1])
    return msgspec.structs.replace(
        result, run=run, policies=(broken,), gaps=gaps, locations=locations, findings=ListedFindings(findings)
    )


class Page(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_every_format_is_found() -> None:
    assert set(FORMATS) >= {"json", "html", "terminal", "prometheus"}
    suffixes = [form.suffix for form in formats().values()]
    assert len(suffixes) == len(set(suffixes)), "two formats would overwrite each other's file"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", FORMATS)
def test_the_same_result_gives_the_same_bytes(result: Result, name: str, language: str) -> None:
    assert rendered(result, name, language) == rendered(result, name, language)


@pytest.mark.parametrize("name", FORMATS)
def test_an_output_stream_stays_open(result: Result, name: str) -> None:
    out = io.BytesIO()
    formats()[name].render(result, out, "nl")
    out.write(b"still open")


def test_a_report_is_written_whole_or_not_at_all(result: Result, tmp_path: Path) -> None:
    path = tmp_path / "reports" / "report.json"
    write(result, formats()["json"], path, "en")
    before = path.read_bytes()

    def fail(_result: Result, out: Any, _language: str) -> None:
        out.write(b"half")
        raise OSError(28, "No space left on device")

    broken = Format(name="json", suffix=".json", title="", render=fail)
    with pytest.raises(AuditError, match="No space left"):
        write(result, broken, path, "en")
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["report.json"]


def test_every_gap_is_in_the_json_report(result: Result) -> None:
    gaps = json.loads(rendered(result, "json"))["gaps"]
    assert msgspec.convert(gaps, tuple[Gap, ...]) == result.gaps


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_gap_is_on_the_page(result: Result, language: str) -> None:
    text = " ".join(Page(rendered(result, "html", language).decode()).text)
    for gap in result.gaps:
        for part in (gap.scope, gap.call, gap.detail, gap.permission, gap.resource, *gap.columns):
            assert part in text, f"{part} of a gap is not on the page"


def test_every_gap_is_in_the_metrics(result: Result) -> None:
    families = text_string_to_metric_families(rendered(result, "prometheus").decode())
    family = next(family for family in families if family.name == "clausule_gaps")
    found = {tuple(sample.labels[k] for k in ("scope", "collector", "kind")): sample.value for sample in family.samples}
    assert sum(found.values()) == len(result.gaps)
    assert all(found[gap.group, gap.source, gap.kind.value] for gap in result.gaps)


def test_every_gap_is_named_in_the_terminal(result: Result) -> None:
    text = " ".join(rendered(result, "terminal").decode().split())
    for gap in result.gaps:
        assert gap.call in text
        assert gap.permission in text


def test_hostile_text_makes_no_element_on_the_page(result: Result) -> None:
    page = Page(rendered(hostile(result), "html").decode())
    assert page.tags.count("script") == 1, "only our own"
    assert "img" not in page.tags
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "style"]
    text = " ".join(page.text)
    assert "<script>alert(1)</script>" in text
    assert "{{ 7 * 7 }}" in text


@pytest.mark.parametrize("name", ["html", "terminal", "prometheus"])
def test_no_unseen_character_gets_through(result: Result, name: str) -> None:
    text = rendered(hostile(result), name).decode()
    assert plain.visible(text) == text
    assert "\\u202e" in text.replace("\\\\", "\\")


def test_hostile_text_stays_in_its_line_of_the_terminal(result: Result) -> None:
    text = rendered(hostile(result), "terminal").decode()
    assert max(map(len, text.splitlines())) <= 80
    assert "two lines and tabs" in text
    assert "[bold red]markup[/]" in text


def test_hostile_labels_are_read_back(result: Result) -> None:
    families = text_string_to_metric_families(rendered(hostile(result), "prometheus").decode())
    scopes = {sample.labels["scope"] for family in families for sample in family.samples if "scope" in sample.labels}
    assert {plain.visible(text) for text in HOSTILE} <= scopes


@given(st.text(max_size=60))
@settings(max_examples=300)
def test_a_line_is_one_line_of_seen_characters(text: str) -> None:
    shown = plain.line(text)
    assert "\n" not in shown
    assert shown.encode().decode() == shown
    assert plain.visible(shown) == shown
    assert len(plain.line(text * 40)) <= plain.LONGEST


def test_no_resource_is_loaded_from_elsewhere(result: Result) -> None:
    text = rendered(result, "html").decode()
    page = Page(text)
    assert not {"link", "iframe", "object", "embed", "form"} & set(page.tags)
    links = [value or "" for name, value in page.attributes if name in {"href", "src", "xlink:href"}]
    assert all(link.startswith("#") for link in links)
    assert not re.search(r"@import|url\((?!#)", text)
