"""YAML documents become checked structs, or one clear error that names file, line and key.

Two decisions. YAML 1.1 reads an unquoted `NO` as false, `056` as 46 and `1:30` as 90, which turns Norway into a
boolean; such words are refused with the advice to quote them, and a date stays the text that was written. Anchors,
aliases and merge keys are refused: a policy or a register should read the same on paper.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from agent.errors import DocumentError

T = TypeVar("T")

_TAG = "tag:yaml.org,2002:"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PATH = re.compile(r" - at `(?P<path>\$[^`]*)`$")
_UNKNOWN_FIELD = re.compile(r"unknown field `(?P<field>[^`]+)`")
_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)")


def suggest(word: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?`, or the known words when there are few, or nothing."""
    words = sorted(known)
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"known: {', '.join(words)}" if 0 < len(words) <= 12 else ""  # noqa: PLR2004 - fits a line


def load(path: Path, kind: type[T]) -> T:
    """The document at `path` as a `kind`; raises `DocumentError`, also when it cannot be read."""
    return parse(read(path), path, kind)


def read(path: Path) -> str:
    """The text of a UTF-8 file; raises `DocumentError` with the remedy when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DocumentError(path, "no such file", remedy="check the path") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise DocumentError(path, f"cannot be read: {reason}") from error


def parse(text: str, name: object, kind: type[T]) -> T:
    """`text` as a `kind`; `name` is what errors call it."""
    return Document(text, name).to(kind)


class Document:
    """A parsed YAML document that knows the line of each of its keys."""

    def __init__(self, text: str, name: object) -> None:
        self.name = name
        self.lines: dict[str, int] = {}
        self._seen: set[int] = set()
        self.data: Any = self._compose(text)

    def to(self, kind: type[T]) -> T:
        """The data as a `kind`; raises `DocumentError` at the first thing that does not fit."""
        try:
            return msgspec.convert(self.data, kind)
        except msgspec.ValidationError as error:
            raise self._explain(str(error), kind) from None

    def section(self, key: str, kind: type[T]) -> T:
        """The value of a top-level key as a `kind`; a key without a value counts as an empty mapping."""
        try:
            return msgspec.convert(self.data[key] if self.data[key] is not None else {}, kind)
        except msgspec.ValidationError as error:
            raise self._explain(str(error), kind, f"$.{key}") from None

    def error(self, path: str, problem: str, remedy: str = "") -> DocumentError:
        """An error about the key at `path` (`$.examples[2].expect`)."""
        return DocumentError(
            self.name, problem, line=self.line(path), key=path.removeprefix("$").lstrip("."), remedy=remedy
        )

    def line(self, path: str) -> int:
        """The line of the key at `path`, or of its nearest parent."""
        while path not in self.lines and path != "$":
            path = re.sub(r"(\.[^.\[]*|\[[^\]]*\])$", "", path) or "$"
        return self.lines.get(path, 0)

    def _compose(self, text: str) -> Any:
        try:
            node = yaml.compose(text, Loader=_LOADER)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 0
            raise DocumentError(self.name, f"is not valid YAML: {error.problem or error.context}", line=line) from None
        except yaml.YAMLError as error:
            raise DocumentError(self.name, f"is not valid YAML: {' '.join(str(error).split())}") from None
        except RecursionError:
            raise DocumentError(self.name, "is nested too deeply") from None
        if node is None:
            raise DocumentError(self.name, "is empty")
        try:
            return self._value(node, "$")
        except RecursionError:
            raise DocumentError(self.name, "is nested too deeply") from None

    def _value(self, node: yaml.Node, path: str) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._seen:
            raise self.error(path, "uses a YAML alias", "write the value out")
        self._seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, f"{path}[{index}]") for index, item in enumerate(node.value)]
        return self._mapping(node, path)

    def _mapping(self, node: yaml.Node, path: str) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str) or key_node.tag == f"{_TAG}merge":
                raise self.error(path, "a key must be a plain word", "write it out")
            here = f"{path}.{key}"
            self.lines[here] = key_node.start_mark.line + 1
            if key in mapping:
                raise self.error(here, "stands twice", "remove one of them")
            mapping[key] = self._value(value_node, here)
        return mapping

    def _scalar(self, node: yaml.ScalarNode, path: str) -> Any:
        kind, text = node.tag.removeprefix(_TAG), node.value
        if kind == "null":
            return None
        if kind == "bool":
            if text.lower() not in ("true", "false"):
                raise self.error(
                    path, f"{text} would be read as a boolean", f"write '{text}' in quotes, or true or false"
                )
            return text.lower() == "true"
        if kind == "int":
            if not _NUMBER.fullmatch(text):
                raise self.error(path, f"{text} is an ambiguous number", f"write '{text}' in quotes")
            return int(text)
        if kind == "float":
            try:
                return float(text)
            except ValueError:
                raise self.error(path, f"{text} is an ambiguous number", f"write '{text}' in quotes") from None
        return text

    def _explain(self, message: str, kind: Any, base: str = "$") -> DocumentError:
        found = _PATH.search(message)
        inner = found["path"] if found else "$"
        path = base + inner.removeprefix("$")
        problem = message[: found.start()] if found else message
        unknown = _UNKNOWN_FIELD.search(problem)
        if unknown is None:
            return self.error(path, problem[0].lower() + problem[1:], _remedy(problem, _type(kind, inner)))
        key = f"{path}.{unknown['field']}"
        return self.error(key, "is not a known key", suggest(unknown["field"], _fields(kind, inner)))


def _remedy(problem: str, info: Any) -> str:
    """What to write instead, as far as the message and the type tell."""
    if re.match(r"Expected `str`, got `(int|float|bool)`", problem):
        return "write it in quotes"
    if problem.startswith("Expected `array`"):
        return "write it as a list: [one, another]"
    if isinstance(info, msgspec.inspect.LiteralType):
        return f"write one of: {', '.join(map(str, info.values))}"
    if isinstance(info, msgspec.inspect.EnumType):
        return f"write one of: {', '.join(str(value.value) for value in info.cls)}"
    return "add it" if problem.startswith("Object missing") else ""


def _type(kind: Any, path: str) -> Any:
    """What a struct type wants at a msgspec path."""
    info = msgspec.inspect.type_info(kind)
    for part in re.findall(r"\.([^.\[]+)|(\[[^\]]*\])", path):
        info = _step(info, part[0])
    return info


def _fields(kind: Any, path: str) -> list[str]:
    """The keys that a struct type takes at a msgspec path, as far as the types tell."""
    info = _struct(_type(kind, path))
    return [field.encode_name for field in info.fields] if isinstance(info, msgspec.inspect.StructType) else []


def _struct(info: Any) -> Any:
    """The struct among the alternatives of a union (`Texts | None`)."""
    if isinstance(info, msgspec.inspect.UnionType):
        return next((kind for kind in info.types if isinstance(kind, msgspec.inspect.StructType)), info)
    return info


def _step(info: Any, name: str) -> Any:
    info = _struct(info)
    if name and isinstance(info, msgspec.inspect.StructType):
        return next((field.type for field in info.fields if field.encode_name == name), info)
    return getattr(info, "value_type", getattr(info, "item_type", info))
