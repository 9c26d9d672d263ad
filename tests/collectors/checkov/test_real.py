"""Checkov itself over real code: the example, and code that is broken, templated, from elsewhere, hostile."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.model import GapKind
from tests.collecting import Collected, gather
from tests.estate import iac

pytestmark = pytest.mark.slow

DIFFICULT = {
    "good.tf": 'resource "aws_sns_topic" "mail" {\n  name = "mail"\n}\n',
    "secret.tf": 'resource "aws_db_instance" "crm" {\n  identifier = "crm"\n  password   = "hunter2hunter2"\n}\n',
    "broken.tf": 'resource "aws_s3_bucket" "b" { bucket = \n',
    "elsewhere.tf": 'module "vpc" {\n  source  = "terraform-aws-modules/vpc/aws"\n  version = "6.0.0"\n}\n',
    "twice.tf": 'module "a" {\n  source = "./part"\n}\nmodule "b" {\n  source = "./part"\n}\n',
    "part/main.tf": 'resource "aws_sqs_queue" "q" {\n  name = "q"\n}\n',
    "chart/templates/map.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n",
    "stack.yaml": "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  B:\n    Type: AWS::S3::Bucket\n   X: [\n",
    "notes.yaml": "a: [broken, but nobody's manifest\n",
    ".checkov.yaml": "skip-check: [CKV_AWS_26]\nexternal-checks-dir: [EVIL]\n",
    "evil/__init__.py": "",
    "evil/run.py": "open('PWNED', 'w').close()\n",
}


@pytest.fixture(scope="session")
def example(checkov: str, tmp_path_factory: pytest.TempPathFactory) -> Collected:
    folder = tmp_path_factory.mktemp("example")
    return gather("checkov", folder, command=checkov, directories=[str(iac.FOLDER)])


@pytest.fixture(scope="session")
def difficult_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("difficult")
    for name, content in DIFFICULT.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content.replace("EVIL", str(folder / "evil")).replace("PWNED", str(folder / "pwned")))
    return folder


@pytest.fixture(scope="session")
def difficult(checkov: str, difficult_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Collected:
    folder = tmp_path_factory.mktemp("difficult-store")
    return gather("checkov", folder, command=checkov, directories=[str(difficult_folder)])


def test_the_example_is_what_it_is_said_to_be(example: Collected) -> None:
    rows = example.rows["checkov_result"].values()
    found = {(row["check_id"], row["resource"]): row["result"] for row in rows}
    assert {key: found.get(key) for key in iac.TRUTH} == iac.TRUTH
    assert example.gaps == []
    assert {row["framework"] for row in rows} == {"terraform", "kubernetes"}


def test_a_row_says_where_it_is(example: Collected) -> None:
    row = example.rows["checkov_result"]["CKV_AWS_17:database.tf:aws_db_instance.portal"]
    lines = (iac.FOLDER / "database.tf").read_text().splitlines()
    assert lines[row["line_start"] - 1].startswith('resource "aws_db_instance" "portal"')
    assert lines[row["line_end"] - 1] == "}"
    assert (row["directory"], row["resource_type"]) == (str(iac.FOLDER), "aws_db_instance")
    assert example.rows["checkov_result"]["CKV_K8S_16:manifests/portal.yaml:Deployment.klantportaal.portaal"]


def test_a_skip_says_why(example: Collected) -> None:
    skipped = [row for row in example.rows["checkov_result"].values() if row["result"] == "skipped"]
    assert [row["suppress_comment"] for row in skipped] == [iac.SKIPPED]


def test_what_was_not_seen_is_one_gap_and_the_rest_is_kept(difficult: Collected) -> None:
    (gap,) = difficult.gaps
    assert (gap.kind, gap.columns) == (GapKind.UNREADABLE, ())
    assert "3 files could not be read as code: broken.tf, chart/templates/map.yaml, stack.yaml;" in gap.detail
    assert "1 module from elsewhere not scanned: terraform-aws-modules/vpc/aws:6.0.0" in gap.detail
    assert "CKV_AWS_27:part/main.tf:module.a.aws_sqs_queue.q" in difficult.rows["checkov_result"]
    assert difficult.rows["checkov_result"]["CKV_AWS_27:part/main.tf:module.b.aws_sqs_queue.q"]["result"] == "failed"


def test_the_code_cannot_switch_checks_off_or_run_its_own(difficult: Collected, difficult_folder: Path) -> None:
    assert difficult.rows["checkov_result"]["CKV_AWS_26:good.tf:aws_sns_topic.mail"]["result"] == "failed"
    assert not (difficult_folder / "pwned").exists()


def test_values_in_the_code_do_not_reach_evidence(difficult: Collected) -> None:
    assert any(row["resource"] == "aws_db_instance.crm" for row in difficult.rows["checkov_result"].values())
    assert "hunter2" not in difficult.text
    assert not any("hunter2" in gap.detail for gap in difficult.gaps)


def test_a_directory_without_code_is_empty_and_no_gap(checkov: str, folder: Path, tmp_path: Path) -> None:
    (folder / "README.md").write_text("nothing here")
    found = gather("checkov", tmp_path / "store", command=checkov, directories=[str(folder)])
    assert (found.rows, found.gaps) == ({"checkov_result": {}}, [])
