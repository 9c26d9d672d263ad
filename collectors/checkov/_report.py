"""Checkov's JSON becomes results: only what the table holds, never code or the values in it.

Checkov prints a list when several kinds of code were found, one report when one was, and bare counts when none was.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from agent.errors import Unanswered
from agent.model import GapKind

Outcome = Literal["passed", "failed", "skipped"]


class _CheckResult(msgspec.Struct, frozen=True):
    suppress_comment: str | None = None


class _Check(msgspec.Struct, frozen=True, kw_only=True):
    check_id: str
    check_name: str | None = None
    resource: str
    file_path: str
    file_abs_path: str = ""
    file_line_range: tuple[int, int] | None = None
    check_result: _CheckResult = _CheckResult()


class _Results(msgspec.Struct, frozen=True, kw_only=True):
    passed_checks: tuple[_Check, ...]
    failed_checks: tuple[_Check, ...]
    skipped_checks: tuple[_Check, ...]
    parsing_errors: tuple[str, ...]


class _Framework(msgspec.Struct, frozen=True, kw_only=True):
    check_type: str
    results: _Results


class _Nothing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is printed when no code was found."""

    passed: Literal[0]
    failed: Literal[0]
    skipped: Literal[0]
    parsing_errors: Literal[0]
    resource_count: Literal[0]
    checkov_version: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One check of one resource."""

    id: str
    check_id: str
    check_name: str
    result: Outcome
    resource: str
    resource_type: str
    file_path: str
    line_start: int | None
    line_end: int | None
    framework: str
    suppress_comment: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one run of Checkov said."""

    results: tuple[Result, ...]
    unparsed: tuple[str, ...]
    """Files that it could not read, relative to the directory."""


def read(output: bytes, directory: Path) -> Report:
    """The report in Checkov's output; raises `Unanswered` when that is something else."""
    try:
        frameworks = _frameworks(output)
    except msgspec.DecodeError as error:
        detail = f"Checkov's output is not a report that is known: {error}"
        raise Unanswered(GapKind.UNEXPECTED, detail) from None
    results = sorted(
        (result for framework in frameworks for result in _results(framework, directory)),
        key=lambda found: (found.id, found.line_start or 0, found.line_end or 0, found.result),
    )
    unparsed = {_relative(path, directory) for framework in frameworks for path in framework.results.parsing_errors}
    return Report(results=tuple(_distinct(results)), unparsed=tuple(sorted(unparsed)))


def _frameworks(output: bytes) -> tuple[_Framework, ...]:
    if output.lstrip().startswith(b"["):
        return msgspec.json.decode(output, type=tuple[_Framework, ...])
    try:
        msgspec.json.decode(output, type=_Nothing)
    except msgspec.ValidationError:
        return (msgspec.json.decode(output, type=_Framework),)
    return ()


def _results(framework: _Framework, directory: Path) -> Iterator[Result]:
    found = framework.results
    by_outcome: dict[Outcome, tuple[_Check, ...]] = {
        "passed": found.passed_checks,
        "failed": found.failed_checks,
        "skipped": found.skipped_checks,
    }
    for outcome, checks in by_outcome.items():
        for check in checks:
            file = _relative(check.file_abs_path or check.file_path, directory)
            first, last = check.file_line_range or (None, None)
            yield Result(
                id=f"{check.check_id}:{file}:{check.resource}",
                check_id=check.check_id,
                check_name=check.check_name or "",
                result=outcome,
                resource=check.resource,
                resource_type=_type(framework.check_type, check.resource),
                file_path=file,
                line_start=first,
                line_end=last,
                framework=framework.check_type,
                suppress_comment=(check.check_result.suppress_comment or "").strip(),
            )


def _relative(path: str, directory: Path) -> str:
    """The path from the directory on."""
    return str(Path(path).relative_to(directory)) if Path(path).is_relative_to(directory) else path.lstrip("/")


def _type(framework: str, resource: str) -> str:
    """The type in a resource's address: `module.x.aws_s3_bucket.b`, `Pod.default.web`, `AWS::S3::Bucket.Logs`."""
    parts = resource.split(".")
    if not framework.startswith("terraform"):
        return parts[0]
    while len(parts) > 2 and parts[0] == "module":  # noqa: PLR2004 - `module` and its name
        parts = parts[2:]
    return ".".join(parts[:2]) if parts[0] == "data" else parts[0]


def _distinct(results: list[Result]) -> Iterator[Result]:
    """Number those that share an id: one address can be declared twice in a file."""
    seen: dict[str, int] = {}
    for result in results:
        seen[result.id] = seen.get(result.id, 0) + 1
        count = seen[result.id]
        yield result if count == 1 else msgspec.structs.replace(result, id=f"{result.id}#{count}")
