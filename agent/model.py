"""The shared words of Clausule, as frozen typed structs. This module imports nothing of ours.

How they hang together: a `Source` (AWS, Kubernetes, Checkov, registers, law) lists its `Scope`s and answers the
`Call`s that fill the `Column`s of its `Table`s. An answer that did not come is a `Gap`. A `Policy` judges the rows
of one table; each row it judges becomes a `Finding` with a `Verdict`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, ClassVar, Literal, Protocol

import msgspec

LANGUAGES = ("nl", "fr", "de", "en")

Json = Any
"""One decoded JSON value as an API returned it; only the function that takes a value out of it handles it."""


class Verdict(StrEnum):
    """What the evidence says of one resource under one policy."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"
    WAIVED = "waived"


class Severity(StrEnum):
    """How much a failure matters, as the policy says."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class GapKind(StrEnum):
    """Why a question was not answered."""

    DENIED = "denied"
    THROTTLED = "throttled"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    TRUNCATED = "truncated"
    UNSUPPORTED = "unsupported"
    UNREADABLE = "unreadable"
    UNEXPECTED = "unexpected"
    NOT_COLLECTED = "not_collected"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One question to an API. Each source subclasses it with what its client needs to ask.

    A table has exactly one call with role `list`, which yields the items that become rows; calls with role `row`
    are asked once for each item. The name is unique within the table and is what plans, gaps and reports show.
    """

    name: str
    role: Literal["list", "row"] = "row"
    permissions: tuple[str, ...] = ()
    """What must be granted for it, in the words of the source: `s3:GetEncryptionConfiguration`, `/nodes:list`."""
    when: str = ""
    """JMESPath over the list item; where it is false or empty the call is not asked and its columns are NULL."""


Extract = str | Callable[[Json], Json]


class Column(msgspec.Struct, frozen=True):
    """One fact about a resource: its SQL type, one sentence, the call that fills it and how.

    `value` is a JMESPath over the call's response (for the list call: over the item), or a small pure function of it.
    """

    name: str
    type: str
    description: str
    call: str
    value: Extract


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Which columns say where a resource's data is, so that the table joins the list of locations."""

    columns: tuple[str, ...]
    """Columns with a place's code, the most specific first: a zone before its region."""
    provider: str = ""
    """Whose codes they are, as in `law_place`: `aws`, `azure`, `gcp` …"""
    provider_column: str = ""
    """The column that says it, where it differs by row."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one kind of resource. Declared in one module, as its constant `TABLE`."""

    name: str
    source: str
    scope: str
    """The kind of scope that it is collected in: `account`, `region`, `cluster`, `directory` …"""
    key: str
    """The column that names the resource; unique within a scope group."""
    description: str
    calls: tuple[Call, ...]
    columns: tuple[Column, ...]
    place: Place | None = None
    """Where the data of a row is; None for what holds no data."""

    @property
    def list_call(self) -> Call:
        """The call that yields the rows."""
        return next(call for call in self.calls if call.role == "list")

    def column(self, name: str) -> Column:
        """The column of that name; KeyError if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def call(self, name: str) -> Call:
        """The call of that name; KeyError if there is none."""
        for call in self.calls:
            if call.name == name:
                return call
        raise KeyError(name)


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the estate that is collected by itself and committed at once."""

    source: str
    kind: str
    group: str
    """The account, cluster, directory or file that it belongs to: gaps spread to policies within a group."""
    name: str
    """Unique in a run: `aws/123456789012/eu-west-1`."""
    labels: dict[str, str] = {}
    """Values of the source's scope columns, put into every row: `{"account_id": …, "region": …}`."""


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Something that could not be seen. Never an empty list, never a default."""

    source: str
    scope: str
    group: str
    table: str
    columns: tuple[str, ...] = ()
    """The columns that stay unread; empty when the table's rows themselves could not (all) be listed."""
    resource: str = ""
    call: str
    kind: GapKind
    detail: str
    permission: str = ""
    at: str
    """When, RFC 3339 in UTC."""


class Discovery(msgspec.Struct, frozen=True, kw_only=True):
    """What a source would look at: its scopes, and those kinds of scope that it could not list."""

    scopes: tuple[Scope, ...]
    unlisted: tuple[UnlistedScopes, ...] = ()


