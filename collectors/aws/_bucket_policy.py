"""What a bucket policy says, as far as a policy document alone can tell."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from agent.model import Json

_WHOLE_BUCKET = re.compile(r"\*|arn:[^:]*:s3:::[^/]*")
_ALL_OBJECTS = re.compile(r"\*|arn:[^:]*:s3:::(?:[^/]*\*|[^/]+/\*)")


def denies_plain_http(document: str) -> bool:
    """Whether everyone is denied every S3 action on the bucket and all of its objects without TLS.

    One statement may do it or several together. A statement counts if nothing narrows it: principal `*`, action `s3:*`
    or `*`, and `aws:SecureTransport` false as its only condition. S3 only accepts resources of the bucket itself, so
    names are not compared. ValueError for what is not JSON.
    """
    statements = [s for s in _listed(json.loads(document).get("Statement")) if _denies_plain_http(s)]
    resources = [resource for statement in statements for resource in _listed(statement.get("Resource"))]
    return _any(_WHOLE_BUCKET, resources) and _any(_ALL_OBJECTS, resources)


def _denies_plain_http(statement: Json) -> bool:
    actions = {action.lower() for action in _listed(statement.get("Action"))}
    return (
        statement.get("Effect") == "Deny"
        and _is_everyone(statement.get("Principal"))
        and bool(actions & {"s3:*", "*"})
        and _is_plain_http(statement.get("Condition"))
    )


def _is_everyone(principal: Json) -> bool:
    return principal == "*" or (isinstance(principal, dict) and "*" in _listed(principal.get("AWS")))


def _is_plain_http(condition: Json) -> bool:
    """Whether the only condition is that the request came without TLS; names of keys have no case."""
    if not isinstance(condition, dict) or len(condition) != 1:
        return False
    ((operator, tests),) = condition.items()
    found = [(key.lower(), [str(value).lower() for value in _listed(values)]) for key, values in tests.items()]
    return operator in {"Bool", "BoolIfExists"} and found == [("aws:securetransport", ["false"])]


def _listed(value: Json) -> list[Json]:
    """A policy writes a list of one as the element alone."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _any(pattern: re.Pattern[str], values: Iterable[str]) -> bool:
    return any(pattern.fullmatch(value) for value in values)
