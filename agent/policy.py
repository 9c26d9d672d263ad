"""A YAML file becomes a checked policy.

Everything that can be wrong with a policy is found when it is loaded, before any call is made: its keys, its clause,
its table and columns (with a suggestion), SQL beyond the gate, a result that is not BOOLEAN, an expression that fails
on an ordinary row. What it reads is known from then on.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import duckdb
import msgspec

from agent import gate, registry, sql, sqltypes
from agent.clauses import clauses as known_clauses
from agent.documents import Document, read, suggest
from agent.errors import DocumentError, UsageError
from agent.gate import Catalog, Reads, Refused
from agent.model import Policy

BUILT_IN = Path(__file__).resolve().parent.parent / "policies"
"""Beside the package, in a checkout and in an installed wheel alike."""

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class BoundPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that was checked against the tables, with what it reads and the parameters it is judged with."""

    policy: Policy
    path: str
    text: str
    """The file as it was read: a run keeps it."""
    judged: sql.Judged
    reads: dict[str, tuple[str, ...]]
    """All columns it reads, by table."""
    joined: tuple[str, ...]
    anywhere: tuple[str, ...]
    """Joined tables that it does not hold to the row's own group."""
    params: dict[str, Any]
    names: tuple[str, ...]
    """The `$names` in its SQL: its parameters and perhaps the audit time."""

    @property
    def id(self) -> str:
        """The policy's id."""
        return self.policy.id


@cache
def catalog() -> Catalog:
    """Every table's columns and group, as the gate wants them."""
    columns = {table: frozenset(registry.all_columns(table)) for table in registry.tables()}
    sources = registry.sources()
    groups = {name: (table.source, sources[table.source].group_column) for name, table in registry.tables().items()}
    return Catalog(columns, groups)


class Complaints(Protocol):
    """Who says where a parameter was given: the configuration."""

    def error(self, path: str, problem: str, remedy: str = "") -> UsageError:
        """An error about the key at `path`."""
        ...


def load(
    places: Iterable[Path],
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    given_by: Complaints | None = None,
) -> list[BoundPolicy]:
    """Every policy in these directories and files, by id, with parameters by policy; raises `DocumentError`."""
    paths = [path for place in places for path in _files(place)]
    return bind([(str(path), read(path)) for path in paths], overrides or {}, given_by)


def bind(
    files: Iterable[tuple[str, str]],
    overrides: Mapping[str, Mapping[str, Any]],
    given_by: Complaints | None = None,
) -> list[BoundPolicy]:
    """Check policies given as (name, text); raises `DocumentError` at the first that is wrong."""
    with sample_database() as connection:
        found = [
            _Binder(Document(text, name), name, text, connection, given_by).bind(overrides) for name, text in files
        ]
    return merge(found)


def merge(found: Iterable[BoundPolicy]) -> list[BoundPolicy]:
    """These policies by id; raises `DocumentError` when two have the same."""
    by_id: dict[str, BoundPolicy] = {}
    for policy in found:
        if policy.id in by_id:
            other = by_id[policy.id].path
            raise DocumentError(
                policy.path, f"the id {policy.id} is also that of {other}", key="id", remedy="rename one"
            )
        by_id[policy.id] = policy
    return [by_id[key] for key in sorted(by_id)]


def digest(policies: Iterable[BoundPolicy]) -> str:
    """SHA-256 over the policies' texts and parameters: what a run was judged by."""
    material = [(policy.id, policy.text, policy.params) for policy in policies]
    return hashlib.sha256(msgspec.json.encode(material, order="sorted")).hexdigest()


def _files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise DocumentError(place, "is not a directory of policies", remedy="check the path")
    found = sorted(path for path in place.rglob("*") if path.suffix in (".yaml", ".yml") and path.is_file())
    if not found:
        raise DocumentError(place, "holds no policy", remedy="put *.yaml files there, or take it out of `policies`")
    return found


def sample_database() -> duckdb.DuckDBPyConnection:
    """A locked in-memory database with one ordinary row in every table."""
    connection = duckdb.connect(config={"threads": 1, "memory_limit": "256MB"})
    connection.execute("ATTACH ':memory:' AS evidence")
    connection.execute("USE evidence")
    for table in registry.tables():
        connection.execute(sql.create_table(table, registry.all_columns(table)))
        connection.execute(f"INSERT INTO evidence.{sql.name(table)} BY NAME SELECT {_sample_row(table)}")
    sql.lock(connection)
    return connection