class UnlistedScopes(msgspec.Struct, frozen=True, kw_only=True):
    """Scopes that exist or may exist but were not reached; every planned table of that kind gets a gap."""

    kind: str
    group: str
    name: str
    call: str
    gap: GapKind
    detail: str
    permission: str = ""


class Answers(Protocol):
    """One scope's API client. Both methods raise `Unanswered`; `ask` may be called from several threads."""

    @property
    def retries(self) -> int:
        """How often a question was asked again so far."""
        ...

    def items(self, call: Call) -> Iterator[Json]:
        """The items of a list call, page after page; raising midway keeps those so far and marks the rest unseen."""
        ...

    def ask(self, call: Call, item: Json) -> Json:
        """The response of a row call for one item."""
        ...


class Source(Protocol):
    """Something that has scopes and tables; a folder under `collectors/` exports one as `SOURCE`."""

    name: ClassVar[str]
    title: ClassVar[str]
    """As people write it: `AWS`, `Kubernetes`."""
    group_column: ClassVar[str]
    """The scope column that holds the group: `account_id`, `cluster`."""
    scope_columns: ClassVar[Mapping[str, Mapping[str, str]]]
    """Per kind of scope, the columns that every row gets from its scope, with one sentence each."""
    Settings: ClassVar[type[msgspec.Struct]]
    """Its section of `clausule.yaml`."""
    discovery: ClassVar[Mapping[str, tuple[Call, ...]]]
    """Per kind of scope, the calls that list the scopes: their permissions belong to every plan that needs the kind."""
    typical_scopes: ClassVar[Mapping[str, int]]
    """Per kind of scope, how many an ordinary estate has where that is not one; for estimates only."""

    def __init__(self, settings: Any, audit_time: str) -> None: ...

    def discover(self, kinds: frozenset[str]) -> Discovery:
        """The scopes of these kinds, cheaply; raises `ClausuleError` when the source cannot be used at all."""
        ...

    def answers(self, scope: Scope) -> Answers:
        """A client for one scope."""
        ...


class Example(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One worked case of a policy, run as its test: the columns given, those unread, the verdict expected."""

    name: str
    expect: Literal["pass", "fail", "unknown", "not_selected"]
    given: dict[str, Any] = {}
    unread: tuple[str, ...] = ()
    rows: dict[str, tuple[dict[str, Any], ...]] = {}
    """Rows of joined tables."""
    gaps: tuple[str, ...] = ()
    """Joined tables with a gap in the same group."""
    params: dict[str, Any] = {}
    at: str = ""
    """Audit time, RFC 3339; by default 2026-01-01T00:00:00Z."""


class Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One text in the four languages of the reports."""

    nl: str
    fr: str
    de: str
    en: str

    def of(self, language: str) -> str:
        """The text in a language of `LANGUAGES`."""
        text: str = getattr(self, language)
        return text


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"pass_": "pass"}):
    """One control: a boolean SQL expression over one table, with everything an auditor wants to know of it.

    The YAML file has exactly these keys; `docs/policies.md` explains them.
    """

    id: str
    clauses: tuple[str, ...]
    severity: Severity
    table: str
    pass_: str
    reason: str
    title: Texts
    remedy: Texts
    examples: tuple[Example, ...]
    where: str = ""
    params: dict[str, Any] = {}
    references: dict[str, tuple[str, ...]] = {}
    note: Texts | None = None
    """What a reader should know: where standards pull against each other, what a lawyer must confirm."""


class Waiver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A failure that someone accepted until a date; it turns `fail` into `waived`, never `unknown`."""

    policy: str
    resource: str
    """A resource, or a shell pattern such as `arn:aws:s3:::logs-*`."""
    reason: str
    approver: str
    expires: str
    """The last day it counts, YYYY-MM-DD."""
    group: str = ""
    """The account, cluster or directory that it is for; without one it is for all of them."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What one policy says of one resource, or of one scope that could not be listed."""

    id: str
    policy: str
    clauses: tuple[str, ...]
    severity: Severity
    verdict: Verdict
    resource: str
    """The row's key; empty when the finding is about a whole scope."""
    scope: str
    group: str
    table: str
    reason: str
    evidence: dict[str, Any]
    """The columns that the policy read, as they were."""
    read_at: str
    calls: tuple[str, ...]
    """The calls that filled them."""
    digest: str
    """SHA-256 of the responses that the row was made from."""
