"""YAML documents: what is refused, and what the refusal says."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agent.documents import Document, load, parse, suggest
from agent.errors import DocumentError


class Inner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    word: str
    number: int = 0


class Outer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    items: tuple[Inner, ...] = ()


@pytest.mark.parametrize(
    ("text", "line", "key", "words"),
    [
        ("name: NO", 1, "name", "quotes"),
        ("name: yes", 1, "name", "quotes"),
        ("name: 056", 1, "name", "quotes"),
        ("name: 1:30", 1, "name", "quotes"),
        ("name: 3.13", 1, "name", "quotes"),
        ("name: a\nnaam: b", 2, "naam", "did you mean 'name'?"),
        ("name: a\nitems:\n  - {word: x}\n  - {wrod: y}", 4, "items[1].wrod", "did you mean 'word'?"),
        ("name: a\nitems:\n  - {word: x, number: many}", 3, "items[0].number", "expected `int`"),
        ("name: a\nname: b", 2, "name", "stands twice"),
        ("items: []", 1, "", "missing required field `name`"),
        ("name: &a x\nitems: [*a]", 2, "", ""),
        ("a: &a {b: 1}\nc: *a", 2, "c", "alias"),
        ("name: [a", 2, "", "not valid YAML"),
        ("name: a\n\tb: c", 2, "", "not valid YAML"),
        ("", 0, "", "empty"),
        ("name: " + "[" * 3000, 0, "", ""),
        ("name: a\nitems: {word: x}", 2, "items", "as a list"),
        ("[1]: a", 1, "", "plain word"),
    ],
)
def test_refusal_names_line_key_and_remedy(text: str, line: int, key: str, words: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse(text, "x.yaml", Outer)
    assert str(caught.value).startswith("x.yaml")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.line == line or (key == "" and caught.value.line >= 0)
    assert caught.value.key == key or key == ""


def test_dates_and_quoted_words_stay_text() -> None:
    assert parse('name: "NO"', "x", Outer).name == "NO"
    assert parse("name: 2026-01-31", "x", Outer).name == "2026-01-31"


@pytest.mark.parametrize("content", [None, b"\xff\xfe name", "directory"])
def test_unreadable_file_is_one_clear_line(tmp_path: Path, content: bytes | str | None) -> None:
    path = tmp_path / "x.yaml"
    if content == "directory":
        path.mkdir()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(DocumentError, match="x.yaml"):
        load(path, Outer)


def test_suggestions() -> None:
    assert suggest("regoin", ["region", "name"]) == "did you mean 'region'?"
    assert suggest("zzz", ["a", "b"]) == "known: a, b"
    assert suggest("zzz", map(str, range(99))) == ""


# YAML 1.1 counts these among line breaks, and folds them
letters = st.characters(codec="utf-8", exclude_characters="\x85\u2028\u2029")
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(letters, max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(letters, min_size=1, max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(plain)
def test_what_yaml_writes_is_read_back_the_same(value: object) -> None:
    """Quoting is the writer's business: whatever PyYAML dumps for 1.1 readers, our stricter reader reads alike."""
    text = yaml.safe_dump({"value": value}, allow_unicode=True, default_flow_style=False)
    try:
        data = Document(text, "x").data
    except DocumentError as error:
        assert "alias" in str(error) or "plain word" in str(error)  # equal containers are dumped as aliases
    else:
        assert data == {"value": value}


@given(st.text(max_size=200))
def test_any_text_gives_a_value_or_a_document_error(text: str) -> None:
    try:
        Document(text, "x")
    except DocumentError as error:
        assert str(error).startswith("x")
