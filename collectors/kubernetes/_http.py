"""One request to an API server, through the official client's transport, with a gap's kind for whatever goes wrong.

Decisions:
- Of the official client only its configuration (certificates, exec plugins, token refresh) and REST client are used.
- The client's own retries are off. A request is made again here, a few times, honouring Retry-After, and counted.
- An answer must come within the time limit as a whole, so a server that drips bytes cannot hold up an audit.
- Texts are made here, never taken from an exception: those of the transport can hold a token or a proxy's password.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import msgspec

from agent.errors import Unanswered
from agent.model import GapKind

_ATTEMPTS = 4
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 30.0
_LONGEST_DETAIL = 300
_CHUNK = 1 << 16

_KINDS = {
    401: GapKind.DENIED,
    403: GapKind.DENIED,
    404: GapKind.UNSUPPORTED,
    405: GapKind.UNSUPPORTED,
    406: GapKind.UNSUPPORTED,
    408: GapKind.TIMEOUT,
    410: GapKind.TRUNCATED,
    429: GapKind.THROTTLED,
    502: GapKind.UNREACHABLE,
    503: GapKind.UNREACHABLE,
    504: GapKind.TIMEOUT,
}
_ASK_AGAIN = frozenset({429, 502, 503, 504})


class Unserved(Unanswered):
    """A request that the server did not serve: with the HTTP status, 0 when there was none."""

    def __init__(
        self, kind: GapKind, detail: str, *, status: int = 0, again: bool = False, wait: float | None = None
    ) -> None:
        super().__init__(kind, detail)
        self.status, self.again, self.wait = status, again, wait


class _Status(msgspec.Struct):
    kind: str = ""
    message: str = ""


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the client from logging what a failed exec plugin wrote, which may hold a credential.

    It logs to the root logger and carries on without credentials; that is checked where this is used.
    """
    root, handler = logging.getLogger(), logging.NullHandler()

    def keep(record: logging.LogRecord) -> bool:
        return record.module != "kube_config"

    root.addFilter(keep)
    root.addHandler(handler)  # without any, its call would set up logging to stderr for the whole process
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.removeFilter(keep)


