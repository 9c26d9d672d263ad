"""The JSON report, for programs: everything that the run found, in all four languages at once.

The head is indented for people; after it comes one finding on each line, written as it is read, so that a million
findings never sit in memory. `_document.py` says what the keys mean; `docs/json-report.md` explains them.
"""

from __future__ import annotations

from typing import BinaryIO

import msgspec

from agent.reports import Format
from agent.reports._document import head
from agent.result import Result


def render(result: Result, out: BinaryIO, _language: str) -> None:
    """Write the report, which carries every language; the same result gives the same bytes."""
    encoder = msgspec.json.Encoder(order="deterministic")
    opening = msgspec.json.format(encoder.encode(head(result)), indent=2)
    out.write(opening.removesuffix(b"\n}"))
    out.write(b',\n  "findings": [')
    separator = b"\n    "
    for outcome in result.policies:
        for finding in result.findings.of(outcome.policy.id):
            out.write(separator + encoder.encode(finding))
            separator = b",\n    "
    out.write(b"\n  ]\n}\n")


FORMAT = Format(name="json", suffix=".json", title="Everything, for programs (documented schema)", render=render)
