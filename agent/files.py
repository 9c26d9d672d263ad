"""Local files are written whole: beside their place first, flushed to disk, then renamed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PARTIAL = ".partial-"
"""How the name of an unfinished file begins; readers pass it over."""


def write_file(path: Path, data: bytes) -> None:
    """Write a local file whole: into a file beside it, flushed, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with partial(path) as beside:
        beside.write_bytes(data)


@contextmanager
def partial(path: Path) -> Iterator[Path]:
    """A file beside `path` to fill, which then takes its place; nothing is left of it when filling fails."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=PARTIAL)
    os.close(handle)
    beside = Path(name)
    try:
        yield beside
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
