"""The words of the reports in one language, with numbers and dates as that language writes them.

The words are data: `texts/nl.yaml` and its three sisters have the same keys, and a test keeps it so. A key ending in
`.one` or `.many` is chosen by a number. French counts zero as one; the other three do not.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path

from agent.model import LANGUAGES

_FOLDER = Path(__file__).parent / "texts"


class Words:
    """The words of one language of `LANGUAGES`; raises KeyError for any other, and for a key that is not there."""

    def __init__(self, language: str) -> None:
        from agent import documents  # noqa: PLC0415 - loads PyYAML

        if language not in LANGUAGES:
            raise KeyError(language)
        self.language = language
        self._texts = documents.load(_FOLDER / f"{language}.yaml", dict[str, str])
        self._months = self._texts["date.months"].split()

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key, its `{names}` filled in; whole numbers are grouped."""
        filled = {name: self.number(value) if isinstance(value, int) else value for name, value in values.items()}
        return self._texts[key].format(**filled)

    def count(self, key: str, number: int, **values: object) -> str:
        """The text of `key.one` or `key.many` for a number, which fills `{n}`."""
        one = number in (0, 1) if self.language == "fr" else number == 1
        return self(f"{key}.{'one' if one else 'many'}", n=number, **values)

    def get(self, key: str, default: str) -> str:
        """The text of a key that need not be there: a country, a source."""
        return self._texts.get(key, default)

    def number(self, value: int) -> str:
        """`12,345` as the language writes it."""
        return f"{value:,}".replace(",", self._texts["number.group"])

    def date(self, text: str) -> str:
        """A date (YYYY-MM-DD) or moment (RFC 3339) as a date in words; other text stays as it is."""
        moment = _moment(text)
        if moment is None:
            return text
        return self._texts["date.day"].format(day=moment.day, month=self._months[moment.month - 1], year=moment.year)

    def moment(self, text: str) -> str:
        """An RFC 3339 moment as date and time in UTC; other text stays as it is."""
        moment = _moment(text)
        if moment is None:
            return text
        return self._texts["date.moment"].format(date=self.date(text), time=f"{moment:%H:%M}")

    def join(self, items: list[str]) -> str:
        """`a, b and c`."""
        if len(items) < 2:  # noqa: PLR2004 - nothing to join
            return "".join(items)
        return f"{', '.join(items[:-1])} {self._texts['list.and']} {items[-1]}"

    def keys(self) -> frozenset[str]:
        """Every key."""
        return frozenset(self._texts)


@cache
def words(language: str) -> Words:
    """The words of a language, read once."""
    return Words(language)


def _moment(text: str) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(dt.UTC) if moment.tzinfo else moment
