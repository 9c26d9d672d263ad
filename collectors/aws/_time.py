"""Timestamps as AWS writes them, made uniform.

AWS protocols write a moment as ISO 8601 with or without fractions, as seconds since 1970, or as an HTTP date. botocore
would make slow `datetime` objects of them; rows want RFC 3339 in UTC to the second.
"""

from __future__ import annotations

import datetime as dt
import re

from botocore.utils import parse_timestamp

_PLAIN = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z")


def rfc3339(value: str | float) -> str:
    """The moment as `2026-11-23T20:15:00Z`, fractions of a second cut off; ValueError if it is none."""
    if isinstance(value, str) and (plain := _PLAIN.fullmatch(value)):
        return f"{plain[1]}Z"
    moment = parse_timestamp(value)
    return str(moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
