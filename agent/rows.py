"""One API item becomes one evidence row, with what could not be read of it.

Only the planned columns are kept. A value that is not of its column's type is a gap, not a row that breaks later.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from functools import cache
from typing import Any

import jmespath
import msgspec

from agent import sqltypes
from agent.errors import Unanswered
from agent.model import Answers, Call, Column, Extract, Gap, GapKind, Json, Scope
from agent.plan import TablePlan

log = logging.getLogger("clausule.collect")


class Row(msgspec.Struct, frozen=True):
    """An evidence row as it is written, and the gaps met on the way."""

    fields: dict[str, Any]
    gaps: tuple[Gap, ...]
    calls: int


@cache
def _search(expression: str) -> Callable[[Json], Json]:
    found: Callable[[Json], Json] = jmespath.compile(expression).search
    return found


def _extract(how: Extract) -> Callable[[Json], Json]:
    return _search(how) if isinstance(how, str) else how


class RowMaker:
    """Makes the rows of one table in one scope."""

    def __init__(self, plan: TablePlan, scope: Scope, answers: Answers, now: Callable[[], str]) -> None:
        table = plan.declared()
        columns = [table.column(name) for name in plan.columns]
        self._plan, self._scope, self._answers, self._now = plan, scope, answers, now
        self._table, self._key = table, table.key
        self._row_calls = plan.row_calls()
        self._by_call = {name: [column for column in columns if column.call == name] for name in plan.calls}

    def make(self, item: Json) -> Row:
        """The row of one item of the list call."""
        values: dict[str, Any] = dict(self._scope.labels)
        unread: dict[str, Unanswered] = {}
        responses = [item]
        self._fill(self._table.list_call, item, values, unread)
        asked = 0
        for call in self._row_calls:
            if call.when and not _search(call.when)(item):
                values.update({column.name: None for column in self._by_call[call.name]})
                continue
            asked += 1
            response = self._ask(call, item, unread)
            if response is not None:
                responses.append(response)
                self._fill(call, response, values, unread)
        resource = str(values.get(self._key) or "")
        internal = {
            "_scope": self._scope.name,
            "_group": self._scope.group,
            "_unread": sorted(unread) or None,
            "_read_at": self._now(),
            "_digest": hashlib.sha256(msgspec.json.encode(responses, order="sorted")).hexdigest(),
        }
        return Row(internal | values, self._gaps(unread, resource), asked)

    def _ask(self, call: Call, item: Json, unread: dict[str, Unanswered]) -> Json:
        try:
            response = self._answers.ask(call, item)
            if response is not None:
                return response
            problem = Unanswered(GapKind.UNEXPECTED, f"asking {call.name}: there was no answer")
        except Unanswered as gap:
            problem = gap
        except Exception as error:  # noqa: BLE001 - one defect in a source must not end the audit: it becomes a gap
            problem = unexpected(error, f"asking {call.name}")
        unread.update({column.name: problem for column in self._by_call[call.name]})
        return None

    def _fill(self, call: Call, response: Json, values: dict[str, Any], unread: dict[str, Unanswered]) -> None:
        for column in self._by_call[call.name]:
            try:
                values[column.name] = _value(column, response)
            except Exception as error:  # noqa: BLE001 - a shape that the column's function did not foresee
                unread[column.name] = unexpected(error, f"{self._table.name}.{column.name} of {call.name}")

    def _gaps(self, unread: dict[str, Unanswered], resource: str) -> tuple[Gap, ...]:
        by_problem: dict[tuple[str, int], list[str]] = {}
        for column, problem in unread.items():
            by_problem.setdefault((self._table.column(column).call, id(problem)), []).append(column)
        problems = {id(problem): problem for problem in unread.values()}
        return tuple(
            make_gap(problems[key], self._plan, self._scope, call, self._now(), tuple(sorted(columns)), resource)
            for (call, key), columns in sorted(by_problem.items(), key=lambda entry: entry[1])
        )


def _value(column: Column, response: Json) -> Any:
    value = _extract(column.value)(response)
    sqltypes.check(column.type, value)
    return value


def unexpected(error: Exception, doing: str) -> Unanswered:
    """A gap for something nobody foresaw; the log has the traceback, the evidence only the kind of error."""
    log.warning("unexpected answer while %s: %s", doing, type(error).__name__, exc_info=log.isEnabledFor(logging.DEBUG))
    return Unanswered(GapKind.UNEXPECTED, f"{doing}: {type(error).__name__}")


def make_gap(
    problem: Unanswered,
    plan: TablePlan,
    scope: Scope,
    call: str,
    at: str,
    columns: tuple[str, ...] = (),
    resource: str = "",
) -> Gap:
    """The gap that an unanswered question leaves."""
    log.info("gap in %s: %s %s: %s", scope.name, call, resource, problem.detail)
    return Gap(
        source=plan.source,
        scope=scope.name,
        group=scope.group,
        table=plan.table,
        columns=columns,
        resource=resource,
        call=call,
        kind=problem.kind,
        detail=problem.detail,
        permission=problem.permission,
        at=at,
    )
