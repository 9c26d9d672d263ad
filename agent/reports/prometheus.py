"""The metrics as a text file: for a textfile collector, or to be pushed. `agent/metrics.py` says what they are."""

from __future__ import annotations

from typing import BinaryIO

from agent import metrics
from agent.reports import Format
from agent.result import Result


def render(result: Result, out: BinaryIO, _language: str) -> None:
    """Write the Prometheus text format, which has no language; the same result gives the same bytes."""
    from prometheus_client import generate_latest  # noqa: PLC0415

    out.write(generate_latest(metrics.registry(result)))


FORMAT = Format(name="prometheus", suffix=".prom", title="Metrics as a Prometheus text file", render=render)
