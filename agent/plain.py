"""Text from the estate is other people's text: shown as it is, but never able to act or to deceive.

HTML is escaped by its template engine and JSON by its encoder. What is left is text that changes how the text around
it is read: terminal escapes, right-to-left overrides, invisible characters. They are shown by their code instead.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

LONGEST = 600
"""Characters of one text in a report for people; the JSON report has all of them."""

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_SPACE = re.compile(r"\s+")


def visible(text: str) -> str:
    """The text with control, direction and invisible characters shown by their codes; line feeds and tabs stay."""
    return _UNSEEN.sub(_code, text.replace("\r\n", "\n"))


def line(text: str, longest: int = LONGEST) -> str:
    """The text as one visible line, cut in the middle so that both ends of a long name stay readable."""
    flat = visible(_SPACE.sub(" ", visible(text)).strip())
    if len(flat) <= longest:
        return flat
    half = (longest - 1) // 2
    return f"{flat[:half]}…{flat[-half:]}"


def value(thing: Any) -> str:
    """An evidence value as it was: text bare, everything else as JSON."""
    return thing if isinstance(thing, str) else msgspec.json.encode(thing, order="deterministic").decode()


def _code(match: re.Match[str]) -> str:
    point = ord(match[0])
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}"  # noqa: PLR2004 - one byte
