"""The gate: which SQL a policy may contain, and what it reads.

A policy's expression is parsed by DuckDB itself and its tree is walked against an allow-list: node classes,
operators, functions, cast types, tables and columns. What is not named here is refused, so a new DuckDB feature is
closed until someone opens it. The walk also says which columns of which tables are read, which is what the plan and
the rule "no evidence, no pass" stand on. It is one of three walls: the engine also runs a policy in a locked database
and in a process with memory and time limits.

Left out on purpose: clocks (`now`, `current_date`, one-argument `age`), randomness, aggregates whose answer depends on
row order (`any_value`, `first`, `list`), functions whose nesting multiplies a text (`replace`, `repeat`, `lpad`), set
operations, CTEs, LIMIT and window functions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import duckdb

from agent.documents import suggest
from agent.sql import AUDIT_TIME

MAX_LENGTH = 4000
MAX_DEPTH = 60
ROW = "r"

Node = Mapping[str, Any]
_ALIAS = re.compile(r"[a-z][a-z0-9_]*")

FUNCTIONS = frozenset(
    # operators that the parser writes as functions: LIKE is ~~, ILIKE is ~~*
    "+ - * / // % || ~~ !~~ ~~* !~~* "
    "abs ceil floor round trunc least greatest "
    "concat contains ends_with length len lower regexp_matches split_part starts_with string_split trim upper "
    "array_to_string cardinality element_at list_contains list_has_all list_has_any list_value map_contains map_keys "
    "date_diff date_part date_trunc strftime to_days to_hours to_minutes to_months to_seconds to_weeks to_years "
    "bool_and bool_or count count_star max min sum".split()
)
OPERATORS = frozenset(
    "OPERATOR_NOT OPERATOR_IS_NULL OPERATOR_IS_NOT_NULL OPERATOR_COALESCE OPERATOR_NULLIF COMPARE_IN COMPARE_NOT_IN "
    "ARRAY_EXTRACT STRUCT_EXTRACT".split()
)
CASTS = frozenset("BIGINT BOOLEAN DATE DOUBLE INTEGER INTERVAL TIMESTAMP VARCHAR".split())
CLASSES = frozenset(
    "BETWEEN CASE CAST COLUMN_REF COMPARISON CONJUNCTION CONSTANT FUNCTION OPERATOR PARAMETER SUBQUERY".split()
)
LITERALS = frozenset("STRING INTEGER DECIMAL FLOAT BOOLEAN NULL_LITERAL".split())
JOINS = frozenset("INNER LEFT".split())


class Refused(Exception):  # noqa: N818 - the gate's answer, turned into a document error by the policy loader
    """The expression is not allowed; the text says what and, where it can, what to write instead."""


@dataclass
class Reads:
    """What an expression reads."""

    columns: dict[str, set[str]] = field(default_factory=dict)
    """Columns by table, the policy's own table included."""
    joined: set[str] = field(default_factory=set)
    """Tables in subqueries."""
    anywhere: set[str] = field(default_factory=set)
    """Of those, the tables that some subquery does not hold to the row's own account or cluster."""
    params: set[str] = field(default_factory=set)

    def add(self, table: str, column: str) -> None:
        """Note that a column is read."""
        self.columns.setdefault(table, set()).add(column)

    def merge(self, other: Reads) -> None:
        """Take up what another expression of the same policy reads."""
        for table, columns in other.columns.items():
            self.columns.setdefault(table, set()).update(columns)
        self.joined |= other.joined
        self.anywhere |= other.anywhere
        self.params |= other.params


@dataclass(frozen=True)
class Catalog:
    """The tables a policy may name: the columns of each and the column that holds its group."""

    columns: Mapping[str, frozenset[str]]
    groups: Mapping[str, tuple[str, str]]
    """table -> (source, group column)"""


def check(expression: str, table: str, params: frozenset[str], catalog: Catalog) -> Reads:
    """What `expression` over `table` reads; raises `Refused`."""
    if len(expression) > MAX_LENGTH:
        raise Refused(f"is longer than {MAX_LENGTH} characters")
    statement = _parse(f"SELECT (\n{expression}\n)")
    walk = _Walk(table, params, catalog)
    walk.outer(statement)
    return walk.reads


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    """An empty database that only parses; opening one costs more than parsing a hundred policies."""
    return duckdb.connect(config={"threads": 1})


