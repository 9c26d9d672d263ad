"""Runs Checkov over one directory and says what it found, and what it did not see.

Decisions, each because the code that is audited is not trusted:

- The directory is passed as `--directory=…` in one word and the working directory and home are an empty folder, so
  that Checkov finds no `.checkov.yaml`: such a file can switch checks off and run Python code.
- Its environment holds nothing of ours: no credentials, no keys of its vendor's platform.
- Nothing is downloaded. Modules from elsewhere are therefore not seen, and are reported as not seen.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from agent.errors import Unanswered
from agent.model import Call, GapKind, Json
from collectors.checkov import _report
from collectors.checkov._unseen import unseen

FRAMEWORKS = ("terraform", "terraform_plan", "cloudformation", "kubernetes", "dockerfile", "arm", "bicep")
"""Code that Checkov reads by itself. Not secrets: they must not come into evidence. Not Helm: it needs rendering."""

_OK = (0, 1)
"""1 when a check failed."""
_MODULE = re.compile(r"Failed to download module (?P<module>\S+)")
_SHOWN = 10


class CheckovAnswers:
    """Checkov's results for one directory; meets `agent.model.Answers`."""

    retries = 0

    def __init__(self, command: Path, directory: Path, timeout: int) -> None:
        self._command, self._directory, self._timeout = command, directory.resolve(), timeout

    def items(self, call: Call) -> Iterator[Json]:
        """The results; raises `Unanswered` at the end when not everything was seen."""
        del call
        output, errors = self._run()
        report = _report.read(output, self._directory)
        yield from (msgspec.to_builtins(result) for result in report.results)
        files = sorted({*report.unparsed, *unseen(self._directory)})
        modules = sorted({found["module"] for found in _MODULE.finditer(errors)})
        _require_everything(files, modules)

    def ask(self, call: Call, item: Json) -> Json:
        """Checkov is asked once for all of a directory."""
        raise NotImplementedError(call.name)

    def _run(self) -> tuple[bytes, str]:
        """Standard output and standard error of a run that ended as it should."""
        with tempfile.TemporaryDirectory(prefix="clausule-checkov-") as empty:
            try:
                process = subprocess.Popen(
                    self._arguments(),
                    cwd=empty,
                    env=_environment(empty),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                )
            except OSError as error:
                detail = f"{self._command} cannot be run: {error.strerror}; install it with: clausule checkov install"
                raise Unanswered(GapKind.UNSUPPORTED, detail) from None
            with process:
                output, errors = self._finish(process)
        if process.returncode not in _OK:
            raise Unanswered(GapKind.UNEXPECTED, f"Checkov ended with {process.returncode}: {_last_line(errors)}")
        return output, errors.decode(errors="replace")

    def _finish(self, process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
        try:
            return process.communicate(timeout=self._timeout)
        except subprocess.TimeoutExpired:
            detail = (
                f"Checkov did not end within {self._timeout} s; raise checkov.timeout_seconds or split the directory"
            )
            raise Unanswered(GapKind.TIMEOUT, detail) from None
        finally:
            _stop(process)

    def _arguments(self) -> list[str]:
        fixed = [str(self._command), f"--directory={self._directory}", "--output=json", "--compact", "--skip-download"]
        return [*fixed, "--framework", *FRAMEWORKS]


def _environment(home: str) -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": home, "LANG": "C.UTF-8", "LOG_LEVEL": "WARNING"}


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End Checkov and the workers that it started, if they still run."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def _last_line(errors: bytes) -> str:
    lines = errors.decode(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else "it said nothing"


def _require_everything(files: list[str], modules: list[str]) -> None:
    """Raise for what was not seen; the results so far are kept."""
    parts = []
    if files:
        parts.append(f"{_count(files, 'file')} could not be read as code: {_some(files)}")
    if modules:
        parts.append(f"{_count(modules, 'module')} from elsewhere not scanned: {_some(modules)}")
    if parts:
        remedy = "correct the files, and put modules and rendered templates in the directory"
        raise Unanswered(GapKind.UNREADABLE, f"{'; '.join(parts)}; {remedy}")


def _count(found: list[str], noun: str) -> str:
    return f"{len(found)} {noun}" + ("s" if len(found) > 1 else "")


def _some(names: list[str]) -> str:
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
