"""Checkov's own Python environment: it pins an old boto3 that lacks current regions, so it cannot live in ours.

The environment is named after the digest of its lock file, so a new lock makes a new one. A marker written last says
that it is whole; what has no marker, or one of another lock, was interrupted or is outdated and is made anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.errors import AuditError

LOCK = Path(__file__).with_name("requirements.lock")
HOME_VARIABLE = "CLAUSULE_CHECKOV_HOME"

_MARKER = "clausule-complete"


def home() -> Path:
    """Where the environment is or will be: `$CLAUSULE_CHECKOV_HOME`, or a folder of the user's cache."""
    chosen = os.environ.get(HOME_VARIABLE)
    if chosen:
        return Path(chosen)
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "clausule" / f"checkov-{_lock_digest()[:12]}"


def find() -> Path | None:
    """The `checkov` command of the environment; None where it is not installed, or not as the lock says."""
    try:
        whole = (home() / _MARKER).read_text(encoding="ascii") == _lock_digest()
    except (OSError, UnicodeDecodeError):
        return None
    command = home() / "bin" / "checkov"
    return command if whole and os.access(command, os.X_OK) else None


def install(progress: Callable[[str], None]) -> Path:
    """Make the environment unless it is there, telling each step; returns its command, raises `AuditError`."""
    folder = home()
    found = find()
    if found:  # also on a read-only file system
        return found
    with _alone(folder):
        found = find()
        if found:
            return found
        shutil.rmtree(folder, ignore_errors=True)
        for step, command in _steps(folder):
            progress(step)
            _run(command)
        (folder / _MARKER).write_text(_lock_digest(), encoding="ascii")
    found = find()
    if found is None:
        raise AuditError(
            f"Checkov was installed into {folder}, but its command is not there; see its requirements.lock"
        )
    return found


def _lock_digest() -> str:
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()


def _steps(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """What to tell and what to run; uv where it is at hand, because it is several times faster than pip."""
    python, uv = str(folder / "bin" / "python"), _uv()
    making = f"Making an environment for Checkov in {folder}"
    filling = "Installing Checkov and what it needs, pinned by hash (about 300 MB)"
    if uv:
        yield making, [uv, "venv", "--quiet", "--python", sys.executable, str(folder)]
        yield filling, [uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", str(LOCK)]
    else:
        yield making, [sys.executable, "-m", "venv", str(folder)]
        pip = [python, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
        yield filling, [*pip, "--require-hashes", "-r", str(LOCK)]


def _uv() -> str | None:
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if os.access(beside, os.X_OK) else shutil.which("uv")


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        last = said[-1] if said else f"{command[0]} ended with {done.returncode}"
        raise AuditError(f"Checkov could not be installed: {last}; check the network and the package index, then retry")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep two installations apart."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        file = folder.with_name(f"{folder.name}.lock").open("w")
    except OSError as error:
        remedy = f"set {HOME_VARIABLE} to a folder that you may write"
        raise AuditError(f"Checkov cannot be installed into {folder}: {error.strerror}; {remedy}") from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
