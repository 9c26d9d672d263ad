"""What a person sees while an audit runs: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import Self

import click

from agent.collect import ScopeRecord
from agent.judge import Outcome
from agent.steps import Steps


def steps(*, quiet: bool, bar: bool) -> SilentSteps:
    """The right kind for this terminal."""
    if quiet:
        return SilentSteps()
    return BarSteps() if bar and sys.stderr.isatty() and "CI" not in os.environ else LineSteps()


class SilentSteps(Steps):
    """Says nothing; the base of the others."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to put away."""


class LineSteps(SilentSteps):
    """A line for each scope."""

    def __init__(self) -> None:
        self._total = self._done = 0

    def begin(self, total: int, done: int) -> None:
        """See `Steps.begin`."""
        self._total, self._done = total, done
        again = f", {done} done before" if done else ""
        self._say(f"collecting {total} scopes{again}")

    def done(self, record: ScopeRecord) -> None:
        """See `Steps.done`."""
        self._done += 1
        self._say(f"[{self._done}/{self._total}] {summary(record)}")

    def judging(self, total: int) -> None:
        """See `Steps.judging`."""
        self._say(f"judging {total} policies")

    def judged(self, outcome: Outcome) -> None:
        """See `Steps.judged`."""
        if outcome.error:
            self._say(f"policy {outcome.policy}: {outcome.error}")

    def _say(self, text: str) -> None:
        click.echo(text, err=True)


class BarSteps(SilentSteps):
    """A progress bar, with the scope that was last worked on."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        what = TextColumn("{task.fields[what]}")
        self._bar = Progress(*columns, what, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("finding scopes", total=None, what="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        self._bar.stop()

    def begin(self, total: int, done: int) -> None:
        """See `Steps.begin`."""
        self._bar.update(self._task, description="collecting", total=total, completed=done)

    def working(self, scope: str, table: str, rows: int) -> None:
        """See `Steps.working`."""
        self._bar.update(self._task, what=f"{scope} {table} {rows}")

    def done(self, record: ScopeRecord) -> None:
        """See `Steps.done`."""
        self._bar.update(self._task, advance=1, what=summary(record))

    def judging(self, total: int) -> None:
        """See `Steps.judging`."""
        self._bar.update(self._task, description="judging", total=total, completed=0, what="")

    def judged(self, outcome: Outcome) -> None:
        """See `Steps.judged`."""
        self._bar.update(self._task, advance=1, what=outcome.policy)


def summary(record: ScopeRecord) -> str:
    """A scope's outcome in a few words."""
    rows = sum(segment.rows for segment in record.segments)
    gaps = f", {len(record.gaps)} gaps" if record.gaps else ""
    return f"{record.scope.name}: {rows} rows, {record.calls} calls{gaps}"
