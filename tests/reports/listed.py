"""Findings over a list, for results that are made up."""

from __future__ import annotations

from collections.abc import Iterator

from agent.model import Finding, Verdict


class ListedFindings:
    """Meets `agent.result.Findings`."""

    def __init__(self, findings: list[Finding]) -> None:
        self._findings = findings

    def of(
        self, policy: str, verdicts: frozenset[Verdict] | None = None, limit: int | None = None
    ) -> Iterator[Finding]:
        """See `Findings.of`."""
        chosen = [f for f in self._findings if f.policy == policy and (verdicts is None or f.verdict in verdicts)]
        yield from chosen[:limit]
