"""Makes AWS answer badly: a plug at botocore's HTTP edge, for any operation by its name.

    with fault("s3:GetBucketEncryption", "denied"):
        ...

Sessions made within the block get, for that operation, the answer that a real service of its protocol would give; the
server is not asked. Everything above the HTTP edge is real: parsing, retries, pagination, errors. Waiting between
retries is left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from types import SimpleNamespace
from typing import Literal
from unittest.mock import patch

import botocore.endpoint
import botocore.handlers
import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.loaders import Loader, create_loader
from botocore.model import OperationModel

Fault = Literal["denied", "throttled", "timeout", "unreachable", "server_error", "malformed", "expired", "region_off"]
ANSWERED: tuple[Fault, ...] = ("denied", "throttled", "server_error", "expired", "region_off")
"""Faults that are answers with an error code."""
FAULTS: tuple[Fault, ...] = (*ANSWERED, "timeout", "unreachable", "malformed")

_XML = {
    "denied": (403, "AccessDenied"),
    "throttled": (400, "Throttling"),
    "server_error": (500, "InternalFailure"),
    "expired": (403, "ExpiredToken"),
    "region_off": (403, "InvalidClientTokenId"),
}
_S3 = _XML | {
    "throttled": (503, "SlowDown"),
    "server_error": (500, "InternalError"),
    "expired": (400, "ExpiredToken"),
    "region_off": (403, "InvalidClientTokenId"),
}
_EC2 = _XML | {
    "denied": (403, "UnauthorizedOperation"),
    "throttled": (503, "RequestLimitExceeded"),
    "server_error": (500, "InternalError"),
    "expired": (400, "RequestExpired"),
    "region_off": (401, "AuthFailure"),
}
_JSON = {
    "denied": (400, "AccessDeniedException"),
    "throttled": (400, "ThrottlingException"),
    "server_error": (500, "InternalServerException"),
    "expired": (400, "ExpiredTokenException"),
    "region_off": (400, "UnrecognizedClientException"),
}
_CODES = {"ec2": _EC2, "rest-xml": _S3, "query": _XML}
MESSAGE = (
    "User: arn:aws:sts::123456789012:assumed-role/audit/x is not authorized, because no identity-based policy allows"
)
"""What the errors say; it names a role, which evidence must not repeat."""

Handler = Callable[..., AWSResponse | None]


@contextmanager
def fault(call: str, kind: Fault, *, after: int = 0, region: str = "") -> Iterator[list[str]]:
    """Spoil the operation `service:Operation`, from its request number `after` on, in one region or everywhere.

    Yields the URLs of the requests that were spoilt.
    """
    model = operation(call)
    spoilt: list[str] = []
    seen = 0

    def spoil(request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
        nonlocal seen
        if region and f"/{region}/" not in _text(request.headers.get("Authorization", "")):
            return None
        seen += 1
        if seen <= after:
            return None
        spoilt.append(request.url)
        return _answer(model, kind, request.url)

    with intercepted(call, spoil):
        yield spoilt


@contextmanager
def answering(call: str, *bodies: str, status: int = 200) -> Iterator[None]:
    """Let an operation answer with these bodies, one a request, the last one for all that follow."""
    remaining = list(bodies)

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        body = remaining.pop(0) if len(remaining) > 1 else remaining[0]
        return response(request.url, status, body.encode())

    with intercepted(call, answer):
        yield


@contextmanager
def intercepted(call: str, handler: Handler) -> Iterator[None]:
    """Ask `handler` for the response of an operation before the server is; None lets the request pass."""
    model = operation(call)
    event = f"before-send.{model.service_model.service_id.hyphenize()}.{model.name}"
    handlers = [*botocore.handlers.BUILTIN_HANDLERS, (event, handler)]
    with (
        patch.object(botocore.handlers, "BUILTIN_HANDLERS", handlers),
        patch.object(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None)),
        patch.object(botocore.session, "create_loader", _loader),
    ):
        yield


@cache
def _loader(path: str | None = None) -> Loader:
    """One reader of botocore's models for all sessions of faults: reading them takes longest of all."""
    return create_loader(path)


@cache
def operation(call: str) -> OperationModel:
    """botocore's model of `service:Operation`."""
    service, _, name = call.partition(":")
    with patch.object(botocore.session, "create_loader", _loader):
        return botocore.session.get_session().get_service_model(service).operation_model(name)


def response(url: str, status: int, body: bytes) -> AWSResponse:
    """An HTTP response as botocore's own client makes it."""
    headers = {"content-length": str(len(body)), "x-amzn-requestid": "00000000-0000-4000-8000-000000000000"}
    return AWSResponse(url, status, headers, _Raw(body))


class _Raw(BytesIO):
    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.read()


def _answer(model: OperationModel, kind: Fault, url: str) -> AWSResponse:
    if kind == "timeout":
        raise ReadTimeoutError(endpoint_url=url)
    if kind == "unreachable":
        raise ConnectionClosedError(endpoint_url=url)
    protocol = model.service_model.resolved_protocol
    if kind == "malformed":
        return response(url, 200, _MALFORMED.get(protocol, b'{"cut off": ["'))
    status, code = _CODES.get(protocol, _JSON)[kind]
    return response(url, status, _error(protocol, code))


_MALFORMED = {
    "ec2": b"<DescribeResponse><set><item>",
    "query": b"<Response><Result><",
    "rest-xml": b"<Result><Buckets><Buck",
    "smithy-rpc-v2-cbor": b"\xbf\x65ab",
}


def _error(protocol: str, code: str) -> bytes:
    error = f"<Error><Code>{code}</Code><Message>{MESSAGE}</Message></Error>"
    if protocol == "ec2":
        return f"<Response><Errors>{error}</Errors><RequestID>0</RequestID></Response>".encode()
    if protocol == "query":
        return f"<ErrorResponse>{error}<RequestId>0</RequestId></ErrorResponse>".encode()
    if protocol == "rest-xml":
        return error.encode()
    fields = {"__type": code, "message": MESSAGE}
    return _cbor(fields) if protocol == "smithy-rpc-v2-cbor" else json.dumps(fields).encode()


def _cbor(fields: dict[str, str]) -> bytes:
    """A CBOR map of texts shorter than 256 bytes."""
    texts = [text.encode() for pair in fields.items() for text in pair]
    return bytes([0xA0 | len(fields)]) + b"".join(bytes([0x78, len(text)]) + text for text in texts)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
