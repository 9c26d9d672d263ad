"""The way to AWS: one session for all accounts, a client per account, service and region, and the answers they give.

A client costs little when it comes from the one session, and much when every account has a session of its own; so the
credentials of an account are passed to the shared session explicitly. They are fetched anew for each question, which
is free until they are about to expire, and a client lives as long as its credentials.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import boto3
import botocore.session
import jmespath
import msgspec
from botocore.config import Config

from agent.errors import Unanswered
from agent.model import Call, GapKind, Json
from collectors.aws._call import AwsCall
from collectors.aws._errors import FAILURES, UNREACHED, error_code, unanswered
from collectors.aws._time import rfc3339

ATTEMPTS = 5
CONNECTIONS = 32
_MORE = ("NextToken", "nextToken", "NextMarker", "Marker", "ContinuationToken", "IsTruncated")
"""Fields by which an answer says that it is not all."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account that can be asked."""

    id: str
    partition: str
    home_region: str
    """Where global and account-wide questions are asked."""
    credentials: Any
    """botocore's credentials, which renew themselves."""


class Clients:
    """The clients of all accounts; may be used from several threads."""

    def __init__(self, endpoint_url: str, timeout_seconds: int) -> None:
        core = botocore.session.get_session()
        core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=rfc3339)
        self._session = boto3.Session(botocore_session=core)
        self._endpoint_url = endpoint_url or None
        self._config = Config(
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            connect_timeout=min(10, timeout_seconds),
            read_timeout=timeout_seconds,
            max_pool_connections=CONNECTIONS,
            user_agent_extra="clausule",
        )
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._making = threading.Lock()

    def get(self, credentials: Any, service: str, region: str) -> Any:
        """The client for a service in a region with these credentials."""
        keys = credentials.get_frozen_credentials()
        name = (keys.access_key, service, region)
        with self._making:  # making clients is not thread-safe in botocore
            if name not in self._clients:
                self._clients[name] = self._make(keys, service, region)
            return self._clients[name]

    def _make(self, keys: Any, service: str, region: str) -> Any:
        client = self._session.client(
            service,
            region_name=region,
            endpoint_url=self._endpoint_url,
            aws_access_key_id=keys.access_key,
            aws_secret_access_key=keys.secret_key,
            aws_session_token=keys.token,
            config=self._config,
        )
        if self._endpoint_url:
            client.meta.events.register("before-sign.s3-control", _one_host)
        return client


def _one_host(request: Any, **_: object) -> None:
    """Take the account out of the host name: an endpoint of one's own has one name for all accounts."""
    account = request.headers.get("x-amz-account-id", "")
    request.url = request.url.replace(f"://{account}.", "://", 1)


class AwsAnswers:
    """What AWS answers in one scope."""

    def __init__(self, clients: Clients, account: Account, region: str) -> None:
        self._clients, self._account = clients, account
        self._context = {"account_id": account.id, "partition": account.partition, "region": region}
        self._retries = 0
        self._counting = threading.Lock()

    @property
    def retries(self) -> int:
        """How often a question was asked again so far."""
        return self._retries

    def items(self, call: Call) -> Iterator[Json]:
        """See `agent.model.Answers.items`."""
        call = _own(call)
        scope = {"_scope": self._context}
        client, region = self._client(call, scope)
        pages = iter(self._pages(client, call, _request(call, scope)))
        number = 1
        while (page := self._page(pages, call, region, number)) is not None:
            found = _search(call.items)(page)
            if found is None:
                raise Unanswered(GapKind.UNREADABLE, f"{call.name} in {region}: the answer has no list of items")
            items = ({**item, **scope} for item in found)
            yield from (item for item in items if not call.only or _search(call.only)(item))
            number += 1

    def ask(self, call: Call, item: Json) -> Json:
        """See `agent.model.Answers.ask`."""
        call = _own(call)
        if call.known and (answer := _search(call.known)(item)):
            return answer
        client, region = self._client(call, item)
        try:
            answer = self._answer(client, call, _request(call, item))
        except FAILURES as error:
            self._count(getattr(error, "response", None) or {}, error)
            if error_code(error) in call.absent:
                return {}
            raise unanswered(error, call, region) from None
        if not answer and not call.empty:
            raise Unanswered(GapKind.UNREADABLE, f"{call.name} in {region}: the answer is empty")
        return answer

    def _client(self, call: AwsCall, item: Json) -> tuple[Any, str]:
        region = self._context["region"] if not call.region else _search(call.region)(item)
        region = region or self._account.home_region
        try:
            return self._clients.get(self._account.credentials, call.service, region), region
        except FAILURES as error:  # renewing the credentials asks AWS too
            raise unanswered(error, call, region) from None

    def _answer(self, client: Any, call: AwsCall, request: dict[str, Json]) -> dict[str, Json]:
        if client.can_paginate(call.operation):
            whole: dict[str, Json] = client.get_paginator(call.operation).paginate(**request).build_full_result()
            return whole
        return self._counted(getattr(client, call.operation)(**request))

    def _pages(self, client: Any, call: AwsCall, request: dict[str, Json]) -> Iterator[dict[str, Json]]:
        """The pages of a list, each without botocore's metadata."""
        if client.can_paginate(call.operation):
            yield from map(self._counted, client.get_paginator(call.operation).paginate(**request))
            return
        page = self._counted(getattr(client, call.operation)(**request))
        yield page
        if any(page.get(field) for field in _MORE):
            raise Unanswered(GapKind.TRUNCATED, f"{call.name}: there is more, and no known way to ask for it")

    def _page(self, pages: Iterator[Json], call: AwsCall, region: str, number: int) -> Json:
        """The next page, None after the last; a page that fails after others leaves the list truncated."""
        try:
            return next(pages, None)
        except FAILURES as error:
            self._count(getattr(error, "response", None) or {}, error)
            problem = unanswered(error, call, region)
        if number == 1:
            raise problem from None
        detail = f"page {number} did not come: {problem.kind}: {problem.detail}"
        raise Unanswered(GapKind.TRUNCATED, detail, permission=problem.permission) from None

    def _counted(self, response: dict[str, Json]) -> dict[str, Json]:
        self._count(response)
        return {key: value for key, value in response.items() if key != "ResponseMetadata"}

    def _count(self, response: dict[str, Json], error: Exception | None = None) -> None:
        """Add the retries that botocore made; it does not tell those of a connection that never answered."""
        lost = ATTEMPTS - 1 if isinstance(error, UNREACHED) else 0
        with self._counting:
            self._retries += int(response.get("ResponseMetadata", {}).get("RetryAttempts", lost))


def _own(call: Call) -> AwsCall:
    assert isinstance(call, AwsCall)  # noqa: S101 - the registry gives a source only the calls of its own tables
    return call


@cache
def _search(expression: str) -> Callable[[Json], Json]:
    found: Callable[[Json], Json] = jmespath.compile(expression).search
    return found


def _request(call: AwsCall, item: Json) -> dict[str, Json]:
    return {name: _search(expression)(item) for name, expression in call.request.items()}