class _Binder:
    """Checks one policy file; each method takes one thing that can be wrong."""

    def __init__(
        self,
        document: Document,
        path: str,
        text: str,
        connection: duckdb.DuckDBPyConnection,
        given_by: Complaints | None,
    ) -> None:
        self.document, self.path, self.text, self.connection = document, path, text, connection
        self.given_by = given_by
        self.policy = document.to(Policy)

    def bind(self, overrides: Mapping[str, Mapping[str, Any]]) -> BoundPolicy:
        policy = self.policy
        self._identity()
        params = {**policy.params, **self._override(overrides.get(policy.id, {}))}
        where = self._reads("where", policy.where) if policy.where else Reads()
        passing = self._reads("pass", policy.pass_)
        if not passing.columns:
            raise self._error("pass", "reads no column", "say what must be true of the row")
        everything = Reads()
        for part in (where, passing, self._reads("reason", policy.reason)):
            everything.merge(part)
        self._unused(everything)
        bound = BoundPolicy(
            policy=policy,
            path=self.path,
            text=self.text,
            judged=sql.Judged(
                id=policy.id,
                table=policy.table,
                where=policy.where,
                pass_=policy.pass_,
                reason=policy.reason,
                where_columns=_sorted(where.columns.get(policy.table, ())),
                columns=_sorted(everything.columns.get(policy.table, ())),
                where_joined=_sorted(where.joined),
            ),
            reads={table: _sorted(columns) for table, columns in sorted(everything.columns.items())},
            joined=_sorted(everything.joined),
            anywhere=_sorted(everything.anywhere),
            params=params,
            names=_sorted(everything.params),
        )
        self._types(bound)
        self._examples()
        return bound

    def _identity(self) -> None:
        policy = self.policy
        if not _ID.fullmatch(policy.id):
            raise self._error("id", f"'{policy.id}' is not lower-case words joined by '-'")
        if Path(self.path).stem != policy.id:
            raise self._error("id", f"'{policy.id}' is not the file's name", f"name the file {policy.id}.yaml")
        if not policy.clauses:
            raise self._error("clauses", "names no clause")
        for index, clause in enumerate(policy.clauses):
            if clause not in known_clauses():
                raise self._error(f"clauses[{index}]", f"there is no clause {clause}", suggest(clause, known_clauses()))
        if policy.table not in registry.tables():
            raise self._error("table", f"there is no table '{policy.table}'", suggest(policy.table, registry.tables()))

    def _override(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        for key, value in given.items():
            path = f"$.params.{self.policy.id}.{key}"
            if key not in self.policy.params:
                raise self._given(path, f"there is no parameter '{key}'", suggest(key, self.policy.params))
            default = self.policy.params[key]
            if type(value) is not type(default):
                raise self._given(path, f"{value!r} is not of the kind that it takes", f"write one such as {default!r}")
        return given

    def _given(self, path: str, problem: str, remedy: str) -> UsageError:
        return self.given_by.error(path, problem, remedy) if self.given_by else self._error("params", problem, remedy)

    def _reads(self, key: str, expression: str) -> Reads:
        try:
            return gate.check(expression, self.policy.table, frozenset(self.policy.params), catalog())
        except Refused as refused:
            raise self._error(key, str(refused)) from None

    def _unused(self, reads: Reads) -> None:
        for name in self.policy.params:
            if name not in reads.params:
                raise self._error(f"params.{name}", "is used nowhere", f"write ${name} in the SQL, or remove it")

    def _types(self, bound: BoundPolicy) -> None:
        """Bind each expression against the declared tables, look at its type, and try the whole on an ordinary row."""
        row = f"evidence.{sql.name(bound.policy.table)} r"
        for key, expression, kind in (
            ("where", bound.policy.where, "BOOLEAN"),
            ("pass", bound.policy.pass_, "BOOLEAN"),
            ("reason", bound.policy.reason, "VARCHAR"),
        ):
            if expression:
                names = self._reads(key, expression).params
                found = self._run(
                    key, f"SELECT typeof(_it) FROM (SELECT (\n{expression}\n) AS _it FROM {row})", bound, names
                )
                if found != kind:
                    remedy = "compare it with something" if kind == "BOOLEAN" else "cast it to VARCHAR"
                    raise self._error(key, f"gives {found}, not {kind}", remedy)
        self._run("pass", sql.judge(bound.judged, sql.Blind(), sql.Blind()), bound, bound.names)

    def _run(self, key: str, statement: str, bound: BoundPolicy, names: Iterable[str]) -> Any:
        values = sql.values(bound.params, names, "2026-01-01T00:00:00Z")
        try:
            row = self.connection.execute(statement, values).fetchone()
            return row[0] if row else None
        except duckdb.Error as error:
            raise self._error(key, f"does not work: {sql.plain(error)}") from None

    def _examples(self) -> None:
        given = {example.expect for example in self.policy.examples}
        for wanted in ("pass", "fail", "unknown"):
            if wanted not in given:
                raise self._error("examples", f"none expects {wanted}", f"add one whose verdict is {wanted}")
        own = registry.all_columns(self.policy.table)
        for index, example in enumerate(self.policy.examples):
            rows = [(self.policy.table, example.given, f"examples[{index}].given")]
            rows += [(t, row, f"examples[{index}].rows.{t}") for t, found in example.rows.items() for row in found]
            for table, row, key in rows:
                self._example_row(table, row, key)
            for column in example.unread:
                if column not in own:
                    raise self._error(
                        f"examples[{index}].unread", f"there is no column '{column}'", suggest(column, own)
                    )

    def _example_row(self, table: str, row: Mapping[str, Any], key: str) -> None:
        if table not in registry.tables():
            raise self._error(key, f"there is no table '{table}'", suggest(table, registry.tables()))
        columns = registry.all_columns(table)
        for column, value in row.items():
            if column not in columns:
                raise self._error(f"{key}.{column}", f"{table} has no column '{column}'", suggest(column, columns))
            try:
                sqltypes.check(columns[column].type, value)
            except msgspec.ValidationError as error:
                raise self._error(f"{key}.{column}", f"is not a {columns[column].type}: {error}") from None

    def _error(self, key: str, problem: str, remedy: str = "") -> DocumentError:
        return self.document.error(f"$.{key}", problem, remedy)


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def _sample_row(table: str) -> str:
    columns = registry.all_columns(table)
    parts = ["'s' AS _scope, 'g' AS _group"]
    parts += [
        f"{sql.literal(sqltypes.sample(column.type), column.type)} AS {sql.name(column.name)}"
        for column in columns.values()
    ]
    return ", ".join(parts)