class Connection:
    """Requests to one API server, as one user. Several threads may share it."""

    def __init__(self, configuration: Any, timeout_seconds: int, pause: Callable[[float], None]) -> None:
        from kubernetes.client.rest import RESTClientObject  # noqa: PLC0415 - the package takes a second to import

        configuration.retries = False
        self._configuration = configuration
        self._rest = RESTClientObject(configuration)
        self._timeout, self._pause = timeout_seconds, pause
        self._retries, self._lock = 0, threading.Lock()

    @property
    def retries(self) -> int:
        """How often a request was made again so far."""
        return self._retries

    @property
    def server(self) -> str:
        """The server's address as the kubeconfig gives it, without a user or password."""
        scheme, _, rest = str(self._configuration.host).partition("://")
        authority, slash, path = rest.partition("/")
        return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"

    def get(self, path: str, query: Mapping[str, str | int] | None = None) -> bytes:
        """The body of a good answer; raises `Unserved` after the last try."""
        attempt = 1
        while True:
            try:
                return self._get_once(path, query or {})
            except Unserved as problem:
                if not problem.again or attempt == _ATTEMPTS:
                    raise
                wait = _FIRST_WAIT * 2 ** (attempt - 1) if problem.wait is None else problem.wait
            self.count_retry()
            self._pause(min(wait, _LONGEST_WAIT))
            attempt += 1

    def count_retry(self) -> None:
        """Something was asked again."""
        with self._lock:
            self._retries += 1

    def _get_once(self, path: str, query: Mapping[str, str | int]) -> bytes:
        deadline = time.monotonic() + self._timeout
        url = f"{self._configuration.host}{path}" + (f"?{urlencode(query)}" if query else "")
        response = self._send(path, url)
        try:
            body = self._read(path, response, deadline)
        finally:
            response.close()
        if response.status != HTTPStatus.OK:
            raise _unserved(path, response.status, response.headers, body)
        return body

    def _send(self, path: str, url: str) -> Any:
        import urllib3  # noqa: PLC0415 - comes with the client
        from kubernetes.client.exceptions import ApiException  # noqa: PLC0415

        headers, limit = self._headers(path), (self._timeout, self._timeout)
        try:
            answer = self._rest.request("GET", url, headers=headers, _request_timeout=limit)  # type: ignore[no-untyped-call]
        except ApiException as error:  # how the client reports TLS errors
            reason = " ".join(str(error.reason).split())
            raise Unserved(GapKind.UNREACHABLE, _short(f"GET {path}: TLS failed: {reason}")) from None
        except urllib3.exceptions.NewConnectionError as error:  # which urllib3 counts among the timeouts
            raise Unserved(GapKind.UNREACHABLE, f"GET {path}: {_cause(error)}", again=True) from None
        except urllib3.exceptions.TimeoutError:
            raise self._too_late(path) from None
        except urllib3.exceptions.HTTPError as error:
            raise Unserved(GapKind.UNREACHABLE, f"GET {path}: {_cause(error)}", again=True) from None
        except ValueError:
            detail = f"GET {path}: the server's address or the credentials cannot be sent over HTTP"
            raise Unserved(GapKind.UNEXPECTED, detail) from None
        return answer.response

    def _read(self, path: str, response: Any, deadline: float) -> bytes:
        import urllib3  # noqa: PLC0415

        chunks = []
        try:
            while chunk := response.read1(_CHUNK):  # what is there; a plain read would wait for all of it
                chunks.append(chunk)
                if time.monotonic() > deadline:
                    raise self._too_late(path)
        except urllib3.exceptions.TimeoutError:
            raise self._too_late(path) from None
        except urllib3.exceptions.HTTPError:
            raise Unserved(GapKind.TRUNCATED, f"GET {path}: the answer broke off", again=True) from None
        return b"".join(chunks)

    def _headers(self, path: str) -> dict[str, str]:
        from kubernetes.config import ConfigException  # noqa: PLC0415

        headers = {"Accept": "application/json", "User-Agent": "clausule"}
        try:
            with quiet():
                token = self._configuration.auth_settings().get("BearerToken")  # renews it where it has expired
        except (ConfigException, OSError):
            raise Unserved(GapKind.DENIED, f"GET {path}: the credentials could not be renewed") from None
        if token and token["value"]:
            headers["Authorization"] = str(token["value"]).strip()  # a token file may end with a newline
        return headers

    def _too_late(self, path: str) -> Unserved:
        return Unserved(GapKind.TIMEOUT, f"GET {path}: no whole answer within {self._timeout} s")


def _unserved(path: str, status: int, headers: Mapping[str, str], body: bytes) -> Unserved:
    """What an HTTP status other than 200 means, with the server's own explanation where it gives one."""
    phrase = next((known.phrase for known in HTTPStatus if known == status), "")
    detail = f"GET {path}: {status} {phrase}".rstrip()
    message = _message(body)
    again = status in _ASK_AGAIN or (status >= HTTPStatus.INTERNAL_SERVER_ERROR and "Retry-After" in headers)
    return Unserved(
        _KINDS.get(status, GapKind.UNEXPECTED),
        _short(f"{detail}: {message}" if message else detail),
        status=status,
        again=again,
        wait=_retry_after(headers.get("Retry-After", "")),
    )


def _message(body: bytes) -> str:
    """The text of a Kubernetes `Status`; of anything else, such as a proxy's page, nothing."""
    try:
        status = msgspec.json.decode(body, type=_Status)
    except msgspec.DecodeError:
        return ""
    return " ".join(status.message.split()) if status.kind == "Status" else ""


def _retry_after(value: str) -> float | None:
    """Seconds to wait; API servers send whole seconds, so a date counts as not said."""
    return float(value) if value.isdigit() else None


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_DETAIL else text[: _LONGEST_DETAIL - 1] + "…"


def _cause(error: BaseException) -> str:
    """The operating system's word for it, else the kind of error."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__
