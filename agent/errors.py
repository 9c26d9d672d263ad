"""The few exceptions of Clausule, and what each one means.

- `ClausuleError` is what a user can mend: the command line prints its one line and exits with `exit_code`.
  The line names the file, the key or the call, what was expected, and the remedy.
- `Unanswered` never leaves collection: a source raises it when a question to an API was not answered, and the
  collector turns it into a `Gap`. It is not an error of the audit, it is one of its results.

Everything else is a defect: it travels up and is shown with its traceback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.model import GapKind


class ClausuleError(Exception):
    """Something that the user can mend; `str(error)` is one line."""

    exit_code = 3


class UsageError(ClausuleError):
    """Bad use or bad configuration: nothing was started, nothing was written."""

    exit_code = 64


class DocumentError(UsageError):
    """A YAML document (configuration, policy, register) is not what it should be.

    `where` is a file, `line` counts from 1 (0 when unknown), `key` is a dotted path such as `examples[2].expect`.
    """

    def __init__(self, where: object, problem: str, *, line: int = 0, key: str = "", remedy: str = "") -> None:
        place = f"{where}:{line}" if line else str(where)
        text = f"{place}: {key}: {problem}" if key else f"{place}: {problem}"
        super().__init__(f"{text}; {remedy}" if remedy else text)
        self.where, self.line, self.key, self.problem, self.remedy = str(where), line, key, problem, remedy


class AuditError(ClausuleError):
    """The audit could not be done (exit 3): nothing to audit, credentials refused, a store that cannot be written."""


class StoreError(AuditError):
    """A run is missing, incomplete or no longer what its manifest says."""


class Unanswered(Exception):  # noqa: N818 - it is an outcome, not an error
    """An API did not answer a question; becomes a gap."""

    def __init__(self, kind: GapKind, detail: str, *, permission: str = "") -> None:
        super().__init__(detail)
        self.kind, self.detail, self.permission = kind, detail, permission
