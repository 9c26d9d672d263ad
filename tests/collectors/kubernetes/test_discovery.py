"""Which clusters there are; what a user got wrong is one line that says where, and holds no secret."""

from __future__ import annotations

import json
import logging
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.errors import UsageError
from agent.model import GapKind
from collectors.kubernetes import SOURCE
from tests.estate import cluster
from tests.estate.cluster import ReplayServer, body, refuse
from tests.kube import write_kubeconfig

from .conftest import TABLES, Collected, true_rows

SECRET = "sEcReT-0123456789"
USER = {"token": cluster.TOKEN}


def discover(**settings: Any) -> Any:
    return SOURCE(SOURCE.Settings(**settings), "2026-11-23T09:00:00Z").discover(frozenset({"cluster"}))


def refused(**settings: Any) -> str:
    """The error that a user sees: one line, exit 64, without the secret."""
    with pytest.raises(UsageError) as caught:
        discover(**settings)
    text = str(caught.value)
    assert caught.value.exit_code == 64
    assert "\n" not in text
    assert SECRET not in text
    return text


def closed_port() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def two(server: ReplayServer, tmp_path: Path) -> str:
    """A kubeconfig with a cluster that answers and one that is not there."""
    path = tmp_path / "two"
    write_kubeconfig(
        path, {"production": ({"server": server.address}, USER), "gone": ({"server": closed_port()}, USER)}
    )
    return str(path)


def test_the_current_context_is_the_default(kubeconfig: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", f"/nowhere/config:{kubeconfig}")
    found = discover()
    assert [(scope.name, scope.group, scope.labels) for scope in found.scopes] == [
        ("kubernetes/production", "production", {"cluster": "production"})
    ]
    assert found.unlisted == ()


def test_the_first_kubeconfig_decides(server: ReplayServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_kubeconfig(tmp_path / "a", {"here": ({"server": server.address}, USER)})
    write_kubeconfig(
        tmp_path / "b", {"there": ({"server": server.address}, USER), "here": ({"server": "http://x"}, {})}
    )
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path}/a:{tmp_path}/b")
    assert [scope.group for scope in discover().scopes] == ["here"]
    assert [scope.group for scope in discover(contexts=("there", "here", "there")).scopes] == ["there", "here"]


def test_nothing_is_asked_when_no_cluster_is_wanted(server: ReplayServer, kubeconfig: str) -> None:
    source = SOURCE(SOURCE.Settings(kubeconfig=kubeconfig), "2026-11-23T09:00:00Z")
    assert source.discover(frozenset()).scopes == ()
    assert not server.asked


def test_one_of_several_that_is_not_there_is_a_gap(gather: Callable[..., Collected], two: str) -> None:
    found = gather(kubeconfig=two, contexts=("production", "gone"))
    for table in TABLES:
        assert found.rows[table.name] == true_rows(table.name)
    assert {(gap.table, gap.group, gap.kind) for gap in found.gaps} == {
        (table.name, "gone", GapKind.UNREACHABLE) for table in TABLES
    }
    assert "Connection refused" in found.gaps[0].detail


def test_when_none_is_there_it_is_an_error(two: str) -> None:
    text = refused(kubeconfig=two, contexts=("gone",))
    assert text.startswith("kubernetes context 'gone' at http://127.0.0.1:")
    assert text.endswith("GET /version: Connection refused; check the address and the network")


def test_an_unknown_context_is_refused_with_the_nearest(two: str) -> None:
    text = refused(kubeconfig=two, contexts=("prodution",))
    assert text == f"kubernetes.contexts: {two} has no context 'prodution'; did you mean 'production'?"


def test_credentials_that_are_refused_say_so(server: ReplayServer, tmp_path: Path) -> None:
    path = cluster.write_kubeconfig(tmp_path / "c", server.address, token=SECRET)
    text = refused(kubeconfig=str(path))
    assert "401 Unauthorized" in text
    assert text.endswith("renew the credentials")


def test_forbidden_version_is_no_reason_to_stay_away(server: ReplayServer, kubeconfig: str) -> None:
    server.break_path("/version", refuse(403))
    assert len(discover(kubeconfig=kubeconfig).scopes) == 1


def test_something_else_at_the_address_is_refused(server: ReplayServer, kubeconfig: str) -> None:
    server.break_path("/version", body(b"<html>hello</html>"))
    assert "does not answer like an API server" in refused(kubeconfig=kubeconfig)


def test_an_address_shows_no_password(server: ReplayServer, tmp_path: Path) -> None:
    server.break_path("/version", refuse(401))
    address = server.address.replace("http://", f"http://user:{SECRET}@")
    path = cluster.write_kubeconfig(tmp_path / "c", address)
    assert server.address in refused(kubeconfig=str(path))


def write(tmp_path: Path, text: str) -> str:
    path = tmp_path / "broken"
    path.write_text(text)
    return str(path)


def test_a_kubeconfig_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path}/none")
    assert refused().startswith(f"{tmp_path}/none: no such kubeconfig; set kubernetes.kubeconfig or KUBECONFIG")


def test_a_kubeconfig_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert refused(kubeconfig=f"{tmp_path}/folder").startswith(f"{tmp_path}/folder: cannot be read")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [1\nb: 2", "broken:2: is not valid YAML"),
        ("", "broken: is empty"),
        ("contexts: []", "current-context: is not set; set kubernetes.contexts; its contexts: it has none"),
        ("contexts: 7", "broken:1: contexts: expected `array | null`, got `int`"),
        ("contexts:\n- name: x\n", "broken:2: contexts[0]: "),
        (f"users:\n- name: u\n  user: {{token: 0123, x: {SECRET}}}\n", "broken:3: users[0].user.token: "),
        (f"users:\n- name: u\n  user: {{exec: {SECRET}}}\n", "broken:3: users[0].user.exec: "),
    ],
)
def test_a_broken_kubeconfig_is_told_with_line_and_key(tmp_path: Path, text: str, expected: str) -> None:
    found = refused(kubeconfig=write(tmp_path, text))
    assert found.startswith(str(tmp_path))
    assert expected in found


