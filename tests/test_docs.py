"""What the documents say is what the program does."""

from __future__ import annotations

import importlib
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from agent import collect, plan, policy, registry, run
from agent.runs import Run
from agent.steps import Steps
from agent.store import FolderStore
from docs import generate
from tests.estate import aws
from tests.estate.demo import CLAUSULE, Demo, estate

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("name", generate.FILES)
def test_generated_files_are_current(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == generate.FILES[name](), "run: make generate"


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_make_targets_that_are_shown_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in PAGES:
        for block in blocks(page, "sh"):
            assert set(re.findall(r"^make (\w+)", block, re.MULTILINE)) <= targets, page.name


def shown() -> list[str]:
    """Every `clausule …` line of a shell block, without its remark."""
    lines = [line for page in PAGES for block in blocks(page, "sh") for line in block.splitlines()]
    return [line.split("  #")[0].strip() for line in lines if line.startswith("clausule ")]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with estate(tmp_path_factory.mktemp("docs")) as running:
        shutil.copytree(running.folder / "iac", running.folder / "infra")
        yield running


@pytest.mark.slow
@pytest.mark.xdist_group("docs")
def test_commands_that_are_shown_work(demo: Demo, tmp_path: Path) -> None:
    assert len(shown()) > 8
    assert demo.run("audit", "-q").returncode == 1
    example = (demo.folder / "mine").with_suffix(".yaml")
    example.write_text(blocks(ROOT / "CONTRIBUTING.md", "yaml")[0].replace("s3-bucket-owner-enforced", "mine"))
    for line in dict.fromkeys(shown()):
        words = shlex.split(line.replace("FILE", str(example)))[1:]
        folder = tmp_path if words[0] == "init" else demo.folder
        done = subprocess.run(
            [CLAUSULE, *words], cwd=folder, env=demo.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode in ((0, 1) if words[0] in ("audit", "evaluate") else (0,)), f"{line}: {done.stderr}"


def test_the_policy_in_contributing_is_all_it_takes(tmp_path: Path) -> None:
    text = blocks(ROOT / "CONTRIBUTING.md", "yaml")[0]
    path = tmp_path / "s3-bucket-owner-enforced.yaml"
    path.write_text(text, encoding="utf-8")
    done = subprocess.run([CLAUSULE, "policy", "test", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 policies, 3 examples, 0 wrong" in done.stdout


@pytest.fixture
def with_queue_table(tmp_path: Path) -> Iterator[None]:
    """The table that CONTRIBUTING.md shows, as one new file of the AWS source."""
    import collectors.aws

    (tmp_path / "sqs_queue.py").write_text(blocks(ROOT / "CONTRIBUTING.md", "python")[0], encoding="utf-8")
    caches = (registry.sources, registry.tables, registry.all_columns, policy.catalog)
    collectors.aws.__path__.append(str(tmp_path))
    for cached in caches:
        cached.cache_clear()
    yield
    collectors.aws.__path__.remove(str(tmp_path))
    sys.modules.pop("collectors.aws.sqs_queue", None)
    importlib.invalidate_caches()
    for cached in caches:
        cached.cache_clear()


@pytest.mark.usefixtures("with_queue_table")
def test_the_table_in_contributing_is_all_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in aws.KEYS.items():
        monkeypatch.setenv(name, value)
    columns = ("url", "kms_key_id")
    calls = ("sqs:ListQueues", "sqs:GetQueueAttributes")
    table = plan.TablePlan(table="aws_sqs_queue", source="aws", scope="region", columns=columns, calls=calls)
    made = plan.Plan(policies=(), skipped=(), tables=(table,))
    with aws.moto() as endpoint:
        boto3.client("sqs", endpoint_url=endpoint, region_name="eu-west-1").create_queue(
            QueueName="loonfiches", Attributes={"KmsMasterKeyId": "alias/loonwijs"}
        )
        settings = registry.sources()["aws"].Settings(endpoint_url=endpoint, regions=("eu-west-1", "eu-west-3"))
        asked = {"aws": run.sources({"aws": settings}, "chapter_v", "2026-11-23T00:00:00Z")["aws"]}
        target = Run(FolderStore(tmp_path / "store"), "r")
        records = collect.collect(target, made, asked, collect.discover(made, asked), Steps())
    assert [gap for gap in collect.gaps(records) if gap.kind != "not_collected"] == []
    rows = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "store").rglob("*.ndjson"))
    assert "loonfiches" in rows
    assert "alias/loonwijs" in rows
    assert {"sqs:GetQueueAttributes", "sqs:ListQueues"} <= set(made.permissions()["aws"])
