"""`clausule.yaml`: read and checked once, at start.

Each source declares its own section, so that a new source needs nothing here. The file never holds a secret: one that
looks like it does is refused, because a configuration is committed, mounted and copied into runs.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from agent import registry
from agent.documents import Document, read, suggest
from agent.errors import UsageError
from agent.model import Waiver

DEFAULT = Path("clausule.yaml")
Reading = Literal["chapter_v", "literal_eu"]

_SECRET_KEY = re.compile(r"(?i)(secret|passw|token|private.?key|access.?key|api.?key|credential)")
_SECRET_VALUE = re.compile(
    r"\b(AKIA|ASIA)[A-Z0-9]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY|\beyJ[\w-]{10,}\.[\w-]{10,}\.|://[^/\s:@]+:[^/\s@]+@"
    r"|\bgh[pousr]_[A-Za-z0-9]{30,}|\bxox[baprs]-[\w-]{10,}"
)
WHERE_SECRETS_GO = (
    "take it out and replace that credential; Clausule takes credentials from the AWS credential chain, "
    "the kubeconfig or the environment"
)


class Common(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of `clausule.yaml` that are not about one source."""

    version: Literal[1] = 1
    agreement: str = ""
    store: str = ".clausule"
    reading_3_13: Reading = "chapter_v"
    policies: tuple[str, ...] = ()
    """Directories of policies beside the built-in ones."""
    params: dict[str, dict[str, Any]] = {}
    """Parameters by policy id."""
    waivers: tuple[Waiver, ...] = ()


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What to audit and how."""

    common: Common = Common()
    sources: dict[str, Any] = {}
    """Settings by the name of the source, for those that the file has a section for."""
    document: Document | None = None
    """The file that it was read from, for errors that are found later."""

    def error(self, path: str, problem: str, remedy: str = "") -> UsageError:
        """An error about a key, with the file and line where there is a file."""
        if self.document is not None:
            return self.document.error(path, problem, remedy)
        return UsageError("; ".join(filter(None, (f"{path.removeprefix('$.')}: {problem}", remedy))))


def load(path: Path | None) -> Config:
    """The configuration at `path`; without one, that of the working directory, or none at all."""
    if path is None:
        if not DEFAULT.is_file():
            return Config()
        path = DEFAULT
    return parse(read(path), path)


def parse(text: str, name: object) -> Config:
    """The configuration in `text`; raises `DocumentError`."""
    document = Document(text, name)
    if not isinstance(document.data, dict):
        raise document.error("$", "is not a mapping of keys", "start from: clausule init")
    for path, problem in _secrets(document.data, "$"):
        raise document.error(path, problem, WHERE_SECRETS_GO)
    sections = configurable()
    _known_keys(document, sections)
    sources = {key: document.section(key, kind) for key, kind in sections.items() if key in document.data}
    rest = {key: value for key, value in document.data.items() if key not in sections}
    document.data = rest
    common = document.to(Common)
    for index, waiver in enumerate(common.waivers):
        _check_waiver(document, waiver, f"$.waivers[{index}]")
    return Config(common=common, sources=sources, document=document)


def _check_waiver(document: Document, waiver: Waiver, path: str) -> None:
    try:
        dt.date.fromisoformat(waiver.expires)
    except ValueError:
        raise document.error(f"{path}.expires", f"'{waiver.expires}' is not a date", "write YYYY-MM-DD") from None
    for key in ("reason", "approver", "resource"):
        if not getattr(waiver, key).strip():
            raise document.error(f"{path}.{key}", "is empty", "a waiver says for what, why, and who accepted it")


def looks_secret(text: str) -> bool:
    """Whether a value looks like a secret, or holds one."""
    return bool(_SECRET_VALUE.search(text))


def configurable() -> dict[str, type[msgspec.Struct]]:
    """The sections that sources declare; what law needs comes from `reading_3_13`."""
    return {name: source.Settings for name, source in registry.sources().items() if name != "law"}


def _known_keys(document: Document, sections: Mapping[str, object]) -> None:
    known = [field.name for field in msgspec.structs.fields(Common)] + list(sections)
    for key in document.data:
        if key not in known:
            raise document.error(f"$.{key}", "is not a known key", suggest(key, known))


def _secrets(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """The places that look like secrets, without their values."""
    if isinstance(value, dict):
        for key, inner in value.items():
            here = f"{path}.{key}"
            if _SECRET_KEY.search(key) and isinstance(inner, str | int) and not isinstance(inner, bool) and inner != "":
                yield here, "holds what looks like a secret"
            yield from _secrets(inner, here)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _secrets(inner, f"{path}[{index}]")
    elif isinstance(value, str) and looks_secret(value):
        yield path, "holds what looks like a secret"


def settings(source: str, given: Mapping[str, Any]) -> Any:
    """A source's settings from plain values, such as a stored run keeps; raises `UsageError`."""
    kind = registry.sources()[source].Settings
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"settings of {source}: {error}") from None
