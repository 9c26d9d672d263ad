"""Register files: read and checked as a whole before an audit starts.

A register says what no API shows, and people write it, so anything doubtful is refused with file, line and key: a
misspelt country or Region would otherwise never match, and a wrong date would pass unseen. What is left for the audit
itself is the signed document that an entry names: it is read then, and compared with the digest in the register.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from agent.documents import Document, read
from agent.errors import DocumentError
from agent.model import Json

E = TypeVar("E", bound="Entry")

Complain = Callable[..., DocumentError]
"""Makes the error about one key of an entry: `complain(key, problem, remedy)`."""

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the entries of every register have."""

    id: str
    owner: str
    approver: str
    expires: str
    document: str
    """The signed document, relative to the register file."""
    document_sha256: str

    def check(self, complain: Complain) -> None:
        """Raise for the first thing that is wrong with the entry."""
        for key in ("id", "document"):
            require_text(self, key, complain)
        require_date(self, "expires", complain)
        if not _SHA256.fullmatch(self.document_sha256):
            raise complain("document_sha256", "is not a SHA-256", "write 64 hexadecimal digits: sha256sum DOCUMENT")

    def fields(self, date: dt.date) -> dict[str, Any]:
        """The entry's columns as they are on the audit date."""
        del date
        fields: dict[str, Any] = msgspec.to_builtins(self)
        return fields


def require_text(entry: Entry, key: str, complain: Complain) -> None:
    """The key has a value that is not blank."""
    if not getattr(entry, key).strip():
        raise complain(key, "is empty", "fill it in")


def require_date(entry: Entry, key: str, complain: Complain) -> None:
    """The key is a day that exists."""
    value = getattr(entry, key)
    if not _is_date(value):
        raise complain(key, f"'{value}' is not a date", "write YYYY-MM-DD")


def _is_date(text: str) -> bool:
    try:
        return bool(_DATE.fullmatch(text) and dt.date.fromisoformat(text))
    except ValueError:
        return False


def require_order(entry: Entry, first: str, last: str, complain: Complain) -> None:
    """One day is not after another; both are dates already."""
    if getattr(entry, first) > getattr(entry, last):
        raise complain(last, f"{getattr(entry, last)} is before {first}, {getattr(entry, first)}", "correct the dates")


def load(files: Iterable[str], kind: type[E], date: dt.date) -> list[Json]:
    """The entries of all files of one register, as columns; raises `DocumentError` at the first thing wrong."""
    seen: dict[str, str] = {}
    rows: list[Json] = []
    for file in dict.fromkeys(files):
        document = Document(read(Path(file)), file)
        for index, entry in enumerate(document.to(_shape(kind)).entries):
            complain = _complain(document, index)
            entry.check(complain)
            if entry.id in seen:
                raise complain("id", f"'{entry.id}' stands already in {seen[entry.id]}", "give each entry its own id")
            seen[entry.id] = file
            rows.append({**entry.fields(date), "file": file})
    return rows


def _shape(kind: type[E]) -> Any:
    """The type of a whole file with such entries."""
    fields = [("version", Literal[1]), ("entries", tuple.__class_getitem__((kind, ...)))]
    return msgspec.defstruct("RegisterFile", fields, frozen=True, forbid_unknown_fields=True)


def _complain(document: Document, index: int) -> Complain:
    return lambda key, problem, remedy="": document.error(f"$.entries[{index}].{key}", problem, remedy)
