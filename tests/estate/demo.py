"""`make demo`: a whole audit of an embedded estate, by the real command over HTTP.

A small AWS account on a local `moto_server`, a recorded cluster behind a real HTTP server, a directory of Terraform and
manifests, and two registers. Its shortcomings are there on purpose, so the demo exits 0 once the audit is done.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.estate import aws, cluster

HERE = Path(__file__).parent
AGREEMENT = "Verwerkersovereenkomst Loonwijs bv en Stad Voorbeeld"
CLAUSULE = str(Path(sys.executable).parent / "clausule")


@dataclass(frozen=True)
class Demo:
    """A running estate: where its configuration is, the environment to run in, and what is true of it."""

    folder: Path
    environment: dict[str, str]
    truth: aws.Truth
    endpoint: str
    server: cluster.ReplayServer

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run `clausule` beside the configuration."""
        environment = {**self.environment, **more}
        return subprocess.run(
            [CLAUSULE, *arguments], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )


@contextmanager
def estate(folder: Path, *, own_process: bool = False) -> Iterator[Demo]:
    """Start the servers, seed the account and write `clausule.yaml` and what it names into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("iac", "registers"):
        shutil.copytree(
            HERE / name, folder / name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py", "__pycache__")
        )
    with aws.moto(own_process=own_process) as endpoint, cluster.serve() as server:
        truth = aws.seed(endpoint)
        kubeconfig = cluster.write_kubeconfig(folder / "kubeconfig", server.address)
        (folder / "clausule.yaml").write_text(_configuration(endpoint, kubeconfig.name), encoding="utf-8")
        environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        yield Demo(folder, {**environment, **aws.KEYS, "NO_COLOR": "1"}, truth, endpoint, server)


def _configuration(endpoint: str, kubeconfig: str) -> str:
    sections = {
        "version": 1,
        "agreement": AGREEMENT,
        "aws": {"endpoint_url": endpoint},
        "kubernetes": {"kubeconfig": kubeconfig, "contexts": [cluster.CONTEXT]},
        "checkov": {"directories": ["iac"]},
        "registers": {"transfer": ["registers/transfers.yaml"], "restore_drill": ["registers/restore-drills.yaml"]},
    }
    return yaml.safe_dump(sections, sort_keys=False, allow_unicode=True)


def main() -> int:
    """Run the demo in `.demo/`; 0 when the audit was done, whatever it found."""
    folder = Path(".demo").resolve()
    shutil.rmtree(folder, ignore_errors=True)
    print("Starting the estate: an AWS account, a cluster, infrastructure code, registers")
    with estate(folder, own_process=True) as demo:
        environment = {key: value for key, value in demo.environment.items() if key != "NO_COLOR"}
        done = subprocess.run([CLAUSULE, "audit", "--exit-zero"], cwd=folder, env=environment, check=False)
    if done.returncode:
        return done.returncode
    report = next(folder.glob(".clausule/reports/*/report.html"))
    print(f"\nThe failures above are there on purpose. Open the report:\n  {report}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
