"""Lists from one API server, page by page.

Decisions:
- The typed API of the official client is not used: decoding pages with msgspec takes a tenth of the time and a fifth of
  the memory.
- When the server has forgotten the snapshot that a list was paged from (410 Gone), the list starts again once. Objects
  that were already handed out are skipped by namespace and name, so nothing is held back and nothing comes twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

import msgspec

from agent.errors import Unanswered
from agent.model import Call, GapKind, Json
from collectors.kubernetes._call import KubeCall
from collectors.kubernetes._http import Connection, Unserved

PAGE_SIZE = 500


class _ListMeta(msgspec.Struct):
    token: str = msgspec.field(default="", name="continue")


class _Page(msgspec.Struct):
    """A list as every API group serves it; Go writes an empty one as null, so a missing key is something else."""

    kind: str
    metadata: _ListMeta
    items: list[dict[str, Any]] | None


class KubeClient:
    """The lists of one cluster; meets `agent.model.Answers`."""

    def __init__(
        self,
        configuration: Any,
        timeout_seconds: int,
        *,
        page_size: int = PAGE_SIZE,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """`configuration` is the official client's; `timeout_seconds` is for one page."""
        self.connection = Connection(configuration, timeout_seconds, pause)
        self._page_size = page_size

    @property
    def retries(self) -> int:
        """How often something was asked again so far."""
        return self.connection.retries

    def ask(self, call: Call, item: Json) -> Json:
        """No table has row calls: a list holds whole objects."""
        raise NotImplementedError(f"{call.name} is not asked by item")

    def items(self, call: Call) -> Iterator[Json]:
        """The objects of a list, each once; raises `Unanswered` where the list stops."""
        if not isinstance(call, KubeCall):
            raise TypeError(f"{call.name} is not a call to Kubernetes")
        seen: set[tuple[str, str]] = set()
        token, restarted = "", False
        while True:
            try:
                page = self._page(call, token)
            except Unserved as problem:
                if problem.status != HTTPStatus.GONE or not token or restarted:
                    raise
                token, restarted = "", True
                self.connection.count_retry()
                continue
            for item in page.items or ():
                key = (item["metadata"].get("namespace", ""), item["metadata"]["name"])
                if key not in seen:
                    seen.add(key)
                    yield item
            if not page.metadata.token:
                return
            if page.metadata.token == token:
                raise Unanswered(GapKind.UNEXPECTED, f"GET {call.path}: the same page again and again")
            token = page.metadata.token

    def _page(self, call: KubeCall, token: str) -> _Page:
        query: dict[str, str | int] = {"limit": self._page_size}
        if token:
            query["continue"] = token
        try:
            page = msgspec.json.decode(self.connection.get(call.path, query), type=_Page)
        except Unserved as problem:
            problem.permission = call.permissions[0] if problem.kind is GapKind.DENIED else ""
            raise
        except msgspec.ValidationError:
            raise Unanswered(GapKind.UNEXPECTED, f"GET {call.path}: the answer is not a list") from None
        except msgspec.DecodeError as error:
            kind = GapKind.TRUNCATED if "truncated" in str(error) else GapKind.UNEXPECTED
            raise Unanswered(kind, f"GET {call.path}: the answer is not whole JSON") from None
        if not page.kind.endswith("List"):
            raise Unanswered(GapKind.UNEXPECTED, f"GET {call.path}: the answer is not a list")
        return page
