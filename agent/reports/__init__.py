"""The formats that a result can be written in. Each module here whose name has no leading underscore is one.

Adding a format is adding a module that exports `FORMAT`; nothing here names one. A format is a function of the frozen
result and a language: it reads no clock, so that the same run gives the same bytes next year too. What a module needs
to draw (Jinja2, rich, prometheus-client) it imports inside its functions, because the command line lists the formats.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import BinaryIO

import msgspec

from agent.errors import AuditError
from agent.files import partial
from agent.result import Result


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """One way to write a result."""

    name: str
    """What `--format` takes."""
    suffix: str
    """Of the file: `.html`."""
    title: str
    """One line of English for the help text."""
    render: Callable[[Result, BinaryIO, str], None]
    """Writes the result as UTF-8 bytes; the string is a language of `agent.model.LANGUAGES`."""


@cache
def formats() -> dict[str, Format]:
    """Every format by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    found = [importlib.import_module(f"{__name__}.{name}").FORMAT for name in names]
    return {form.name: form for form in found}


def write(result: Result, form: Format, path: Path, language: str) -> None:
    """Write a report to `path`, whole or not at all; raises `AuditError` when the file cannot be written."""
    try:
        _replace(path, lambda out: form.render(result, out, language))
    except OSError as error:
        raise AuditError(f"{path}: the {form.name} report cannot be written: {error.strerror}") from error


def _replace(path: Path, fill: Callable[[BinaryIO], None]) -> None:
    """A reader of `path` sees the old file or the new one, also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with partial(path) as beside:
        with beside.open("wb") as out:
            fill(out)
        beside.chmod(0o666 & ~_umask())


def _umask() -> int:
    """The file mode mask: a temporary file is private, a report is as any file that the user makes."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
