"""Which reports are written, and where to."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from agent import reports
from agent.documents import suggest
from agent.errors import UsageError
from agent.reports import Format
from agent.result import Result
from agent.store import Store

DEFAULT = ("html", "json", "prometheus")


def choose(names: Iterable[str]) -> list[Format]:
    """The formats of these names, or the default ones; raises `UsageError` for a name that is none."""
    known = reports.formats()
    for name in names:
        if name not in known:
            raise UsageError(f"--format: there is no format '{name}'; {suggest(name, known)}")
    return [known[name] for name in (tuple(names) or DEFAULT)]


def check_targets(folder: Path | None, file: Path | None) -> None:
    """Raise `UsageError` now, rather than after an audit, when reports could not be written there."""
    for option, path in (("--output", folder), ("--metrics-file", file.parent if file else None)):
        nearest = next((part for part in (path, *path.parents) if part.exists()), None) if path else None
        if nearest and not (nearest.is_dir() and os.access(nearest, os.W_OK)):
            raise UsageError(f"{option}: {nearest} is not a folder that can be written to")


def write(result: Result, formats: Iterable[Format], folder: Path, language: str) -> list[str]:
    """Write each report into the folder; returns the files."""
    written = []
    for chosen in formats:
        path = folder / f"report{chosen.suffix}"
        reports.write(result, chosen, path, language)
        written.append(str(path))
    return written


def keep(result: Result, formats: Iterable[Format], store: Store, language: str) -> list[str]:
    """Write each report into the store, beside the runs; returns where they are."""
    written = []
    with tempfile.TemporaryDirectory(prefix="clausule-") as folder:
        for path in map(Path, write(result, formats, Path(folder), language)):
            name = f"reports/{result.run.id}/{path.name}"
            store.take(name, path)
            written.append(f"{store.location}/{name}")
    return written


def write_one(result: Result, name: str, path: Path, language: str) -> None:
    """Write one report to a file."""
    reports.write(result, reports.formats()[name], path, language)


def show(result: Result, name: str, out: BinaryIO, language: str) -> None:
    """Print one report."""
    reports.formats()[name].render(result, out, language)
