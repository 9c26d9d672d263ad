"""A real Kubernetes API server for tests: the fixture `api_server`, or one of one's own with `running`.

It needs what Kubernetes' own test tooling needs: a folder named by KUBEBUILDER_ASSETS with `etcd`, `kube-apiserver` and
`kubectl`. Without it these tests are skipped and say so. The servers listen on free ports of loopback, keep everything
in a temporary folder, and are the only processes that are ended.

Mark the tests that use it with `pytest.mark.xdist_group("kube")`, so that one worker starts one server.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import os
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.needs import missing

ASSETS = "KUBEBUILDER_ASSETS"
READY_WITHIN = 60.0


class ApiServer:
    """etcd and kube-apiserver, running until `stop`."""

    def __init__(self, assets: Path, folder: Path) -> None:
        self.assets, self.folder = assets, folder
        self._etcd_port, self._port = _free_port(), _free_port()
        self._processes: list[subprocess.Popen[bytes]] = []
        self.address = f"https://127.0.0.1:{self._port}"
        self.kubeconfig = folder / "admin.kubeconfig"

    def start(self) -> None:
        """Start both and wait until the API server is ready."""
        pki = Pki(self.folder / "pki")
        pki.issue("apiserver", "kube-apiserver")
        pki.issue("admin", "admin", organization="system:masters")
        self._run("etcd", *self._etcd_flags())
        self._run("kube-apiserver", *self._api_server_flags(pki.folder))
        user = {"client-certificate": f"{pki.folder}/admin.crt", "client-key": f"{pki.folder}/admin.key"}
        self.write_kubeconfig(self.kubeconfig, user)
        self._wait()

    def stop(self) -> None:
        """End the processes that were started here; nothing of theirs is kept, so they need not tidy up."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()

    def write_kubeconfig(self, path: Path, user: dict[str, Any], context: str = "test") -> Path:
        """A kubeconfig for a user of this server, with one context."""
        cluster = {"server": self.address, "certificate-authority": f"{self.folder}/pki/ca.crt"}
        write_kubeconfig(path, {context: (cluster, user)})
        return path

    def kubectl(self, *arguments: str, text: str | None = None) -> str:
        """What kubectl prints, as the administrator; `text` is its standard input."""
        command = [str(self.assets / "kubectl"), f"--kubeconfig={self.kubeconfig}", *arguments]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def token(self, namespace: str, service_account: str) -> str:
        """A fresh token of a service account."""
        return self.kubectl("create", "token", service_account, f"--namespace={namespace}").strip()

    def compact(self) -> None:
        """Make etcd forget all but the present, so that the server answers 410 to older `continue` tokens."""
        revision = self._etcd("kv/range", {"key": "AA==", "limit": 1})["header"]["revision"]
        self._etcd("kv/compaction", {"revision": revision, "physical": True})

    def _etcd(self, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(f"http://127.0.0.1:{self._etcd_port}/v3/{path}", json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=20) as response:
            return json.load(response)

    def _etcd_flags(self) -> list[str]:
        client, peer = f"http://127.0.0.1:{self._etcd_port}", f"http://127.0.0.1:{_free_port()}"
        return [
            f"--data-dir={self.folder}/etcd",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync=true",
        ]

    def _api_server_flags(self, pki: Path) -> list[str]:
        return [
            f"--etcd-servers=http://127.0.0.1:{self._etcd_port}",
            f"--secure-port={self._port}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--tls-cert-file={pki}/apiserver.crt",
            f"--tls-private-key-file={pki}/apiserver.key",
            f"--client-ca-file={pki}/ca.crt",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={pki}/apiserver.crt",
            f"--service-account-signing-key-file={pki}/apiserver.key",
            "--service-cluster-ip-range=10.0.0.0/16",
            "--authorization-mode=Node,RBAC",
            "--disable-admission-plugins=TaintNodesByCondition,ServiceAccount",
            f"--cert-dir={self.folder}/certs",
        ]

    def _run(self, name: str, *flags: str) -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            self._processes.append(
                subprocess.Popen([str(self.assets / name), *flags], stdout=log, stderr=subprocess.STDOUT)
            )

    def _wait(self) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while not self._ready():
            for process in self._processes:
                assert process.poll() is None, f"a server ended: {self._logs()}"
            assert time.monotonic() < deadline, f"no API server within {READY_WITHIN} s: {self._logs()}"
            time.sleep(0.1)

    def _ready(self) -> bool:
        context = ssl.create_default_context(cafile=str(self.folder / "pki/ca.crt"))
        context.load_cert_chain(self.folder / "pki/admin.crt", self.folder / "pki/admin.key")
        try:  # the default namespace comes a moment after readiness
            for path in ("/readyz", "/api/v1/namespaces/default"):
                urllib.request.urlopen(f"{self.address}{path}", timeout=5, context=context).close()
        except OSError:
            return False
        return True

    def _logs(self) -> str:
        return "\n".join(path.read_text(errors="replace")[-2000:] for path in sorted(self.folder.glob("*.log")))


class Pki:
    """A certificate authority for one cluster, with the files it issued."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test-ca")])
        builder = self._builder(self._name, self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), True
        )
        self._write("ca", self._key, builder.sign(self._key, hashes.SHA256()))

    def issue(self, file: str, name: str, organization: str = "") -> None:
        """Write `file.crt` and `file.key`, good for 127.0.0.1 and as a client."""
        key = ec.generate_private_key(ec.SECP256R1())
        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
        if organization:
            attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        builder = self._builder(x509.Name(attributes), key).add_extension(names, False)
        self._write(file, key, builder.sign(self._key, hashes.SHA256()))

    def _builder(self, name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=2))
        )

    def _write(self, file: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        pem = serialization.Encoding.PEM
        (self.folder / f"{file}.crt").write_bytes(certificate.public_bytes(pem))
        secret = key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
        (self.folder / f"{file}.key").write_bytes(secret)


def write_kubeconfig(path: Path, contexts: dict[str, tuple[dict[str, Any], dict[str, Any]]]) -> None:
    """A kubeconfig with these contexts: name -> (cluster, user). The first is the current one."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": next(iter(contexts)),
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in contexts],
        "clusters": [{"name": name, "cluster": cluster} for name, (cluster, _) in contexts.items()],
        "users": [{"name": name, "user": user} for name, (_, user) in contexts.items()],
    }
    path.write_text(json.dumps(config, indent=1))  # JSON is YAML
    path.chmod(0o600)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running(folder: Path) -> Iterator[ApiServer]:
    """A fresh API server that keeps its files in a folder, until the end of the block; skips where there is none."""
    assets = os.environ.get(ASSETS, "")
    if not assets:
        missing(f"{ASSETS} (the folder with etcd, kube-apiserver and kubectl)")
    server = ApiServer(Path(assets), folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A running API server, shared by the tests of a worker: leave it as you found it."""
    with running(tmp_path_factory.mktemp("kube")) as server:
        yield server
