"""Where an audit is, for whoever wants to show it. Every method does nothing until a subclass draws it."""

from __future__ import annotations

from agent.collect import ScopeRecord
from agent.judge import Outcome


class Steps:
    """Told where an audit is; the command line draws it. `collect.Progress` is its part about scopes."""

    def begin(self, total: int, done: int) -> None:
        """See `collect.Progress.begin`."""

    def working(self, scope: str, table: str, rows: int) -> None:
        """See `collect.Progress.working`."""

    def done(self, record: ScopeRecord) -> None:
        """See `collect.Progress.done`."""

    def judging(self, total: int) -> None:
        """So many policies will be judged."""

    def judged(self, outcome: Outcome) -> None:
        """One policy is judged."""
