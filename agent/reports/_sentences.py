"""The verdict of a run in one sentence, and its denominator in another: the same words in every report for people."""

from __future__ import annotations

from agent.reports._texts import Words
from agent.reports._view import failing_clauses
from agent.result import ClauseState, Result


def verdict_sentence(result: Result, w: Words) -> str:
    """Whether the agreement is kept, as far as this run could see."""
    failing = failing_clauses(result, ClauseState.FAILS)
    unclear = failing_clauses(result, ClauseState.UNKNOWN)
    if result.state is ClauseState.FAILS:
        return w.count("sentence.fails", len(failing), clauses=w.join(failing))
    if result.state is ClauseState.UNKNOWN:
        return w.count("sentence.unknown", len(unclear), clauses=w.join(unclear))
    return w(f"sentence.{result.state}")


def denominator(result: Result, w: Words) -> str:
    """How much of what there was could be assessed, and how much of it was accepted although it fails."""
    counts = result.counts
    parts = [w("sentence.assessed", assessed=counts.assessed, total=counts.total)]
    if counts.unknown:
        parts.append(w.count("sentence.unassessed", counts.unknown))
    if counts.waived:
        parts.append(w.count("sentence.waived", counts.waived))
    return " ".join(parts)
