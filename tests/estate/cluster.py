"""The embedded estate's cluster: recorded answers of a real API server, served again over HTTP on loopback.

`cluster/seed.json` declares what it holds, `cluster/truth.yaml` says by hand what the tables must make of it, and the
other files are what a real server answered once it held the seed; a test holds them to that, and
`python -m tests.estate.cluster` records them again (with KUBEBUILDER_ASSETS set, see `tests/kube.py`).
`ReplayServer` answers like that server: pages by `limit` and `continue`, 404 for what was not recorded, and, for tests,
faults by path.
"""

from __future__ import annotations

import base64
import json
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from agent.documents import load

FOLDER = Path(__file__).with_name("cluster")
CONTEXT = "production"
"""The context that `write_kubeconfig` makes, so the name of the cluster in reports."""
TOKEN = "replayed-token"
PATHS = {
    "/version": "version.json",
    "/api/v1/nodes": "nodes.json",
    "/api/v1/namespaces": "namespaces.json",
    "/api/v1/persistentvolumes": "persistentvolumes.json",
    "/apis/networking.k8s.io/v1/networkpolicies": "networkpolicies.json",
}
TRUTH: dict[str, dict[str, dict[str, Any]]] = load(FOLDER / "truth.yaml", dict[str, dict[str, dict[str, Any]]])
"""Table -> key of the row -> column -> value; a column that is not named is NULL."""

Kubectl = Callable[..., str]
"""Runs kubectl with these arguments and returns what it printed; `text` is its standard input."""
Fault = Callable[["Answer"], None]
"""Answers a request in its own way instead of the recorded one."""


class Answer(BaseHTTPRequestHandler):
    """One connection to the replayed server."""

    protocol_version = "HTTP/1.1"
    server: ReplayServer

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        self.query = {key: values[-1] for key, values in parse_qs(address.query).items()}
        self.server.asked[address.path] += 1
        fault = self.server.fault(address.path, "continue" in self.query)
        if fault is not None:
            fault(self)
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.status(401, "Unauthorized")
        elif address.path not in PATHS:
            self.status(404, "the server could not find the requested resource")
        else:
            self.send(200, json.dumps(self.page(_recorded(address.path))).encode())

    def page(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The part of a list that `limit` and `continue` ask for; anything else as it is."""
        if "items" not in answer or "limit" not in self.query:
            return answer
        token = self.query.get("continue", "")
        start, limit = int(base64.b64decode(token) or 0), int(self.query["limit"])
        left = len(answer["items"]) - start - limit
        more = {"continue": base64.b64encode(b"%d" % (start + limit)).decode(), "remainingItemCount": left}
        metadata = answer["metadata"] | (more if left > 0 else {})
        return answer | {"metadata": metadata, "items": answer["items"][start : start + limit]}

    def status(self, code: int, message: str, headers: dict[str, str] | None = None) -> None:
        """An error in the form that the API server gives it."""
        body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}
        self.send(code, json.dumps(body).encode(), headers)

    def send(self, code: int, body: bytes, headers: dict[str, str] | None = None, length: int | None = None) -> None:
        """An answer; a `length` other than the body's own breaks it off."""
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = length is not None

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Requests are counted, not printed."""


class ReplayServer(ThreadingHTTPServer):
    """The recorded cluster on a free port of loopback."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.address = f"http://127.0.0.1:{self.server_address[1]}"
        self.asked: Counter[str] = Counter()
        """How many requests came for each path."""
        self._faults: dict[str, tuple[Fault, bool, int]] = {}

    def break_path(self, path: str, fault: Fault, *, later_pages: bool = False, times: int = 1_000_000) -> None:
        """Answer so many requests for a path with a fault: all of them, or only those for later pages."""
        self._faults[path] = (fault, later_pages, times)

    def fault(self, path: str, later_page: bool) -> Fault | None:
        """The fault for this request, if any; used up by one."""
        fault, only_later, times = self._faults.get(path, (None, False, 0))
        if fault is None or times == 0 or (only_later and not later_page):
            return None
        self._faults[path] = (fault, only_later, times - 1)
        return fault

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no news here."""


def refuse(code: int, message: str = "", **headers: str) -> Fault:
    """Every request gets this HTTP status."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda answer: answer.status(code, message, named)


def cut(answer: Answer) -> None:
    """The answer breaks off in the middle."""
    body = json.dumps(_recorded(urlsplit(answer.path).path)).encode()
    answer.send(200, body[: len(body) // 2], length=len(body))


def body(text: bytes) -> Fault:
    """Every request gets this body, with status 200."""
    return lambda answer: answer.send(200, text)


def hang_up(answer: Answer) -> None:
    """The connection is closed without an answer."""
    answer.close_connection = True


def drip(seconds: float) -> Fault:
    """The answer comes byte by byte, and takes so long."""

    def fault(answer: Answer) -> None:
        answer.send_response(200)
        answer.send_header("Content-Length", "100000")
        answer.end_headers()
        for _ in range(int(seconds * 10)):
            answer.wfile.write(b" ")
            answer.wfile.flush()
            time.sleep(0.1)
        answer.close_connection = True

    return fault


@contextmanager
def serve() -> Iterator[ReplayServer]:
    """The recorded cluster, served until the end of the block."""
    server = ReplayServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def write_kubeconfig(path: Path, address: str, context: str = CONTEXT, token: str = TOKEN) -> Path:
    """A kubeconfig with one context, for a replayed cluster."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "contexts": [{"name": context, "context": {"cluster": context, "user": "auditor"}}],
        "clusters": [{"name": context, "cluster": {"server": address}}],
        "users": [{"name": "auditor", "user": {"token": token}}],
    }
    path.write_text(json.dumps(config, indent=2))  # JSON is YAML
    path.chmod(0o600)
    return path


def seed(kubectl: Kubectl) -> None:
    """Make what `seed.json` declares in a real cluster, with the status that kubelets and controllers would set."""
    text = (FOLDER / "seed.json").read_text()
    kubectl("create", "--validate=false", "-f", "-", text=text)
    for thing in json.loads(text)["items"]:
        if "status" in thing:
            name, patch = f"{thing['kind'].lower()}/{thing['metadata']['name']}", {"status": thing["status"]}
            kubectl("patch", name, "--subresource=status", "--type=merge", "-p", json.dumps(patch))


def answers(kubectl: Kubectl) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a real cluster answers, by the file it is recorded in. Without `managedFields`: nothing reads that."""
    for path, name in PATHS.items():
        answer = json.loads(kubectl("get", "--raw", path))
        for item in answer.get("items", ()):
            item["metadata"].pop("managedFields", None)
        yield name, answer


def _recorded(path: str) -> dict[str, Any]:
    recorded: dict[str, Any] = json.loads((FOLDER / PATHS[path]).read_text())
    return recorded


def record() -> None:
    """Start a real API server, seed it, and write down what it answers."""
    from tests.kube import running

    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as server:
        seed(server.kubectl)
        for name, answer in answers(server.kubectl):
            (FOLDER / name).write_text(json.dumps(answer, indent=1) + "\n")


if __name__ == "__main__":
    record()