def _parse(sql: str) -> Node:
    row = _parser().cursor().execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchone()
    try:
        tree: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
    except RecursionError:
        raise Refused(f"is nested deeper than {MAX_DEPTH}") from None
    if tree["error"]:
        detail = " ".join(str(tree.get("error_message", "")).split())
        raise Refused(
            "must be one boolean expression"
            if tree.get("error_type") == "not implemented"
            else f"does not parse: {detail}"
        )
    if len(tree["statements"]) != 1:
        raise Refused("must be one expression")
    node: Node = tree["statements"][0]["node"]
    return node


class _Walk:
    def __init__(self, table: str, params: frozenset[str], catalog: Catalog) -> None:
        self.reads = Reads()
        self._catalog, self._params, self._table = catalog, params, table
        self._aliases: list[dict[str, str]] = [{ROW: table}]
        self._depth = 0
        self._handlers: dict[str, Callable[[Node], None]] = {
            "BETWEEN": self._between,
            "CASE": self._case,
            "CAST": self._cast,
            "COLUMN_REF": self._column,
            "COMPARISON": self._comparison,
            "CONJUNCTION": self._children,
            "CONSTANT": self._constant,
            "FUNCTION": self._function,
            "OPERATOR": self._operator,
            "PARAMETER": self._parameter,
            "SUBQUERY": self._subquery,
        }

    def outer(self, node: Node) -> None:
        """The wrapper `SELECT (expression)`: anything around the expression is an escape attempt."""
        self._plain_select(node)
        if node["from_table"]["type"] != "EMPTY" or node["where_clause"] is not None:
            raise Refused("must be one expression, without FROM")
        self._expression(node["select_list"][0])

    def _plain_select(self, node: Node) -> None:
        if node["type"] != "SELECT_NODE":
            raise Refused("may not combine queries")
        if node["cte_map"]["map"]:
            raise Refused("may not use WITH")
        extras = ("modifiers", "group_expressions", "group_sets", "having", "sample", "qualify")
        if any(node[extra] for extra in extras) or node["aggregate_handling"] != "STANDARD_HANDLING":
            raise Refused("may not use ORDER BY, LIMIT, DISTINCT, GROUP BY, HAVING, QUALIFY or SAMPLE")
        if len(node["select_list"]) != 1:
            raise Refused("a query in it selects exactly one thing")

    def _expression(self, node: Node) -> None:
        handler = self._handlers.get(node["class"])
        if handler is None:
            raise Refused(f"may not use {node['class'].lower().replace('_', ' ')}")
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Refused(f"is nested deeper than {MAX_DEPTH}")
        handler(node)
        self._depth -= 1

    def _children(self, node: Node) -> None:
        for child in node["children"]:
            self._expression(child)

    def _between(self, node: Node) -> None:
        for part in ("input", "lower", "upper"):
            self._expression(node[part])

    def _case(self, node: Node) -> None:
        for branch in node["case_checks"]:
            self._expression(branch["when_expr"])
            self._expression(branch["then_expr"])
        self._expression(node["else_expr"])

    def _cast(self, node: Node) -> None:
        kind = node["type_expr"]
        if kind.get("type_name", "").upper() not in CASTS or kind.get("children") or kind.get("schema"):
            raise Refused(
                f"may not cast to {kind.get('type_name', 'that type')}; use one of {', '.join(sorted(CASTS))}"
            )
        self._expression(node["child"])

    def _comparison(self, node: Node) -> None:
        self._expression(node["left"])
        self._expression(node["right"])

    def _constant(self, node: Node) -> None:
        if node["literal"]["kind"] not in LITERALS:
            raise Refused(f"may not use a literal of kind {node['literal']['kind'].lower()}")

    def _operator(self, node: Node) -> None:
        if node["type"] not in OPERATORS:
            raise Refused(f"may not use {node['type'].lower()}")
        self._children(node)

    def _parameter(self, node: Node) -> None:
        name = node["identifier"]
        if name != AUDIT_TIME and name not in self._params:
            raise Refused(f"uses ${name}, which is not in params; {suggest(name, {*self._params, AUDIT_TIME})}")
        self.reads.params.add(name)

    def _function(self, node: Node) -> None:
        name = node["function_name"].lower()
        if name not in FUNCTIONS or node["schema"] or node["catalog"]:
            raise Refused(f"may not call {name}; {suggest(name, FUNCTIONS)}".rstrip("; "))
        if node["order_bys"]["orders"] or node["export_state"]:
            raise Refused(f"may not order within {name}")
        if node["filter"] is not None:
            self._expression(node["filter"])
        for argument in node["arguments"]:
            self._expression(argument["expression"])

    def _column(self, node: Node) -> None:
        names = node["column_names"]
        for scope in reversed(self._aliases):
            if names[0] in scope:
                self._qualified(scope[names[0]], names)
                return
        if len(self._aliases) > 1:
            raise Refused(
                f"says {'.'.join(names)} inside a subquery; write which table it is of, such as {ROW}.{names[0]}"
            )
        self._read(self._table, names[0])

    def _qualified(self, table: str, names: list[str]) -> None:
        if len(names) == 1:
            raise Refused(f"uses the whole row {names[0]}; name a column")
        if table:  # what unnest gave has no declared columns
            self._read(table, names[1])

    def _read(self, table: str, column: str) -> None:
        known = self._catalog.columns[table]
        if column not in known:
            raise Refused(f"{table} has no column '{column}'; {suggest(column, known)}".rstrip("; "))
        self.reads.add(table, column)

    def _subquery(self, node: Node) -> None:
        if node["child"] is not None:
            self._expression(node["child"])
        select = node["subquery"]["node"]
        self._plain_select(select)
        self._aliases.append({})
        self._from(select["from_table"])
        if select["where_clause"] is not None:
            self._expression(select["where_clause"])
        self._expression(select["select_list"][0])
        self._note_groups(_conjuncts(select["where_clause"]))
        self._aliases.pop()

    def _from(self, node: Node) -> None:
        if node["sample"]:
            raise Refused("may not use SAMPLE")
        if node["type"] == "BASE_TABLE":
            self._base_table(node)
        elif node["type"] == "TABLE_FUNCTION":
            self._unnest(node)
        elif node["type"] == "JOIN":
            self._join(node)
        else:
            raise Refused("a subquery in it reads from one table or a join of tables")

    def _base_table(self, node: Node) -> None:
        name = node["table_name"]
        if name not in self._catalog.columns or len(node["qualified_name"]["path"]) != 1:
            raise Refused(
                f"reads from '{name}', which is not a table; {suggest(name, self._catalog.columns)}".rstrip("; ")
            )
        if node["column_name_alias"] or node["at_clause"]:
            raise Refused("may not rename columns in FROM")
        self._alias(node["alias"] or name, name)
        self.reads.joined.add(name)
        self.reads.columns.setdefault(name, set())

    def _unnest(self, node: Node) -> None:
        function = node["function"]
        arguments = function["arguments"]
        if (
            function["function_name"] != "unnest"
            or len(arguments) != 1
            or node["with_ordinality"] != "WITHOUT_ORDINALITY"
        ):
            raise Refused(f"may not read from {function['function_name']}()")
        if arguments[0]["expression"]["class"] != "COLUMN_REF":
            raise Refused("may only unnest a column")
        self._expression(arguments[0]["expression"])
        if not all(map(_ALIAS.fullmatch, node["column_name_alias"])):
            raise Refused("names a column of unnest not in lower case; choose another")
        self._alias(node["alias"], "")

    def _join(self, node: Node) -> None:
        self._from(node["left"])
        self._from(node["right"])
        if node["using_columns"] or node["join_type"] not in JOINS:
            raise Refused("may only use JOIN … ON and LEFT JOIN … ON")
        if node["condition"] is not None:
            self._expression(node["condition"])
        elif node["right"]["type"] != "TABLE_FUNCTION":
            raise Refused("joins without a condition; add ON")

    def _alias(self, alias: str, table: str) -> None:
        if not _ALIAS.fullmatch(alias) or any(alias in scope for scope in self._aliases):  # DuckDB's ignore case
            raise Refused(f"uses the alias '{alias}' twice, without a name or not in lower case; choose another")
        self._aliases[-1][alias] = table

    def _note_groups(self, conjuncts: list[Node]) -> None:
        """Tables of this subquery that its WHERE does not hold to the row's own group are read anywhere."""
        for alias, table in self._aliases[-1].items():
            if table and not any(self._same_group(alias, table, conjunct) for conjunct in conjuncts):
                self.reads.anywhere.add(table)

    def _same_group(self, alias: str, table: str, node: Node) -> bool:
        if node["class"] != "COMPARISON" or node["type"] != "COMPARE_EQUAL":
            return False
        source, column = self._catalog.groups[table]
        own_source, own_column = self._catalog.groups[self._table]
        sides = [side.get("column_names") for side in (node["left"], node["right"])]
        return source == own_source and [alias, column] in sides and [ROW, own_column] in sides


def _conjuncts(node: Node | None) -> list[Node]:
    if node is None:
        return []
    if node["class"] == "CONJUNCTION" and node["type"] == "CONJUNCTION_AND":
        return [part for child in node["children"] for part in _conjuncts(child)]
    return [node]