def entry(tmp_path: Path, cluster_part: dict[str, Any], user: dict[str, Any]) -> str:
    write_kubeconfig(tmp_path / "broken", {"c": (cluster_part, user)})
    return str(tmp_path / "broken")


SERVER = {"server": "https://127.0.0.1:9"}


@pytest.mark.parametrize(
    ("cluster_part", "user", "expected"),
    [
        (SERVER | {"certificate-authority": "ca.crt"}, {}, "clusters[c].cluster.certificate-authority: no such file"),
        (SERVER, {"client-certificate": "a", "token": SECRET}, "users[c].user.client-certificate: no such file: a"),
        (SERVER, {"tokenFile": "a"}, "users[c].user.tokenFile: no such file: a"),
        (
            SERVER,
            {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-login"}},
            "users[c].user.exec.command: 'no-such-login' is not installed or not on PATH",
        ),
        (SERVER, {"client-certificate-data": f"{SECRET}?A"}, "the credentials of context 'c' cannot be loaded"),
    ],
)
def test_what_a_context_lacks_is_told(
    tmp_path: Path, cluster_part: dict[str, Any], user: dict[str, Any], expected: str
) -> None:
    assert expected in refused(kubeconfig=entry(tmp_path, cluster_part, user))


def test_an_authority_that_is_no_certificate(server: ReplayServer, tmp_path: Path) -> None:
    part = {"server": server.address.replace("http", "https"), "certificate-authority-data": SECRET[:4]}
    assert "GET /version: TLS failed" in refused(kubeconfig=entry(tmp_path, part, {}))


@pytest.mark.parametrize("kind", ["cluster", "user"])
def test_a_context_that_names_nothing(tmp_path: Path, kind: str) -> None:
    path = entry(tmp_path, SERVER, {"token": SECRET})
    config = json.loads(Path(path).read_text())
    config[f"{kind}s"] = []
    Path(path).write_text(json.dumps(config))
    assert f"contexts[c].context.{kind}: no {kind} is called 'c'; add it to {kind}s" in refused(kubeconfig=path)


def plugin(tmp_path: Path, server: str, code: str) -> str:
    """A kubeconfig whose user logs in by this Python program."""
    run = {"apiVersion": "client.authentication.k8s.io/v1", "command": sys.executable, "args": ["-c", code]}
    write_kubeconfig(tmp_path / "exec", {"c": ({"server": server}, {"exec": run})})
    return str(tmp_path / "exec")


def test_an_exec_plugin_logs_in(server: ReplayServer, tmp_path: Path) -> None:
    version = "client.authentication.k8s.io/v1"
    status = {"apiVersion": version, "kind": "ExecCredential", "status": {"token": cluster.TOKEN}}
    assert (
        len(discover(kubeconfig=plugin(tmp_path, server.address, f"print({json.dumps(json.dumps(status))})")).scopes)
        == 1
    )


@pytest.mark.parametrize("code", [f"import sys; sys.exit('{SECRET}')", f"print('{SECRET}')", "print('{}')"])
def test_an_exec_plugin_that_fails_is_one_clear_line(
    server: ReplayServer, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, code: str
) -> None:
    with caplog.at_level(logging.DEBUG):
        text = refused(kubeconfig=plugin(tmp_path, server.address, code))
    assert (
        "users[c].user: the credentials of context 'c' did not come from its exec plugin; see what this says: " in text
    )
    assert not server.asked, "it is not tried without credentials"
    assert SECRET not in caplog.text + "".join(capfd.readouterr())


def test_a_failing_exec_plugin_is_a_gap_beside_a_cluster_that_answers(server: ReplayServer, tmp_path: Path) -> None:
    bad = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "false"}}
    write_kubeconfig(tmp_path / "x", {"a": ({"server": server.address}, USER), "b": ({"server": server.address}, bad)})
    found = discover(kubeconfig=str(tmp_path / "x"), contexts=("a", "b"))
    assert [scope.group for scope in found.scopes] == ["a"]
    assert [(missing.group, missing.gap) for missing in found.unlisted] == [("b", GapKind.DENIED)]


def test_a_token_file_may_end_with_a_newline(server: ReplayServer, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{cluster.TOKEN}\n")
    write_kubeconfig(tmp_path / "x", {"a": ({"server": server.address}, {"tokenFile": "token"})})
    assert len(discover(kubeconfig=str(tmp_path / "x")).scopes) == 1


def test_a_token_that_is_no_header_is_not_shown(server: ReplayServer, tmp_path: Path) -> None:
    path = cluster.write_kubeconfig(tmp_path / "x", server.address, token=f"{SECRET}\nX: y")
    assert "cannot be sent over HTTP" in refused(kubeconfig=str(path))


def test_outside_a_pod_in_cluster_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert refused(in_cluster=True).startswith("kubernetes.in_cluster: this is not a pod with a service account token")


def test_names_that_contradict_each_other_are_refused() -> None:
    assert "kubernetes.cluster_name" in refused(cluster_name="x")
    assert "give this cluster another name" in refused(in_cluster=True, cluster_name="x", contexts=("x",))


@pytest.mark.parametrize("given", [{"timeout_seconds": 0}, {"context": ["x"]}, {"contexts": "x"}])
def test_settings_are_checked(given: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given, SOURCE.Settings)
