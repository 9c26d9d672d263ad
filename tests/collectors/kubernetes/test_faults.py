"""What did not come is a gap of its kind, with what came before it kept; never an empty list."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from agent import registry
from agent.errors import Unanswered
from agent.model import GapKind, Json
from collectors.kubernetes._client import KubeClient
from tests.estate import cluster
from tests.estate.cluster import ReplayServer, body, cut, drip, hang_up, refuse

from .conftest import Collected, true_rows

NODES = "/api/v1/nodes"
POLICIES = "/apis/networking.k8s.io/v1/networkpolicies"
LIST = registry.tables()["k8s_node"].list_call
ALL_NODES = sorted(cluster.TRUTH["k8s_node"])


def read(client: KubeClient) -> tuple[list[str], Unanswered | None]:
    """The names that came, and why no more did."""
    names: list[str] = []
    try:
        names.extend(item["metadata"]["name"] for item in client.items(LIST))
    except Unanswered as problem:
        return names, problem
    return names, None


def test_pages_are_read_to_the_end(client: KubeClient, server: ReplayServer) -> None:
    assert read(client) == (ALL_NODES, None)
    assert server.asked == {NODES: 3}
    assert client.retries == 0


FAULTS: dict[str, tuple[cluster.Fault, GapKind, int]] = {
    "credentials refused": (refuse(401, "Unauthorized"), GapKind.DENIED, 1),
    "forbidden": (refuse(403, "nodes is forbidden: not you"), GapKind.DENIED, 1),
    "no such resource": (refuse(404), GapKind.UNSUPPORTED, 1),
    "throttled": (refuse(429, "too many requests", Retry_After="7"), GapKind.THROTTLED, 4),
    "gateway timeout": (refuse(504), GapKind.TIMEOUT, 4),
    "service unavailable": (refuse(503), GapKind.UNREACHABLE, 4),
    "server error": (refuse(500, "etcdserver: no leader"), GapKind.UNEXPECTED, 1),
    "server error, come back later": (refuse(500, Retry_After="1"), GapKind.UNEXPECTED, 4),
    "redirect": (refuse(302, Location="http://127.0.0.1:9/"), GapKind.UNEXPECTED, 1),
    "connection closed": (hang_up, GapKind.UNREACHABLE, 4),
    "body cut off": (cut, GapKind.TRUNCATED, 4),
    "JSON cut off": (body(b'{"kind": "NodeList", "metadata": {}, "items": [{"metad'), GapKind.TRUNCATED, 1),
    "not JSON": (body(b"<html>log in first</html>"), GapKind.UNEXPECTED, 1),
    "empty body": (body(b""), GapKind.TRUNCATED, 1),
    "no items": (body(b'{"kind": "NodeList", "metadata": {}}'), GapKind.UNEXPECTED, 1),
    "an error with status 200": (body(b'{"kind": "Status", "metadata": {}, "items": []}'), GapKind.UNEXPECTED, 1),
    "too slow": (drip(3), GapKind.TIMEOUT, 1),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("later", [False, True], ids=["first page", "later page"])
def test_a_fault_is_a_gap_of_its_kind(client: KubeClient, server: ReplayServer, name: str, later: bool) -> None:
    fault, kind, tries = FAULTS[name]
    server.break_path(NODES, fault, later_pages=later)
    names, problem = read(client)
    assert problem is not None
    assert problem.kind is kind
    assert names == (ALL_NODES[:2] if later else []), "what came before is kept"
    assert server.asked[NODES] == tries + later
    assert client.retries == tries - 1
    assert problem.permission == ("/nodes:list" if kind is GapKind.DENIED else "")
    assert problem.detail.startswith("GET /api/v1/nodes")
    assert cluster.TOKEN not in problem.detail


def test_the_servers_own_words_are_in_the_detail(client: KubeClient, server: ReplayServer) -> None:
    server.break_path(NODES, refuse(403, 'nodes is forbidden: User "x"\ncannot list'))
    _, problem = read(client)
    assert str(problem) == 'GET /api/v1/nodes: 403 Forbidden: nodes is forbidden: User "x" cannot list'


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (refuse(429, Retry_After="7"), [7.0, 7.0]),
        (refuse(429, Retry_After="86400"), [30.0, 30.0]),
        (refuse(429), [0.5, 1.0]),
        (hang_up, [0.5, 1.0]),
    ],
)
def test_a_fault_that_passes_leaves_no_gap(
    client: KubeClient, server: ReplayServer, waits: list[float], fault: cluster.Fault, expected: list[float]
) -> None:
    server.break_path(NODES, fault, times=2)
    assert read(client) == (ALL_NODES, None)
    assert waits == expected
    assert client.retries == 2


def test_a_list_that_expired_starts_again_and_gives_each_object_once(client: KubeClient, server: ReplayServer) -> None:
    server.break_path(NODES, refuse(410, "the provided continue parameter is too old"), later_pages=True, times=1)
    assert read(client) == (ALL_NODES, None)
    assert server.asked[NODES] == 5, "a page, the refusal, three pages"
    assert client.retries == 1


def test_a_list_that_expires_twice_is_truncated(client: KubeClient, server: ReplayServer) -> None:
    server.break_path(NODES, refuse(410, "too old"), later_pages=True)
    names, problem = read(client)
    assert names == ALL_NODES[:2]
    assert problem is not None
    assert problem.kind is GapKind.TRUNCATED


def test_a_server_that_gives_the_same_page_for_ever_is_left(client: KubeClient, server: ReplayServer) -> None:
    page = {"kind": "NodeList", "metadata": {"continue": "again"}, "items": [{"metadata": {"name": "n"}}]}
    server.break_path(NODES, body(json.dumps(page).encode()))
    names, problem = read(client)
    assert names == ["n"]
    assert problem is not None
    assert problem.kind is GapKind.UNEXPECTED


def test_an_empty_list_is_empty(client: KubeClient, server: ReplayServer) -> None:
    for items in (b"[]", b"null"):
        server.break_path(NODES, body(b'{"kind": "NodeList", "metadata": {}, "items": %s}' % items))
        assert read(client) == ([], None)


def test_a_server_that_went_away_midway_is_unreachable(client: KubeClient, server: ReplayServer) -> None:
    items = client.items(LIST)
    first: Json = next(items)
    assert first["metadata"]["name"] == ALL_NODES[0]
    server.shutdown()
    server.server_close()
    server.break_path(NODES, hang_up)  # for the connection that is still open
    with pytest.raises(Unanswered) as caught:
        list(items)
    assert caught.value.kind is GapKind.UNREACHABLE


def test_a_slow_answer_ends_in_time(client: KubeClient, server: ReplayServer) -> None:
    server.break_path(NODES, drip(30))
    started = time.monotonic()
    _, problem = read(client)
    assert problem is not None
    assert str(problem) == "GET /api/v1/nodes: no whole answer within 1 s"
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("path", [path for path in cluster.PATHS if path != "/version"])
def test_a_denied_list_leaves_a_gap_and_the_other_tables_whole(
    gather: Callable[..., Collected], kubeconfig: str, server: ReplayServer, path: str
) -> None:
    server.break_path(path, refuse(403, "forbidden"))
    found = gather(kubeconfig=kubeconfig)
    [denied] = [table for table in registry.tables().values() if getattr(table.list_call, "path", "") == path]
    [gap] = found.gaps
    assert (gap.table, gap.kind, gap.call) == (denied.name, GapKind.DENIED, denied.list_call.name)
    assert gap.permission == denied.list_call.permissions[0]
    assert (gap.scope, gap.group, gap.columns) == ("kubernetes/production", "production", ())
    assert found.rows[denied.name] == {}
    for table in cluster.TRUTH.keys() - {denied.name}:
        assert found.rows[table] == true_rows(table)


def test_an_object_of_an_unknown_shape_is_a_gap_and_the_others_are_rows(
    gather: Callable[..., Collected], kubeconfig: str, server: ReplayServer
) -> None:
    recorded: dict[str, Any] = json.loads((cluster.FOLDER / "networkpolicies.json").read_text())
    recorded["items"][0]["spec"]["policyTypes"] = {"not": "a list"}
    odd = "/".join(recorded["items"][0]["metadata"][key] for key in ("namespace", "name"))
    recorded["items"][0]["spec"]["podSelector"] = ["odd"]
    server.break_path(POLICIES, body(json.dumps(recorded).encode()))
    found = gather(kubeconfig=kubeconfig)
    assert {gap.resource for gap in found.gaps} == {odd}
    assert {gap.kind for gap in found.gaps} == {GapKind.UNEXPECTED}
    assert {column for gap in found.gaps for column in gap.columns} >= {"selects_all_pods", "default_deny_ingress"}
    truth = true_rows("k8s_network_policy")
    rows = found.rows["k8s_network_policy"]
    assert rows.keys() == truth.keys()
    assert {key: row for key, row in rows.items() if key != odd} == {key: truth[key] for key in truth if key != odd}
